"""The search for settings: what may vary, who proposes, who gives up early, and the study on disk. Knows no stage."""
