"""Registers in a row, nests of counters and checksums, which units are made with."""
