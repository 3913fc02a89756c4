"""Netlists read into gates: RTL, synthesised and placed cells."""
