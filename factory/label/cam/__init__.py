"""Class activation maps: a classifier learnt from tags, and where in the picture it finds what it names."""
