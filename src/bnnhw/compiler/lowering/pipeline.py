"""What a core's units do, without their foldings: layers, and what makes answers of their values.

Tests: tests/compiler/lowering/test_pipeline.py
"""

from dataclasses import dataclass, replace
from functools import cached_property

from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.types import Element
from bnnhw.compiler.units.block import Block
from bnnhw.compiler.units.product.layer import MatrixLayer

from .output import Output


@dataclass(frozen=True, eq=False)
class Pipeline:
    """The units' work from the core's input to its outputs.

    Attributes
    ----------
    element
        The input's elements.
    input_shape
        (H, W, C); a vector is one pixel.
    blocks
        In an order in which each reads the core's input or blocks before it. Where the unit of a layer has no
        thresholds its weights are inverted, so that a greater sum is a greater value.
    outputs
        In the graph's order.
    """

    element: Element
    input_shape: tuple[int, int, int]
    blocks: tuple[Block, ...]
    outputs: tuple[Output, ...]

    @cached_property
    def layers(self) -> tuple[MatrixLayer, ...]:
        """The blocks that are products."""
        return tuple(block for block in self.blocks if isinstance(block, MatrixLayer))

    def at_clock(self, clock_hz: float) -> "Pipeline":
        """The same with units for a clock."""
        return replace(self, blocks=tuple(block.at_clock(clock_hz) for block in self.blocks))

    @property
    def is_chain(self) -> bool:
        """Whether each block reads the one before alone, and the output the last one."""
        values = [self.input, *(block.output for block in self.blocks)]
        inputs = [*(block.inputs for block in self.blocks), tuple(output.source for output in self.outputs)]
        return inputs == [(value,) for value in values]

    @property
    def input(self) -> str:
        """The graph's name of the core's input."""
        return self.blocks[0].inputs[0]

    @property
    def first_layer(self) -> MatrixLayer | None:
        """The layer that the core begins with, whose folding says how its input comes; None where steps come first."""
        first = self.blocks[0]
        return first if isinstance(first, MatrixLayer) else None

    def up_to(self, value: str) -> "Pipeline":
        """The blocks that it takes to make one of their values, without the outputs."""
        wanted, kept = {value}, []
        for block in reversed(self.blocks):
            if block.output in wanted:
                wanted |= set(block.inputs)
                kept.append(block)
        return replace(self, blocks=tuple(reversed(kept)), outputs=())

    def check_vectors(self, vectors: int) -> None:
        """Raise ScheduleError where the layers cannot work on so many frames in lockstep."""
        if vectors > 1 and any(layer.windows for layer in self.layers):
            raise ScheduleError(
                f"vectors={vectors} must be 1 where there are convolutions; give their foldings several pixels instead"
            )
        if vectors > 1 and self.first_layer is None:
            raise ScheduleError(f"vectors={vectors} must be 1 where a core does not begin with a layer of products")

    @property
    def weight_bits(self) -> int:
        """The weights of all layers, a bit each."""
        return sum(layer.weights.size for layer in self.layers)
