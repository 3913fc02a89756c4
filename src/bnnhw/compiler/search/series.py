"""A pipeline as a series: layers, and branches that part at a fork and meet again at a join, each a series of its own.

Tests: tests/compiler/search/test_series.py
"""

from collections import Counter
from dataclasses import dataclass

from bnnhw.compiler.lowering.pipeline import Pipeline
from bnnhw.compiler.units.block import Block
from bnnhw.compiler.units.join.join import Join
from bnnhw.compiler.units.product.layer import MatrixLayer


@dataclass(frozen=True)
class Fork:
    """Several read the stream."""

    readers: int


@dataclass(frozen=True)
class Parallel:
    """Branches that read the same stream and meet at a join, in the order of its inputs; or the only way to it."""

    branches: "tuple[Series, ...]"
    join: Join


Series = tuple[MatrixLayer | Fork | Parallel, ...]

DEEPEST = 2
"""Forks within forks: each multiplies the ways that a search goes by the streams at it."""


class NotSeriesError(ValueError):
    """A pipeline is not series-parallel, or too deeply so."""


def series_of(pipeline: Pipeline) -> Series:
    """The series from the input to the output. Raises NotSeriesError where there is none.

    A join's branches part at its dominator, the last value that all ways to it go through. Each goes from there to the
    join and has nothing in common with the others; otherwise, and where there are several outputs, there is no series.
    Nor is one with more forks within forks than `DEEPEST`, as in a U-Net, worth to be searched as such.
    """
    output, *others = pipeline.outputs
    if others:
        raise NotSeriesError("several outputs")
    builder = _Builder(pipeline)
    series = builder.series(pipeline.input, output.source)
    if (found := depth(series)) > DEEPEST:
        raise NotSeriesError(f"{found} forks, one within the other")
    readers = builder.readers[pipeline.input]
    return series if readers == 1 else (Fork(readers), *series)


def depth(series: Series) -> int:
    """How many joins lie within each other."""
    branches = (branch for each in series if isinstance(each, Parallel) for branch in each.branches)
    within = [depth(branch) for branch in branches]
    return 1 + max(within) if within else 0


class _Builder:
    """Takes each block once."""

    def __init__(self, pipeline: Pipeline):
        self.readers = Counter(value for block in pipeline.blocks for value in block.inputs)
        self.makers: dict[str, Block] = {block.output: block for block in pipeline.blocks}
        self.dominators: dict[str, list[str]] = {pipeline.input: [pipeline.input]}  # of a value, itself included
        for block in pipeline.blocks:
            self.dominators[block.output] = [*self.common(block), block.output]

    def common(self, block: Block) -> list[str]:
        """The values that all ways to a block go through, in order."""
        ways = zip(*(self.dominators[value] for value in block.inputs), strict=False)
        return [values[0] for values in ways if len(set(values)) == 1]

    def series(self, begin: str, end: str) -> Series:
        """The blocks from a value to another."""
        elements: list[MatrixLayer | Fork | Parallel] = []
        while end != begin:
            if self.readers[end] > 1:
                elements.append(Fork(self.readers[end]))
            if (block := self.makers.pop(end, None)) is None:
                raise NotSeriesError(f"more than one way from {end!r}")
            end = self.common(block)[-1]
            if isinstance(block, Join):
                elements.append(Parallel(tuple(self.series(end, value) for value in block.inputs), block))
            else:
                assert isinstance(block, MatrixLayer)
                elements.append(block)
        return tuple(reversed(elements))
