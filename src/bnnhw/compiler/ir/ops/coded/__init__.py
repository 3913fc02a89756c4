"""Values of a few levels, which need not lie at equal distances: their codes, and what these stand for."""
