"""Scene pack: the user's own meshes, listed in a CSV file, on tables or before the user's photographs."""
