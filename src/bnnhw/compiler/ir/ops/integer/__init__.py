"""Operators of integer graphs, in exact integers."""
