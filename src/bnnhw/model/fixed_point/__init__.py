"""Networks of real numbers as networks of fixed-point numbers."""
