"""The ladder's rungs from torch to the placed netlist."""
