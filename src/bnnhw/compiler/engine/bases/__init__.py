"""Weights and inputs as sums of bases of +-1."""
