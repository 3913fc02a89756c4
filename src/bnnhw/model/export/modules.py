"""The torch network of a graph.

Tests: tests/model/export/test_loading.py
Tests: tests/model/export/test_branches.py
"""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from bnnhw.compiler.ir.graph import Graph, infer_types
from bnnhw.model.layers.channels import ToChannelsFirst, ToChannelsLast
from bnnhw.model.registry import takes_channels_first, to_module

__all__ = ["GraphNetwork", "network_of"]

_Value = tuple[str, bool]
"""A value's name, and whether its images are channels first."""


@dataclass(frozen=True, eq=False)
class _Step:
    """`output = module(*inputs)`."""

    module: nn.Module
    inputs: tuple[_Value, ...]
    output: _Value


class GraphNetwork(nn.Module):
    """Layers that read what any layers before them gave: in order, each value kept until its last reader."""

    def __init__(self, input: _Value, steps: Sequence[_Step]):
        super().__init__()
        self.layers = nn.ModuleList(step.module for step in steps)
        self.input = input
        self.values = [(step.inputs, step.output) for step in steps]
        last_reader = {value: place for place, step in enumerate(steps) for value in step.inputs}
        self.done = [[value for value in last_reader if last_reader[value] == place] for place in range(len(steps))]

    def forward(self, x: Tensor) -> Tensor:
        values = {self.input: x}
        for layer, (inputs, output), done in zip(self.layers, self.values, self.done, strict=True):
            x = values[output] = layer(*(values[value] for value in inputs))
            for value in done:
                del values[value]
        return x


def network_of(graph: Graph) -> nn.Sequential | GraphNetwork:
    """The graph's layers in torch, in eval mode: (N, *shape) raw integers as float32 -> (N, classes) scores.

    A chain is a Sequential. ValueError where no layer computes an op of the graph, or the output is not its last value.
    """
    if graph.outputs != (graph.nodes[-1].output,):
        raise ValueError(
            f"gives out {list(graph.outputs)}; it must give out the last value, {graph.nodes[-1].output!r}"
        )
    steps = steps_of(graph)
    if graph.off_chain() is None:
        return nn.Sequential(*(step.module for step in steps)).eval()
    return GraphNetwork((graph.inputs[0].name, False), steps).eval()


def steps_of(graph: Graph) -> list[_Step]:
    """The graph's layers, and the turns of images between them, each value turned once."""
    types, steps = infer_types(graph), list[_Step]()
    made: dict[str, _Value] = {graph.inputs[0].name: (graph.inputs[0].name, False)}
    turned: set[_Value] = set()
    for node in graph.nodes:
        shape = types[node.inputs[0]].shape
        wanted = takes_channels_first(node.op, shape)
        first = made[node.inputs[0]][1] if wanted is None else wanted
        for value in node.inputs:
            if made[value][1] != first and (value, first) not in turned:
                turn = ToChannelsFirst() if first else ToChannelsLast()
                steps.append(_Step(turn, (made[value],), (value, first)))
                turned.add((value, first))
        made[node.output] = (node.output, first)
        inputs = tuple((value, first) for value in node.inputs)
        steps.append(_Step(to_module(node.name, node.op, shape), inputs, made[node.output]))
    return steps
