"""Where streams part and meet."""
