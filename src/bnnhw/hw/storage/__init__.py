"""Memories on the chip: weights read in order, image rows."""
