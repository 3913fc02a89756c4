"""What a table costs in LUTs.

Tests: tests/hw/program/test_area.py
"""

from collections.abc import Iterable, Sequence

__all__ = ["table_luts"]

OVERHEAD = 1.25
"""What synthesis makes of it beside a tree of multiplexers of two ways."""


def table_luts(tables: Iterable[tuple[Sequence[int], int]], lut_inputs: int) -> int:
    """LUTs of tables (entries, bits) of one index: of each bit a tree of multiplexers over LUTs of the lowest index
    bits, equal parts once."""
    found: set[tuple[int, ...]] = set()
    left: list[tuple[int, ...]] = []
    for entries, width in tables:
        depth = max(lut_inputs, (len(entries) - 1).bit_length())
        padded = [*entries, *[entries[-1]] * ((1 << depth) - len(entries))]
        left += [tuple(entry >> bit & 1 for entry in padded) for bit in range(width)]
    large = any(len(part) > 1 << lut_inputs for part in left)
    while left:
        part = left.pop()
        half = len(part) // 2
        if len(set(part)) == 1 or part in found:
            continue
        if len(part) > 1 << lut_inputs and part[:half] == part[half:]:
            left.append(part[:half])
            continue
        found.add(part)
        if len(part) > 1 << lut_inputs:
            left += [part[:half], part[half:]]
    return round(len(found) * (OVERHEAD if large else 1))
