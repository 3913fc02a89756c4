"""The trained layers of a graph in the layers of a network that is to be trained, by name.

A graph holds signs and integers, batch norms, and lines of integers in their place. What was trained to make these,
latent weights and statistics, is gone; layers get such of them as make the same.

Tests: tests/model/training/test_starting.py
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bnnhw.compiler.ir import ops
from bnnhw.compiler.ir.graph import Graph, Node
from bnnhw.model.layers.affine import TensorNorm
from bnnhw.model.layers.fixed_point import FixedPoint
from bnnhw.model.layers.layers import BinaryLayer
from bnnhw.model.layers.requantised import Requantised
from bnnhw.model.layers.requantised_prelu import RequantisedPReLU
from bnnhw.model.layers.shifts import RPReLU, Shift
from bnnhw.model.registry import tensor_of

__all__ = ["take_layers"]

_LEAST = 1e-12  # a weight of 0 would be +1

Norm = nn.BatchNorm1d | nn.BatchNorm2d | nn.SyncBatchNorm


@torch.no_grad()
def take_layers(network: nn.Module, graph: Graph, images: Tensor) -> list[str]:
    """Give the layers of `network` what those of the same names have in `graph`, and return the names of those that
    took it. `images`, raw integers that the network takes, are what batch norms behind lines of integers measure their
    statistics on."""
    nodes = {node.name: node.op for node in graph.nodes}
    norm_of = {_product_of(graph, node): node.name for node in graph.nodes if isinstance(node.op, ops.BatchNorm)}
    taken, lines, rescaled = list[str](), dict[Requantised, ops.Requantise](), dict[str, Tensor]()
    for name, module in network.named_modules():
        op = nodes.get(name)
        if isinstance(module, Requantised) and isinstance(op, ops.Requantise):
            inner = nodes.get(f"{name}.layer")
            if _fits(module, op) and (module.layer is None or _take_weights(module.layer, inner)):
                lines[module] = op
                _take_exponent(module.fixed, op)
                taken.append(name)
        elif op is not None and not name.endswith(".layer") and _take(module, op):
            taken.append(name)
            if isinstance(module, BinaryLayer) and isinstance(op, ops.BinaryLayer):
                rescaled[norm_of.get(name, "")] = _ratio(module, op)
            elif isinstance(module, Norm) and name in rescaled:
                _follow(module, rescaled[name])
    _take_lines(network.eval(), lines, images)
    return taken


def _take(module: nn.Module, op: ops.Op) -> bool:
    """Whether `module` took what `op` is."""
    match module, op:
        case BinaryLayer(), ops.BinaryLayer():
            return _take_weights(module, op)
        case ((nn.BatchNorm1d() | nn.BatchNorm2d() | nn.SyncBatchNorm()), ops.BatchNorm()):
            values = {"running_mean": op.mean, "running_var": op.variance, "weight": op.weight, "bias": op.bias}
            return _copy(module, values)
        case TensorNorm(), ops.Affine() if op.weight is not None and op.bias is not None:
            ones = np.ones(1, np.float32)
            values = {"weight": op.weight, "bias": op.bias, "running_mean": 0 * ones, "running_var": ones - module.eps}
            return _copy(module, values)
        case Shift(), ops.BatchNorm():
            return _copy(module, {"bias": op.bias})
        case FixedPoint(), ops.Requantise():
            _take_exponent(module, op)
            return True
        case RequantisedPReLU(), ops.RequantisePRelu():
            return _take_bend(module, op)
    return False


def _take_weights(layer: BinaryLayer, op: Any) -> bool:
    """The signs or integers of a layer, with the magnitudes of its fresh weights; and its factors, where it has any."""
    if not isinstance(op, ops.BinaryLinear | ops.BinaryConv2d):
        return False
    axes = (0, 3, 1, 2) if isinstance(op, ops.BinaryConv2d) else (0, 1)
    values = torch.from_numpy(np.ascontiguousarray(op.weights.transpose(axes))).to(layer.weight)
    if values.shape != layer.weight.shape or layer.quantiser.integers == op.product.is_binary:
        return False
    fresh = layer.weight.abs().clamp_min(_LEAST)
    mean = fresh.flatten(1).mean(1).view(-1, *(1,) * (fresh.ndim - 1))
    step = mean / values.abs().amax().clamp_min(1)
    # The latter of methods that take the mean off first, or have one step a layer, of weights where tanh is a line.
    for magnitude in (step, step.mean() / 16) if layer.quantiser.integers else (fresh, mean):
        layer.weight.copy_(values * magnitude)
        if torch.equal(layer.quantised().values, values):
            break
    else:
        return False
    if layer.bias is not None and op.bias is not None:
        layer.bias.copy_(tensor_of(op.bias))
    if op.scale is not None:
        _rescale(layer, tensor_of(op.scale).double())
    return True


def _rescale(layer: BinaryLayer, wanted: Tensor) -> None:
    """Make the factors of a layer's channels these, where it has positive factors of its own."""
    scale = layer.quantised().scale
    if scale is None:
        return
    factor = (wanted / scale.double()).clamp_min(_LEAST).float()
    if layer.scale is not None:
        layer.scale.mul_(factor)
    else:
        layer.weight.mul_(factor.view(-1, *(1,) * (layer.weight.ndim - 1)))


