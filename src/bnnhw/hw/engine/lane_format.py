"""The numbers that lanes work with: their bits, and how long a value takes.

Tests: tests/hw/engine/lanes/test_lane.py
"""

__all__ = [
    "BASES_BITS",
    "FACTOR_BITS",
    "INSIDE_BITS",
    "KEPT_DELAY",
    "OFFSET_BITS",
    "SHIFT_BITS",
    "VALUE_BITS",
    "VALUE_LATENCY",
]

VALUE_BITS = 16
"""Bits of a value, signed."""
FACTOR_BITS = 18
"""Bits of a row's factor, signed."""
OFFSET_BITS = 42
"""Bits of a row's offset, and of what a lane adds up, signed."""
SHIFT_BITS = 5
INSIDE_BITS = 5
"""Bits of the number of tiles of rows in the loop inside of pixels, less 1."""
BASES_BITS = 5
"""Bits of the number of bases of inputs, less 1."""
KEPT_DELAY = 3
"""Cycles from the last sum of a total that is kept to the first one that goes on with it, at least."""
VALUE_LATENCY = 9
"""Cycles from the last of a channel's sums to its value."""
