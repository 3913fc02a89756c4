"""torch's functions in a forward as the layers that do the same.

Tests: tests/model/fixed_point/test_functions.py
"""

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional

from bnnhw.model.errors import ExportError

__all__ = ["functions_as_layers", "path_of"]


def functions_as_layers(traced: fx.GraphModule) -> None:
    """relu(x)  ->  the layer `relu`, a ReLU: activations, clippings and poolings that are called as functions of x, or
    as its methods, become layers, each by the name of the function behind that of the module that calls it.

    ExportError names a function whose arguments no layer has.
    """
    for node in list(traced.graph.nodes):
        if node.op in ("call_function", "call_method") and node.target in _LAYERS:
            name = free_name(traced, path_of(node))
            traced.add_submodule(name, _layer(traced, node, name))
            with traced.graph.inserting_before(node):
                layer = traced.graph.call_module(name, (node.args[0] if node.args else node.kwargs["input"],))
            node.replace_all_uses_with(layer)
            traced.graph.erase_node(node)


def _layer(traced: fx.GraphModule, node: fx.Node, name: str) -> nn.Module:
    named = {key: value for key, value in node.kwargs.items() if key not in ("input", "inplace", "return_indices")}
    given = fx.map_arg((node.args[1:], named), lambda source: _parameter(traced, source, name))
    return _LAYERS[node.target](*given[0], **given[1])


def _parameter(traced: fx.GraphModule, source: fx.Node, name: str) -> Any:
    if source.op != "get_attr":
        raise ExportError(f"layer {name!r} is given a computed value, {source.name!r}; fixed point takes parameters")
    owner, _, attribute = str(source.target).rpartition(".")
    return getattr(traced.get_submodule(owner), attribute)


def path_of(node: fx.Node) -> str:
    """A layer's dotted name; a function's, behind that of the module that calls it."""
    if node.op == "call_module":
        return str(node.target)
    caller = next(reversed(node.meta.get("nn_module_stack", {"": None})))
    function = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", str(node.target))
    return f"{caller}.{'max_pool2d' if node.target is functional.max_pool2d else function}".lstrip(".")


def free_name(traced: fx.GraphModule, path: str, behind: str = "") -> str:
    """`path`, and what stands `behind` it, with a number between where that is taken."""
    taken = {name for name, _ in traced.named_modules()} | {name for name, _ in traced.named_parameters()}
    names = (f"{path}{behind}" if number == 1 else f"{path}_{number}{behind}" for number in count(1))
    return next(name for name in names if name not in taken)


def _prelu(weight: nn.Parameter) -> nn.PReLU:
    layer = nn.PReLU(weight.numel())
    layer.weight = weight
    return layer


def _clamp(min: float | None = None, max: float | None = None) -> nn.Module:
    least, most = (-torch.inf if min is None else min), (torch.inf if max is None else max)
    return nn.Hardtanh(least, most)


def _upsample(*options: Any, antialias: bool = False, **named: Any) -> nn.Module:
    """`antialias` changes nothing where images become larger."""
    return nn.Upsample(*options, **named)


_LAYERS: Mapping[Any, Callable[..., nn.Module]] = {
    **dict.fromkeys((functional.relu, functional.relu_, torch.relu, "relu", "relu_"), nn.ReLU),
    functional.relu6: nn.ReLU6,
    **dict.fromkeys((functional.hardtanh, functional.hardtanh_), nn.Hardtanh),
    **dict.fromkeys((torch.clamp, torch.clip, "clamp", "clip"), _clamp),
    **dict.fromkeys((functional.leaky_relu, functional.leaky_relu_), nn.LeakyReLU),
    **dict.fromkeys((functional.prelu, torch.prelu, "prelu"), _prelu),
    functional.avg_pool2d: nn.AvgPool2d,
    functional.adaptive_avg_pool2d: nn.AdaptiveAvgPool2d,
    functional.max_pool2d: nn.MaxPool2d,
    functional.interpolate: _upsample,
}
"""By the function, or a method's name, the layer of the arguments behind the first one."""
