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

    def __init__(self, input: _Value, steps: Sequence[_Step], outputs: Sequence[_Value]):
        super().__init__()
        self.layers = nn.ModuleList(step.module for step in steps)
        self.input, self.outputs = input, tuple(outputs)
        self.values = [(step.inputs, step.output) for step in steps]
        last_reader = {value: place for place, step in enumerate(steps) for value in step.inputs}
        last_reader |= dict.fromkeys(self.outputs, len(steps))
        self.done = [[value for value in last_reader if last_reader[value] == place] for place in range(len(steps))]

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        values = {self.input: x}
        for layer, (inputs, output), done in zip(self.layers, self.values, self.done, strict=True):
            values[output] = layer(*(values[value] for value in inputs))
            for value in done:
                del values[value]
        first, *others = (values[value] for value in self.outputs)
        return (first, *others) if others else first


def network_of(graph: Graph) -> nn.Sequential | GraphNetwork:
    """The graph's layers in torch, in eval mode: (N, *shape) raw integers as float32 -> (N, classes) scores, or images
    (N, H, W, C); a tuple where there are several outputs.

    A chain is a Sequential. ValueError where no layer computes an op of the graph.
    """
    steps = steps_of(graph)
    if graph.off_chain() is None and graph.outputs == (graph.nodes[-1].output,):
        return nn.Sequential(*(step.module for step in steps)).eval()
    outputs = [(value, False) for value in graph.outputs]
    return GraphNetwork((graph.inputs[0].name, False), steps, outputs).eval()


def steps_of(graph: Graph) -> list[_Step]:
    """The graph's layers, and the turns of images between them and behind them, each value turned once; images come out
    channels last, as they came in."""
    types, steps = infer_types(graph), list[_Step]()
    made: dict[str, _Value] = {graph.inputs[0].name: (graph.inputs[0].name, False)}
    turned: set[_Value] = set()

    def turn(value: str, first: bool) -> None:
        if made[value][1] != first and (value, first) not in turned:
            module = ToChannelsFirst() if first else ToChannelsLast()
            steps.append(_Step(module, (made[value],), (value, first)))
            turned.add((value, first))

    for node in graph.nodes:
        shape = types[node.inputs[0]].shape
        wanted = takes_channels_first(node.op, shape)
        first = made[node.inputs[0]][1] if wanted is None else wanted
        for value in node.inputs:
            turn(value, first)
        made[node.output] = (node.output, first and len(types[node.output].shape) == 3)
        inputs = tuple((value, first) for value in node.inputs)
        steps.append(_Step(to_module(node.name, node.op, shape), inputs, made[node.output]))
    for value in graph.outputs:
        turn(value, False)
    return steps
