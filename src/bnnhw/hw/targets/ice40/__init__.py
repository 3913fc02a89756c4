"""Lattice iCE40 UltraPlus."""

from .target import ICE40

__all__ = ["ICE40"]
