"""What the rungs are called."""

__all__ = ["NAMES", "RUNGS"]

NAMES = ("torch", "trained graph", "integer graph", "packed kernel", "RTL", "netlist", "placed")
RUNGS = ("graph", "integer", "packed", "rtl", "netlist", "placed")
"""What `through` calls the rungs above torch."""
