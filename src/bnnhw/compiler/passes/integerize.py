"""The whole way from a trained graph to an integer graph."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.errors import FoldError
from bnnhw.compiler.ir.answers import Answers, arrays_of, as_answers
from bnnhw.compiler.ir.graph import Graph, infer_types, random_feeds, trace, verify
from bnnhw.compiler.ir.types import FloatType

from . import (
    add_argmax,
    drop_identities,
    expose_sums,
    fold_batch_norm,
    fold_input_threshold,
    fold_output,
    own_floats,
    pool_sums_first,
    rearrange_last,
    separate_sums,
    threshold_before_pool,
)
from .rewrite import apply_floats, floats_before

Pass = Callable[[Graph], Graph]

SEPARATE: Sequence[Pass] = (drop_identities, rearrange_last, separate_sums, own_floats, pool_sums_first)
"""From layers to exact sums with float ops behind them."""
CHECK_SAMPLES, CHECK_ELEMENTS, CHECK_SEED = 64, 2**18, 0
"""The random inputs that passes are checked on, and their elements: fewer of large images, one at least."""
OUTPUTS: dict[str, Sequence[Pass]] = {"label": (add_argmax, expose_sums), "scores": (expose_sums,)}


def integerize(graph: Graph, *, output: Literal["label", "scores"] = "label", check: bool = False) -> Graph:
    """The integer graph of a trained one: equal to it for every input.

    Parameters
    ----------
    output
        "label": the arg max of an output's scores, ties to the lowest index; images stay images.
        "scores": the last layer's integer sums, before scale and batch norm, or bits and codes as they are.
    check
        Evaluate 64 seeded random inputs, fewer large ones, before and after every pass; raise FoldError with the pass
        and the value that it changed. Nodes that a pass has left alone are not evaluated again.
    """
    if output not in OUTPUTS:
        raise ValueError(f"output={output!r} must be one of {', '.join(map(repr, OUTPUTS))}")
    samples = min(CHECK_SAMPLES, max(1, CHECK_ELEMENTS // sum(value.type.size for value in graph.inputs)))
    values = trace(graph, random_feeds(graph, samples=samples, seed=CHECK_SEED)) if check else {}
    for run in (
        *SEPARATE,
        fold_input_threshold,
        *OUTPUTS[output],
        fold_batch_norm,
        threshold_before_pool,
        fold_output,
    ):
        before, graph = graph, verify(run(graph))
        if check:
            values = check_pass(run.__name__, before, graph, values)
    check_integer(graph)
    return graph


def check_integer(graph: Graph) -> None:
    """Raise FoldError, which names a layer that is to blame, unless all ops are integer ops of integers."""
    types = infer_types(graph)
    floats = {name for name, one in types.items() if isinstance(one.element, FloatType)}
    left = [node for node in graph.nodes if not node.op.INTEGER or (node.op.OBSTACLE and floats & {*node.inputs})]
    for node in sorted(left, key=lambda node: not node.op.OBSTACLE):
        if node.op.OBSTACLE:
            raise FoldError(f"layer {node.name!r} {node.op.OBSTACLE}")
        raise FoldError(
            f"layer {node.name!r} ({type(node.op).__name__}) has no integer form where it stands; put a layer with "
            "binary weights before it or a Sign or Quantise behind it, and factors of single channels before a Flatten"
        )


def scores_of_sums(graph: Graph, *, output: Literal["label", "scores"]) -> Callable[[Answers], Answers]:
    """The way from the integer graph's answers, such as its last sums, to the trained graph's float scores. Labels stay
    labels."""
    for run in SEPARATE:
        graph = run(graph)
    types = infer_types(graph)
    labels = [output == "label" and len(types[value].shape) == 1 for value in graph.outputs]
    tails = [
        () if label else floats_before(graph, value)[1] for value, label in zip(graph.outputs, labels, strict=True)
    ]
    return lambda answers: as_answers(
        [apply_floats(floats, one) for floats, one in zip(tails, arrays_of(answers), strict=True)]
    )


def check_pass(name: str, before: Graph, after: Graph, values: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The values of `after` on the inputs that `before` made `values` of. Raises FoldError if one that both graphs name
    differs between them.

    A node that both graphs have reads what it read before, as all values of the same names have proved equal, so it
    gives what it gave before.
    """
    result = {value.name: values[value.name] for value in after.inputs}
    same = {node.output: node for node in before.nodes}
    for node in after.nodes:
        old = values.get(node.output)
        if old is not None and node == same.get(node.output):
            result[node.output] = old
            continue
        new = result[node.output] = node.op.reference(*(result[value] for value in node.inputs))
        if old is not None and not np.array_equal(old, new, equal_nan=old.dtype.kind == "f"):
            sample = int(np.argwhere(old != new)[0][0])
            raise FoldError(f"pass {name} changed value {node.output!r}, first in sample {sample} of seed {CHECK_SEED}")
    return result
