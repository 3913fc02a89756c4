"""Lanes: from a tile's sums to fixed-point values, with those of an earlier layer added."""
