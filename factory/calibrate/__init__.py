"""Labelers and refiners tuned and judged where the truth is known."""
