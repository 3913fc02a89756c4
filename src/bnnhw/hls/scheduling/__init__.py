"""Programs in time: in which cycle each instruction is done, and in what order sums are made."""
