"""What a core gives for an output of its graph.

Tests: tests/compiler/lowering/test_pipeline.py
Tests: tests/test_images_out.py
"""

from dataclasses import dataclass, replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.graph import Graph
from bnnhw.compiler.ir.ops import ArgMax, ScoreTable
from bnnhw.compiler.units.block import Block
from bnnhw.compiler.units.codes import Codes

__all__ = ["Ending", "Output", "endings_of", "output_of"]


@dataclass(frozen=True, eq=False)
class Output:
    """The way from the values of a block to an answer: perhaps a table of scores, perhaps the label.

    Attributes
    ----------
    name, shape
        The graph's value, and its shape: () of a label.
    source
        The block's value.
    elements
        Elements of a frame: 1 for a label, else those of the block.
    table
        (classes, entries) int64: the score of a class by the block's code. None where the code is the score.
    label
        Whether the arg max of the scores is the output, or the values.
    offsets, scale, greatest_code
        The block's values are offsets (classes,) + scale*codes.
    """

    name: str
    shape: tuple[int, ...]
    source: str
    elements: int
    table: NDArray[np.int64] | None
    label: bool
    offsets: NDArray[np.int64]
    scale: int
    greatest_code: int

    @property
    def classes(self) -> int:
        """Channels of the block, or elements where all of them have one label."""
        return len(self.offsets)

    @property
    def greatest_score(self) -> int:
        """The greatest code of a score; the least is 0."""
        return int(self.greatest_code if self.table is None else self.table.max())

    @property
    def score_width(self) -> int:
        """Bits of a score, unsigned."""
        return max(1, self.greatest_score.bit_length())

    @property
    def greatest(self) -> int:
        """The greatest element that the core gives: a label, or a code."""
        return self.classes - 1 if self.label else self.greatest_score

    @property
    def width(self) -> int:
        """Bits of an element that the core gives."""
        return max(1, self.greatest.bit_length())

    def values(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """The answers (N, *shape) that the core's elements (N, elements) mean."""
        return self._by_channel(codes, lambda each: self.offsets + self.scale * each).reshape(-1, *self.shape)

    def codes(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """The inverse of `values`."""
        return self._by_channel(values, lambda each: (each - self.offsets) // self.scale).reshape(-1, self.elements)

    def _by_channel(self, elements: NDArray[np.int64], change) -> NDArray[np.int64]:
        return elements if self.label else change(elements.reshape(len(elements), -1, self.classes))


@dataclass(frozen=True)
class Ending:
    """What stands between a value that a block can make and an output of the graph."""

    name: str
    source: str
    ranks: ScoreTable | None = None
    label: bool = False


def endings_of(graph: Graph) -> tuple[Graph, tuple[Ending, ...]]:
    """The graph without its labels and tables of scores, and what it has of these."""
    endings: list[Ending] = []
    dropped: set[str] = set()
    for output in graph.outputs:
        ending = Ending(output, output)
        if (node := graph.producer(output)) is not None and isinstance(node.op, ArgMax):
            ending = replace(ending, source=node.inputs[0], label=True)
            dropped.add(node.name)
            before = graph.producer(ending.source)
            if before is not None and isinstance(before.op, ScoreTable):
                ending = replace(ending, source=before.inputs[0], ranks=before.op)
                dropped.add(before.name)
        endings.append(ending)
    nodes = tuple(node for node in graph.nodes if node.name not in dropped)
    return replace(graph, nodes=nodes, outputs=tuple(ending.source for ending in endings)), tuple(endings)


def output_of(ending: Ending, shape: tuple[int, ...], block: Block) -> Output:
    """The output, of this shape, that ends so behind a block. The label of a flattened image is one of all its
    elements."""
    size, codes = prod(block.output_shape), block.codes
    offsets = codes.offsets[0, 0]
    if ending.label:
        offsets = np.tile(offsets, size // codes.channels)
    return Output(
        name=ending.name,
        shape=shape,
        source=block.output,
        elements=1 if ending.label else size,
        table=None if ending.ranks is None else score_table(ending.ranks, offsets, codes),
        label=ending.label,
        offsets=offsets,
        scale=codes.scale,
        greatest_code=codes.greatest,
    )


def score_table(ranks: ScoreTable, offsets: NDArray[np.int64], codes: Codes) -> NDArray[np.int64]:
    """The table (classes, entries) of a class's rank by the block's code. Codes that no input reaches have 0."""
    dots = offsets[:, None] + codes.scale * np.arange(codes.greatest + 1)
    index = (dots - ranks.lows[:, None]) // ranks.step
    inside = (index >= 0) & (index < ranks.table.shape[1])
    picked = np.take_along_axis(ranks.table, np.clip(index, 0, ranks.table.shape[1] - 1), axis=1)
    return np.where(inside, picked, 0)
