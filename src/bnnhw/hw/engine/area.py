"""What an engine takes of a device, before synthesis.

Tests: tests/hw/engine/test_area.py
"""

from bnnhw.hw.targets import Cells

from .engine_shape import WORD, EngineShape
from .lane_format import VALUE_BITS
from .program.factors import FACTOR_WORDS
from .wide_memory import WideMemory

__all__ = ["engine_cells"]


_CONTROL = 1250
"""LUTs of the walks, the fetch and the commands, whose size hardly depends on the array's."""
_EXTERNAL = 1700
"""LUTs of transfers from and to an external memory, half of them its controller's."""
_LANE = 140
"""LUTs of a pixel's windows."""
_VALUE_LANE = 658
"""LUTs of what makes values of one of the sums that leave the array in a cycle."""


def engine_cells(shape: EngineShape) -> Cells:
    """The cells of an engine, with the controller of its external memory where it has one: block RAMs exactly, LUTs
    within 5 % of synthesis'."""
    array, fabric = shape.array, shape.target.fabric
    popcounts = array.pixels * array.rows * (array.popcount.positions + array.sum_width + 2)
    ors = 1 if array.row_groups <= 4 else -(-array.row_groups // 4) + 1
    merging = array.pixels * array.group_rows * array.sum_width * ors
    turning = 2 * array.pixels * array.simd
    bits = array.pixels * array.group_rows * (array.sum_width + 8)
    writing = array.pixels * (array.simd + 30)
    if shape.makes_windows:
        writing += array.pixels * _LANE
    rams = sum(
        WideMemory(depth=depth, width=width, column=column, target=shape.target).block_rams
        for width, depth, column in (
            (array.pixels * array.simd, shape.map_words, min(WORD, array.rows)),
            (array.rows * array.simd, shape.weight_words, WORD),
            (WORD, shape.taps, WORD),
            (WORD, shape.instructions, WORD),
            (array.group_rows * WORD, shape.parameters, WORD),
            (array.group_rows * WORD, shape.results, WORD),
            *_value_memories(shape),
            *_external_memories(shape),
        )
    )
    if shape.external is not None:
        writing += array.pixels * array.simd
        if shape.values:
            writing += 2 * array.pixels * array.group_rows * VALUE_BITS
    lanes = array.pixels * array.group_rows if shape.values else 0
    control = _CONTROL + (0 if shape.external is None else _EXTERNAL)
    luts = popcounts + merging + turning + bits + writing + control + lanes * _VALUE_LANE
    return fabric.cells(luts=luts, ebr=rams, multipliers=lanes)


def _value_memories(shape: EngineShape) -> list[tuple[int, int, int]]:
    """The same of those that make values."""
    if not shape.values:
        return []
    factors = (shape.array.group_rows * FACTOR_WORDS * WORD, shape.parameters, WORD)
    return [factors, *_value_words(shape, shape.values)]


def _value_words(shape: EngineShape, depth: int) -> list[tuple[int, int, int]]:
    """Those of so many words of values of each pixel, where an engine has any."""
    width = shape.array.group_rows * VALUE_BITS
    return [(width, depth, width)] * shape.array.pixels if shape.values else []


def _external_memories(shape: EngineShape) -> list[tuple[int, int, int]]:
    """Width, depth and column of the memories that an external one makes necessary."""
    if shape.external is None:
        return []
    array = shape.array
    return [
        (array.pixels * array.simd, shape.outbox_words, min(WORD, array.rows)),
        (WORD, shape.transfers, WORD),
        *_value_words(shape, shape.outbox_words),
    ]
