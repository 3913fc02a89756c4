"""From a node of several inputs, or a value with steps of its own, to a join.

Tests: tests/graphs/test_graphs_in_hardware.py
"""

from collections.abc import Mapping

from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.types import TensorType
from bnnhw.compiler.units.block import Block
from bnnhw.compiler.units.codes import Codes, element_of
from bnnhw.compiler.units.join.join import Join, meeting_of

from .build_steps import steps_behind
from .segments import Segment


def build_join(segment: Segment, blocks: Mapping[str, Block], types: Mapping[str, TensorType]) -> Join:
    """The join of the segment's inputs, with the steps behind it. Raises ScheduleError, which names the node, where one
    has no hardware."""
    codes = [codes_of(value, blocks, types) for value in segment.inputs]
    node, before, meeting = segment.first, ((),), None
    after = codes[0]
    if node is not None:
        if [types[value].shape for value in node.inputs] != [types[value].shape for value in segment.inputs]:
            raise ScheduleError(
                f"node {node.name!r} ({type(node.op).__name__}) joins flattened images, which have no hardware; join "
                "them before they are flattened"
            )
        try:
            met = meeting_of(node.op, codes, [types[value] for value in node.inputs], types[node.output])
        except (TypeError, ValueError) as error:
            raise ScheduleError(f"node {node.name!r}: {error}") from error
        before, meeting, after = met.before, met.meeting, met.codes
    steps, after = steps_behind(segment.rest, after, types)
    return Join(
        name=segment.name,
        inputs=segment.inputs,
        before=before,
        meeting=meeting,
        behind=tuple(steps),
        output=segment.output,
        output_shape=types[segment.output].shape,
        codes=after,
    )


def codes_of(value: str, blocks: Mapping[str, Block], types: Mapping[str, TensorType]) -> Codes:
    """What a block's output, or the core's input, is carried as."""
    if value in blocks:
        return blocks[value].codes
    return Codes.of(element_of(types[value]), types[value].shape[-1])
