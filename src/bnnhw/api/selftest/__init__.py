"""Whether a board does what its build says."""
