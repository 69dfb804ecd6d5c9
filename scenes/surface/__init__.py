"""Scene pack: inspection pictures of metal, tiles, concrete and cloth with scratches, cracks and other defects."""
