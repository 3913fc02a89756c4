"""The sizes of a board's engine: the largest array that its FPGA holds, of those that were routed, and its memory.

Tests: tests/cli/test_engine.py
"""

from dataclasses import asdict, dataclass

from bnnhw.boards.board import Board
from bnnhw.hw.engine.area import engine_cells
from bnnhw.hw.engine.array.shape import ArrayShape
from bnnhw.hw.engine.engine_shape import EngineShape
from bnnhw.hw.memory.timing import SdramChip, get_chip
from bnnhw.hw.targets import Target

__all__ = ["EngineSizes", "sizes_for"]

LOGIC, MEMORY = 0.75, 0.9
"""Shares of the LUTs and of the block RAMs that an engine may take: beyond them routing gets slow."""

_TABLES = {"taps": 1024, "parameters": 512, "instructions": 1024, "results": 512, "transfers": 1024}
_LARGE_TABLES = _TABLES | {"parameters": 1024, "results": 1024}
_SIZES = (
    {"pixels": 8, "rows": 32, "simd": 32, "map_words": 2048, "weight_words": 1024, "values": 2048, **_LARGE_TABLES},
    {"pixels": 8, "rows": 16, "simd": 32, "map_words": 1024, "weight_words": 512, **_TABLES},
    {"pixels": 4, "rows": 16, "simd": 32, "map_words": 1024, "weight_words": 512, **_TABLES},
)
"""The largest arrays first. Those of 4 x 2 sums of 32 products a group are routed: see docs/engine.md."""


@dataclass(frozen=True, kw_only=True)
class EngineSizes:
    """An EngineShape as plain numbers, and the name of the memory chip beside it, None where there is none."""

    pixels: int
    rows: int
    simd: int
    group_pixels: int
    group_rows: int
    sum_width: int
    map_words: int
    weight_words: int
    taps: int
    parameters: int
    instructions: int
    results: int
    values: int = 0
    outbox_words: int = 512
    transfers: int = 1024
    memory: str | None = None

    @property
    def chip(self) -> SdramChip | None:
        """The memory chip. Raises ValueError for an unknown one."""
        return None if self.memory is None else get_chip(self.memory)

    def shape(self, target: Target) -> EngineShape:
        """The shape in a family's primitives. Raises ValueError where it cannot be."""
        values, chip = asdict(self), self.chip
        del values["memory"]
        names = ("pixels", "rows", "simd", "group_pixels", "group_rows", "sum_width")
        array = ArrayShape(**{name: values.pop(name) for name in names}, target=target)
        return EngineShape(array=array, **values, external=None if chip is None else chip.shape)


def sizes_for(board: Board) -> EngineSizes:
    """Those of the largest engine that fits a board. Raises ValueError where none does."""
    device = board.device
    for each in _SIZES:
        sizes = EngineSizes(
            **each,
            group_pixels=4,
            group_rows=2,
            sum_width=18,
            memory=None if board.memory is None else board.memory.name,
        )
        cells = engine_cells(sizes.shape(device.target))
        if cells.logic <= LOGIC * device.luts and cells.ebr <= MEMORY * device.ebr:
            return sizes
    raise ValueError(f"the {device.name} has no room for an engine; take a larger board, or build the network itself")
