"""A user's own module as a graph of layers, by torch.fx.

Tests: tests/model/export/test_save_model.py
Tests: tests/model/export/test_branches.py
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.fx.passes.shape_prop import ShapeProp

from bnnhw.compiler.ir.graph import Node
from bnnhw.compiler.ir.ops import Flatten, HardTanh, Identity, InputThreshold, Op, Rearrangement, Selection, Sign
from bnnhw.model.errors import ExportError
from bnnhw.model.layers.layers import BinaryLayer
from bnnhw.model.registry import AlongAxis, InARow, Turn, calls, supported_modules, to_op, to_op_of_call

from .parameter_check import check_parameters
from .raster import Place, Raster, meet
from .unwrapping import first_line

__all__ = ["INPUT", "check_layers", "layers_called", "trace"]

INPUT = "input"
"""The name of the network's input as a value."""

_RESHAPING: Mapping[Any, str] = {
    torch.flatten: "flatten",
    "flatten": "flatten",
    "view": "flatten",
    "reshape": "flatten",
    torch.permute: "permute",
    "permute": "permute",
    "float": "float",
}
"""Functions, and methods by name, that change shapes or nothing, with what they are when their arguments allow."""

_INSTEAD: Mapping[tuple[str, ...], str] = {
    ("sign",): "torch.sign(0) is 0: use bnnhw.model.sign",
    ("softmax", "log_softmax"): "leave it out, as it keeps the order of the scores",
    ("truediv", "div", "mul", "sub"): "use the layer bnnhw.model.Affine",
    ("UpsamplingBilinear2d",): 'it aligns corners; use Upsample(scale_factor=2, mode="bilinear"), which does not',
}
"""What to use in the place of functions and layers that are not supported."""

_ROOMS_OF_LAYERS = ("bnnhw.model.layers.", "bnnhw.model.methods.")


class _Tracer(fx.Tracer):
    """Looks inside every module but torch's, our layers and those of methods."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        ours = isinstance(m, BinaryLayer) or type(m).__module__.startswith(_ROOMS_OF_LAYERS)
        return ours or type(m) in supported_modules() or super().is_leaf_module(m, module_qualified_name)


def trace(module: nn.Module) -> fx.GraphModule:
    """What `module`, in eval mode, calls, in order. ExportError where that depends on the input's values."""
    try:
        return fx.GraphModule(module, _Tracer().trace(module))
    except Exception as error:  # a forward that is run without values fails in its own way
        raise ExportError(
            f"{type(module).__name__}.forward cannot be traced ({first_line(error)}); "
            "export needs a forward that calls the same layers whatever the input's values are"
        ) from error


def check_layers(traced: fx.GraphModule) -> None:
    """ExportError or ValueError, which name the layer, unless all that `traced` calls are supported and sound."""
    for node in traced.graph.nodes:
        for name, module in _modules(traced, node).items():
            if type(module) not in supported_modules():
                kind = type(module).__name__
                raise ExportError(
                    f"layer {name!r} is a {kind}, which export does not support{_instead_of(kind)}; "
                    f"supported are {', '.join(each.__name__ for each in supported_modules())}"
                )
            check_parameters(name, module)
            to_op(name, module)


def layers_called(traced: fx.GraphModule, example: Tensor) -> tuple[tuple[Node, ...], tuple[Place, ...]]:
    """(the layers that `traced` calls on `example`, float32 (N, *shape), in order, as nodes from the value INPUT on;
    the places of the outputs).

    Layers that change nothing in eval mode (dropout, identity, a hard tanh after a sign) are left out. ExportError
    names the first layer or function that is not supported, by its dotted name.
    """
    with torch.no_grad():
        ShapeProp(traced).propagate(example)
    for node in traced.graph.nodes:
        if _changes_unseen(traced, node):
            raise ExportError(
                f"{_name_of(node)!r} changes a value in place, which export cannot follow; use what it returns instead"
            )
    traced.graph.eliminate_dead_code()
    layers: list[Node] = []
    places: dict[fx.Node, Place] = {}
    for node in traced.graph.nodes:
        if node.op == "placeholder":
            places[node] = Place(value=INPUT, shape=_shape(node)[1:], raster=Raster())
        elif node.op == "output":
            given = node.args[0] if isinstance(node.args[0], list | tuple) else [node.args[0]]
            if not given or any(one not in places for one in given):
                raise ExportError("forward must return a tensor that it computes, or a tuple of such, and nothing else")
            for one in given:
                places[one].raster.finish()
            return tuple(layers), tuple(places[one] for one in given)
        elif "tensor_meta" in node.meta:  # else it is arithmetic on shapes
            found = _ops(traced, node)
            inputs = [places[source] for source in _values_in(node)]
            for name, op in found:
                inputs = [_follow(name, op, inputs, _shape(node)[1:], layers)]
            (places[node],) = inputs
    raise AssertionError("fx ends each graph with its output")


def _follow(
    name: str, op: Op | AlongAxis | Turn, inputs: Sequence[Place], shape: tuple[int, ...], layers: list[Node]
) -> Place:
    """What the layer `name` makes, of that shape in the module, of `inputs`; it is appended to `layers` where graphs
    have it."""
    joins = isinstance(op, AlongAxis) or (isinstance(op, Op) and op.ARITY != 1)
    if joins != (len(inputs) > 1):
        values = "several values of the network" if joins else "one value of the network"
        raise ExportError(f"layer {name!r} takes {values}, not {len(inputs)}")
    if joins:
        assert not isinstance(op, Turn)
        own, raster = meet(name, op, inputs)
    else:
        assert not isinstance(op, AlongAxis)
        own, raster = inputs[0].raster.follow(name, op, inputs[0].shape)
    are_signs = all(one.is_sign for one in inputs)
    if own is None or isinstance(own, Identity) or (isinstance(own, HardTanh) and are_signs):
        return replace(inputs[0], shape=shape, raster=raster)
    value = _own_name(name, layers)
    layers.append(Node(value, own, tuple(one.value for one in inputs), value))
    is_sign = isinstance(own, Sign | InputThreshold) or (are_signs and isinstance(own, Rearrangement | Selection))
    return Place(value=value, shape=shape, raster=raster, is_sign=is_sign)


