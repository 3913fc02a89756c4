"""What a network's layers cost, and the integer graph that hardware is made from.

Tests: tests/api/test_examples.py
"""

from dataclasses import dataclass, replace
from pathlib import Path

from bnnhw.compiler.errors import TorchOnlyError
from bnnhw.compiler.frontends.model_file import load as load_graph
from bnnhw.compiler.ir.graph import Graph
from bnnhw.compiler.ir.ops import BinaryLayer
from bnnhw.compiler.passes.integerize import integerize
from bnnhw.compiler.report.inspect import NetworkSummary, summarize_network
from bnnhw.model.export.loading import input_of, load, read
from bnnhw.model.report.summary import Cost, summarize

__all__ = ["Inspection", "inspect"]


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """costs: of the layers with weights. summary: of the graph; None where the network has none yet, and `obstacle`
    says why."""

    costs: tuple[Cost, ...]
    summary: NetworkSummary | None
    obstacle: str | None


def inspect(model: str | Path, *, trained: bool = False) -> Inspection:
    """The network layer by layer: what its layers cost, and the integer graph that hardware is made from.

    >>> import bnnhw
    >>> inspection = bnnhw.inspect("model.pt")
    >>> [layer.op for layer in inspection.summary.layers if layer.weights]
    ['MatMul', 'MatMul']

    Parameters
    ----------
    model : path
        A model.pt, or the file of a network that torch alone evaluates.
    trained : bool
        The graph as it was trained, not as integers.

    Raises
    ------
    ValueError
        Where the file is no model.
    """
    summary, obstacle = None, None
    try:
        graph = load_graph(Path(model))
        summary = summarize_network(graph if trained else integerize(graph))
    except TorchOnlyError as error:
        obstacle = str(error)
    return Inspection(costs=costs_of(Path(model)), summary=summary, obstacle=obstacle)


def costs_of(model: Path) -> tuple[Cost, ...]:
    """The costs of the layers with weights, by the names of the file."""
    file = read(model)
    shape, lo, hi = input_of(file)
    costs = summarize(load(model), shape, input_bits=max(1, (hi - lo).bit_length()))
    if isinstance(file, Graph):  # its module numbers the layers
        names = [node.name for node in file.nodes if isinstance(node.op, BinaryLayer)]
        costs = tuple(replace(cost, name=name) for cost, name in zip(costs, names, strict=True))
    return costs
