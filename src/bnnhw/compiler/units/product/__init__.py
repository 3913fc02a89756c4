"""Products of a layer: what it does, and the units that do it."""