def _modules(traced: fx.GraphModule, node: fx.Node) -> Mapping[str, nn.Module]:
    """The module that `node` calls, by its name, behind its activation where it has one of its own; none of them where
    it calls a function."""
    if node.op != "call_module":
        return {}
    name, module = str(node.target), traced.get_submodule(str(node.target))
    inner = getattr(module, "activation", None)
    return {name: module} if inner is None else {f"{name}.activation": inner, name: module}


def _ops(traced: fx.GraphModule, node: fx.Node) -> tuple[tuple[str, Op | AlongAxis | Turn], ...]:
    """The name and the op of the layer that `node` stands for, behind its activation, which keeps the shape."""
    modules = _modules(traced, node)
    return tuple(op for name, module in modules.items() for op in _named(name, to_op(name, module))) or (
        _function(node),
    )


def _named(name: str, op: Op | AlongAxis | Turn | InARow) -> Iterator[tuple[str, Op | AlongAxis | Turn]]:
    """A layer's ops, each with its name."""
    if isinstance(op, InARow):
        yield from ((f"{name}.{part}".rstrip("."), each) for part, each in op.ops.items())
    else:
        yield name, op


def _changes_unseen(traced: fx.GraphModule, node: fx.Node) -> bool:
    """Whether `node` changes a value that others read, with a result that nobody reads."""
    if node.users or node.op in ("placeholder", "output"):
        return False
    if _name_of(node) in ("setitem", "__setitem__"):
        return True
    if "tensor_meta" not in node.meta:
        return False
    if node.op == "call_module":
        return getattr(traced.get_submodule(str(node.target)), "inplace", False)
    augmented = getattr(node.target, "__module__", "") == "_operator"  # y += 1 reaches the trace as y + 1
    return augmented or _name_of(node).endswith("_") or bool(node.kwargs.get("inplace")) or "out" in node.kwargs


def _name_of(node: fx.Node) -> str:
    """The function's or method's own name."""
    return node.target if isinstance(node.target, str) else getattr(node.target, "__name__", str(node.target))


def _function(node: fx.Node) -> tuple[str, Op | AlongAxis | Turn]:
    """The name and the op of a function or method that stands for a layer."""
    caller = next(reversed(node.meta.get("nn_module_stack", {"": None})))
    function = _name_of(node)
    name = f"{caller}.{function}".lstrip(".")
    if node.op in ("call_function", "call_method"):
        if (op := to_op_of_call(name, node.target, _options(node))) is not None:
            return name, op
        if (change := _RESHAPING.get(node.target)) is not None:
            return name, _reshaping(name, change, node)
    raise ExportError(
        f"{name!r} is not supported by export{_instead_of(function)}; besides layers it takes "
        f"flatten, view, reshape, permute, {', '.join(calls())}"
    )


def _instead_of(kind: str) -> str:
    """What a message of a function or a layer goes on with."""
    return "".join(f"; {hint}" for kinds, hint in _INSTEAD.items() if kind in kinds)


def _reshaping(name: str, change: str, node: fx.Node) -> Op | Turn:
    if change == "permute":
        return _permutation(name, _options(node))
    shape, before = _shape(node), _shape(node.all_input_nodes[0])
    if change == "float" or shape == before:
        return Identity()
    if len(shape) != 2 or shape[0] != before[0]:
        raise ValueError(f"{name!r} makes shape {shape}; only (N, features) out of (N, ...) is supported")
    return Flatten()


def _permutation(name: str, axes: tuple[Any, ...]) -> Turn:
    """A permutation of axes, given one by one or in one sequence."""
    orders = {(0, 3, 1, 2): Turn(first=True), (0, 2, 3, 1): Turn(first=False)}
    given = tuple(axes[0]) if len(axes) == 1 else axes
    if given not in orders:
        raise ValueError(f"{name!r} orders the axes {given}; only {' and '.join(map(str, orders))} are supported")
    return orders[given]


def _shape(node: fx.Node) -> tuple[int, ...]:
    return tuple(node.meta["tensor_meta"].shape)


def _values_in(node: fx.Node) -> tuple[fx.Node, ...]:
    """The values that a call takes, in order, one that it takes twice twice."""
    found: list[fx.Node] = []
    fx.map_arg((node.args, node.kwargs), found.append)
    return tuple(source for source in found if "tensor_meta" in source.meta)


def _options(node: fx.Node) -> tuple[Any, ...]:
    """The arguments of a call besides its first, in the order given, `inplace` left out; `Tensor` for each value."""
    given = (*node.args[1:], *(value for name, value in node.kwargs.items() if name != "inplace"))
    return fx.map_arg(given, _or_tensor)


def _or_tensor(source: fx.Node) -> Any:
    """The class `Tensor` for a value of the network; `source` itself where it is arithmetic on shapes."""
    return Tensor if "tensor_meta" in source.meta else source


def _own_name(name: str, layers: Sequence[Node]) -> str:
    """`name`, or `name#2` and so on where a module is called more than once."""
    taken = {INPUT, *(layer.name for layer in layers)}
    calls = (name if n == 1 else f"{name}#{n}" for n in count(1))
    return next(call for call in calls if call not in taken)
