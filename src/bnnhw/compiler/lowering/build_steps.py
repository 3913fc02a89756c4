"""From the nodes behind a product to the steps behind its matrix unit.

Tests: tests/compiler/lowering/test_pipeline.py
"""

from collections.abc import Mapping, Sequence

from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.graph import Node
from bnnhw.compiler.ir.ops import Op
from bnnhw.compiler.ir.types import TensorType
from bnnhw.compiler.units.codes import Codes
from bnnhw.compiler.units.inversion import merge_inversions
from bnnhw.compiler.units.step import Step, steps_of


def steps_behind(nodes: Sequence[Node], codes: Codes, types: Mapping[str, TensorType]) -> tuple[list[Step], Codes]:
    """The steps of the nodes behind a layer's sums, whose codes are given, and the codes behind them.

    Raises ScheduleError, which names the node, where one has no hardware.
    """
    steps: list[Step] = []
    for node in nodes:
        if not has_steps(node.op):
            raise ScheduleError(
                f"node {node.name!r} ({type(node.op).__name__}) has no hardware; binary layers with thresholds and "
                "poolings have. `bnnhw eval` and `bnnhw verify --through packed` take this network"
            )
        try:
            more, codes = steps_of(node.op, codes, types[node.inputs[0]], types[node.output])
        except ValueError as error:
            raise ScheduleError(f"node {node.name!r}: {error}") from error
        steps += [step.named(node.name) for step in more]
    return merge_inversions(steps), codes


def has_steps(op: Op) -> bool:
    """Whether a unit is registered for the op."""
    return steps_of.dispatch(type(op)) is not steps_of.dispatch(object)
