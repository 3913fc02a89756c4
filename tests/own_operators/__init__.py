"""Operators that no file of the package knows: each has its meaning, its torch layer, its hardware and its unit."""
