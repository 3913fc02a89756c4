"""Values of fixed point: what of a graph makes them, and what lanes are told."""
