"""What every scene pack shares: random draws, nodes, lights, cameras, passes, the sensor, raw frames, the worker."""
