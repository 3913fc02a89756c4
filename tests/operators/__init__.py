"""Operators written in Python, from the function to the hardware."""
