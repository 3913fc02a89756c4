"""What stands behind sums: thresholds of several levels, factors and offsets, inversions."""
