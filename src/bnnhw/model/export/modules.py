"""The torch network of a graph.

Tests: tests/model/export/test_loading.py
"""

from torch import nn

from bnnhw.compiler.ir.graph import Graph, infer_types
from bnnhw.model.layers.channels import ToChannelsFirst, ToChannelsLast
from bnnhw.model.registry import takes_channels_first, to_module

__all__ = ["network_of"]


def network_of(graph: Graph) -> nn.Sequential:
    """The graph's layers in torch, in eval mode: (N, *shape) raw integers as float32 -> (N, classes) scores.

    ValueError where the graph is no chain, or no layer computes an op of it.
    """
    modules: list[nn.Module] = []
    types = infer_types(graph)
    value, first = graph.inputs[0].name, False
    for node in graph.nodes:
        if node.inputs != (value,):
            raise ValueError(f"layer {node.name!r} takes {list(node.inputs)}; in a chain it takes {[value]}")
        shape = types[value].shape
        wanted = takes_channels_first(node.op, shape)
        if wanted is not None and wanted != first:
            modules.append(ToChannelsFirst() if wanted else ToChannelsLast())
            first = wanted
        modules.append(to_module(node.name, node.op, shape))
        value = node.output
    if graph.outputs != (value,):
        raise ValueError(f"gives out {list(graph.outputs)}; a chain gives out the last value, {[value]}")
    return nn.Sequential(*modules).eval()
