"""Tables in LUTs: trees of multiplexers over LUTs, and what they cost.

Tests: tests/hw/program/test_area.py
"""

from collections.abc import Iterator, Sequence

from amaranth.hdl import Array, Const, Mux, Value

__all__ = ["look_up", "table_luts"]

OVERHEAD = 1.1
"""What synthesis makes of it beside a tree of multiplexers of two ways."""


def look_up(entries: Sequence[int], index: Value, lut_inputs: int) -> Value:
    """entries[index]. The highest bits of the index choose between LUTs of the others: by itself synthesis compares the
    index with each number, twice as large where these are no power of two."""
    entries = entries[: 1 << len(index)]
    if len(entries) <= 1 << lut_inputs:
        return Array(map(Const, entries))[index]
    low, high = halves(entries)
    bits = _index_bits(entries) - 1
    if low == high:
        return look_up(low, index[:bits], lut_inputs)
    return Mux(
        index[bits], look_up(high, index[: _index_bits(high)], lut_inputs), look_up(low, index[:bits], lut_inputs)
    )


def table_luts(tables: Sequence[Sequence[int]], lut_inputs: int) -> int:
    """LUTs of tables that are read at one index: of each bit its multiplexers and LUTs, equal ones once. What reads few
    bits of the index is a part of its multiplexer."""
    found: set[tuple[int, ...]] = set()
    left = list({bits for entries in tables for bits in _bits_of(entries)})
    while left:
        part = left.pop()
        if len(set(part)) == 1 or part in found:
            continue
        if len(part) <= 1 << lut_inputs:
            found.add(part)
            continue
        low, high = halves(part)
        left.append(low)
        if low != high:
            found.add(part)
            left += [high] if _index_bits(high) > lut_inputs - 2 else []
    return int(len(found) * (OVERHEAD if max(map(len, tables)) > 1 << lut_inputs else 1))


def halves(entries: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Those that the highest bit of the index tells apart; the second half may have fewer."""
    half = 1 << _index_bits(entries) - 1
    return tuple(entries[:half]), tuple(entries[half:])


def _bits_of(entries: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Of each bit its value in each entry; the highest ones are those of the sign."""
    for bit in range(max(max(entries), ~min(entries)).bit_length() + 1):
        yield tuple(entry >> bit & 1 for entry in entries)


def _index_bits(entries: Sequence[int]) -> int:
    return max(1, (len(entries) - 1).bit_length())
