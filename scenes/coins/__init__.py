"""Scene pack: worn coins on cloth, wood, stone or a studio backdrop, for segmenting photographs of coins."""
