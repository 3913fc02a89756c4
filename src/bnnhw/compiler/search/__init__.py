"""The search for foldings: candidates of each layer, the smallest or the fastest design."""
