"""Scene pack: streets as a car's camera sees them, for segmenting road scenes."""
