"""Tables in block RAM: those that are read at one index, side by side in the same words.

Tests: tests/hw/program/test_pipeline.py
Tests: tests/hw/program/test_area.py
"""

from collections.abc import Iterator
from dataclasses import dataclass

from bnnhw.hls.intervals import width_of
from bnnhw.hls.program import Instruction
from bnnhw.hls.scheduling.delays import is_block_table
from bnnhw.hls.scheduling.schedule import Schedule
from bnnhw.hw.targets import Fabric

__all__ = ["BlockTables", "block_tables_of", "entries_of"]


@dataclass(frozen=True)
class BlockTables:
    """Tables of these instructions, `widths` bits of each, read at the same time at the result of `index`."""

    index: int
    numbers: tuple[int, ...]
    widths: tuple[int, ...]
    entries: tuple[tuple[int, ...], ...]

    @property
    def depth(self) -> int:
        """Words of the block RAM."""
        return 1 << max(1, (max(map(len, self.entries)) - 1).bit_length())

    @property
    def width(self) -> int:
        """Bits of a word, the first table's lowest."""
        return sum(self.widths)

    def block_rams(self, fabric: Fabric) -> int:
        """How many it takes."""
        return fabric.block_rams(self.depth, self.width)

    def parts(self, fabric: Fabric) -> Iterator[tuple[int, int, list[int]]]:
        """Of each block RAM its first bit of the word, how many it has, and its words."""
        words = [0] * self.depth
        shift = 0
        for width, entries in zip(self.widths, self.entries, strict=True):
            for address, entry in enumerate(entries):
                words[address] |= (entry & (1 << width) - 1) << shift
            shift += width
        step = fabric.block_ram_width(self.depth)
        for start in range(0, self.width, step):
            bits = min(step, self.width - start)
            yield start, bits, [word >> start & (1 << bits) - 1 for word in words]


def block_tables_of(schedule: Schedule) -> list[BlockTables]:
    """A schedule's tables in block RAM."""
    alike: dict[tuple[int, int], list[int]] = {}
    instructions, spans = schedule.ranged.program.instructions, schedule.ranged.spans
    for number, each in enumerate(instructions):
        if is_block_table(each, spans[number]):
            alike.setdefault((each.args[0], schedule.stages[number]), []).append(number)
    return [
        BlockTables(
            index,
            tuple(numbers),
            tuple(width_of(spans[number]) for number in numbers),
            tuple(entries_of(instructions[number]) for number in numbers),
        )
        for (index, _), numbers in alike.items()
    ]


def entries_of(each: Instruction) -> tuple[int, ...]:
    """A table's."""
    assert isinstance(each.attribute, tuple)
    return each.attribute
