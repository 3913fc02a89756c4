"""Registers in a row and nests of counters, which units are made with."""
