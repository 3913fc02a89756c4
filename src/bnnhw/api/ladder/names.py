"""What the rungs are called."""

__all__ = ["NAMES", "PROGRAM_NAMES", "RUNGS"]

NAMES = ("torch", "trained graph", "integer graph", "packed kernel", "RTL", "netlist", "placed")
PROGRAM_NAMES = (*NAMES[:4], "engine RTL")
"""Of a program for an engine."""
RUNGS = ("graph", "integer", "packed", "rtl", "netlist", "placed")
"""What `through` calls the rungs above torch."""
