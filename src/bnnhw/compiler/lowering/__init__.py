"""From an integer graph to what units do: bit planes, mismatch sums (Hamming distances), codes."""
