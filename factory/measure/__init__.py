"""Measuring predictions against truth, and the classical methods measured beside ours."""
