"""Lattice ECP5 and ECP5-5G."""

from .target import ECP5

__all__ = ["ECP5"]
