"""The Hydra tree: one primary config a stage, one folder a group, one file a choice."""