def _product_of(graph: Graph, norm: Node) -> str:
    """The layer whose sums a norm reads, perhaps behind poolings; else what it reads."""
    node = graph.producer(norm.inputs[0])
    while node is not None and node.op.ARITY == 1 and not isinstance(node.op, ops.BinaryLayer):
        node = graph.producer(node.inputs[0])
    return norm.inputs[0] if node is None else node.name


def _ratio(layer: BinaryLayer, op: ops.BinaryLayer) -> Tensor:
    """By how much the factors of its channels, of methods that make them of standardised weights, differ from the
    op's."""
    own, theirs = layer.quantised().scale, op.scale
    ones = torch.ones(1)
    return (ones if own is None else own) / (ones if theirs is None else tensor_of(theirs))


def _follow(norm: Any, ratio: Tensor) -> None:
    """A norm of values that have become larger by these factors gives what it gave."""
    if norm.running_mean is not None and norm.running_var is not None:
        norm.running_mean.mul_(ratio)
        norm.running_var.add_(norm.eps).mul_(ratio.square()).sub_(norm.eps).clamp_min_(0)


def _take_exponent(fixed: FixedPoint, op: ops.Requantise | ops.RequantisePRelu) -> None:
    if not fixed.exponent.is_given:
        fixed.exponent.value.fill_(op.exponent)
        fixed.exponent.greatest.fill_((2 ** (fixed.bits - 1) - 1) / 2**op.exponent)


def _take_bend(module: RequantisedPReLU, op: ops.RequantisePRelu) -> bool:
    steps, slopes = 2.0**op.exponent, 2.0**op.shift
    values = {
        "knee": op.knee / steps, "slope": op.slope / slopes, "bias": (op.offset - slopes / 2) / (steps * slopes)
    }  # fmt: skip
    match module.leaking:
        case RPReLU() as leaking:
            copied = _copy(leaking, values)
        case nn.PReLU() as leaking:
            copied = _copy(leaking, {"weight": values["slope"]})
        case _:
            copied = True
    if copied:
        _take_exponent(module.fixed, op)
    return copied


def _copy(module: nn.Module, values: Mapping[str, NDArray[Any] | None]) -> bool:
    """Whether the module has tensors of these names and shapes, which then have these values."""
    tensors = {name: getattr(module, name) for name in values}
    wanted = {name: None if value is None else torch.from_numpy(np.array(value)) for name, value in values.items()}
    for name, value in wanted.items():
        if value is not None and (tensors[name] is None or tensors[name].numel() != value.numel() != 1):
            return False
    for name, value in wanted.items():
        if value is not None:
            tensors[name].copy_(value.to(tensors[name]).expand_as(tensors[name]))
    return True


def _fits(module: Requantised, op: ops.Requantise) -> bool:
    """Whether the line is of as many channels as the layer."""
    rows = 1 if module.layer is None else len(module.layer.weight)
    features = getattr(module.norm, "num_features", rows)
    return max(len(op.factor), len(op.offset)) in (1, rows, features)


def _take_lines(network: nn.Module, lines: Mapping[Requantised, ops.Requantise], images: Tensor) -> None:
    """The lines as norms of what they read on `images`, and where there is no norm as the layer's factors and offset.

    In order, so that each reads what those before it already make.
    """
    with ExitStack() as stack:
        for module, op in lines.items():
            hook = module.register_forward_pre_hook(_fitting(op))
            stack.callback(hook.remove)
        network(images)


def _fitting(op: ops.Requantise) -> Callable[[Any, tuple[Tensor, ...]], None]:
    def fit(module: Requantised, given: tuple[Tensor, ...]) -> None:
        (x,) = given
        steps = 2.0 ** (op.shift + op.exponent)
        factor = torch.from_numpy(op.factor / steps).to(x.device)
        offset = torch.from_numpy((op.offset - 2.0**op.shift / 2) / steps).to(x.device)
        layer, norm = module.layer, module.norm
        if norm is None:
            assert layer is not None
            _rescale(layer, factor)
            if layer.bias is not None:
                layer.bias.copy_(offset.expand_as(layer.bias))
            return
        if layer is not None:  # behind its own factors and offset
            scale = layer.quantised().scale
            if isinstance(norm, TensorNorm) and scale is not None:  # all channels of which have one factor
                _rescale(layer, factor * (scale.double().mean() / factor.mean()))
                scale = layer.quantised().scale
            factor = factor if scale is None else factor / scale.double()
            offset = offset if layer.bias is None else offset - factor * layer.bias.double()
        y = module.normed(x).double()
        axes = tuple(axis for axis in range(y.ndim) if axis != 1)
        if isinstance(norm, TensorNorm):
            variance, mean = (each.reshape(1) for each in torch.var_mean(y, correction=0))
        else:
            variance, mean = torch.var_mean(y, dim=axes, correction=0)
        assert isinstance(norm, Norm | TensorNorm)
        deviation = torch.sqrt(variance + norm.eps)
        values = {
            "running_mean": mean, "running_var": variance, "weight": factor * deviation, "bias": offset + factor * mean
        }  # fmt: skip
        for name, value in values.items():
            tensor = getattr(norm, name)
            tensor.copy_(value.expand(torch.broadcast_shapes(value.shape, tensor.shape)).mean(0, keepdim=True)
                         if isinstance(norm, TensorNorm) else value.expand_as(tensor))  # fmt: skip

    return fit
