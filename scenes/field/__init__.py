"""Scene pack: rows of crop and weeds on soil, seen from above by a robot's or a drone's camera."""
