"""Products of integer weights: multipliers, adder trees, accumulators."""
