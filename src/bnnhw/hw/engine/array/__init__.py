"""The engine's array: sums that take a word of every pixel and of every row in each cycle."""
