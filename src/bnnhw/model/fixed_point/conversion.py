"""A network of layers with real sums as one whose sums are fixed-point numbers.

Tests: tests/model/fixed_point/test_conversion.py
"""

import math
import operator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import fx, nn

from bnnhw.model.errors import ExportError
from bnnhw.model.layers.affine import TensorNorm
from bnnhw.model.layers.binary_bases import BinaryBases
from bnnhw.model.layers.channels import ToChannelsFirst, ToChannelsLast
from bnnhw.model.layers.fixed_point import Exponent, FixedPoint
from bnnhw.model.layers.joins import Add
from bnnhw.model.layers.layers import BinaryLayer
from bnnhw.model.layers.quantise import InputThreshold, Quantise, Sign, Thresholds, UniformQuantise
from bnnhw.model.layers.requantised import Requantised
from bnnhw.model.layers.requantised_prelu import LEAKING, RequantisedPReLU
from bnnhw.model.layers.shifts import RPReLU, Shift
from bnnhw.model.layers.shortcuts import PadChannels, SubsampleAndPad
from bnnhw.model.layers.ternary import Ternarise

from .functions import free_name, functions_as_layers, path_of
from .integer_layer import RealLayer, integer_layer

__all__ = ["FixedPointOptions", "in_fixed_point"]

Norm = nn.BatchNorm1d | nn.BatchNorm2d | nn.SyncBatchNorm | TensorNorm
_ADDS = (operator.add, torch.add, "add")
_JOINS = (torch.cat, torch.concat)
_LEAVES = (
    BinaryLayer, Sign, Quantise, InputThreshold, FixedPoint, Requantised, TensorNorm, SubsampleAndPad, PadChannels, Add,
    ToChannelsFirst, ToChannelsLast, Shift, RPReLU, RequantisedPReLU, Ternarise, UniformQuantise, Thresholds,
    BinaryBases,
)  # fmt: skip
_PASSING = (
    nn.Identity, nn.Dropout, nn.Flatten, nn.MaxPool2d, nn.PixelShuffle, nn.PixelUnshuffle, nn.Upsample, SubsampleAndPad,
    PadChannels, ToChannelsFirst, ToChannelsLast,
)  # fmt: skip
"""Layers that give what they read, or 0."""
_RISING = (
    nn.ReLU, nn.Hardtanh, nn.Dropout, nn.Identity, nn.MaxPool2d, nn.PixelShuffle, nn.PixelUnshuffle, nn.Upsample, Shift,
    *LEAKING,
)  # fmt: skip
"""Layers that go into the thresholds behind them."""
_EXACT = 2**24  # the greatest sum that float32 has with all below it
_CODES = 2**18  # a sum of codes for which the arrays of engines have no room
_BITED = (Sign, Quantise, Ternarise, UniformQuantise, Thresholds, InputThreshold, BinaryBases)


@dataclass(frozen=True, kw_only=True)
class FixedPointOptions:
    """What a network's values become.

    bits: of a value, 2 to 16. weight_bits: of a weight of layers that have real ones; 1 makes them signs, each channel
    with a factor. score_bits: of a score. What they cost: docs/fixed-point.md.
    """

    bits: int = 12
    weight_bits: int = 8
    score_bits: int = 16


def in_fixed_point(network: nn.Module, options: FixedPointOptions = FixedPointOptions()) -> fx.GraphModule:
    """`network` with the same parameters, its layers in their places by their names, but

    - `nn.Conv2d`, `nn.ConvTranspose2d` and `nn.Linear` have integer weights (`integer_layer`);
    - a layer, a max pooling of its sums and its batch norm, where anything but an activation of few bits reads them,
      are a `Requantised` by the layer's name;
    - what it reads has fewer bits than others where its sums would exceed 2^24 otherwise, or those of the codes 2^18;
    - behind sums of such values, averages, bilinear upsamplings and hard tanhs of them stands a `FixedPoint`;
    - leaking rectifiers of them are a `RequantisedPReLU`;
    - activations and poolings that are called as functions are layers (`functions_as_layers`).

    Values that are added, or come of each other without arithmetic, share an exponent. It is to be trained, or
    calibrated (`calibrate`).

    Raises
    ------
    ExportError
        Names the layer that has no place in such a network.
    """
    tracer = _Tracer()
    traced = fx.GraphModule(network, tracer.trace(network))
    functions_as_layers(traced)
    converter = _Converter(traced, options)
    traced.graph.eliminate_dead_code()
    for node in list(traced.graph.nodes):
        if node.users:  # what a layer took in has none any more
            converter.convert(node)
    traced.delete_all_unused_submodules()
    traced.recompile()
    return traced.train(network.training)


class _Tracer(fx.Tracer):
    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        ours = isinstance(m, _LEAVES) or type(m).__module__.startswith("bnnhw.model.methods.")
        return ours or super().is_leaf_module(m, module_qualified_name)


@dataclass(eq=False)
class _Converter:
    """Goes through a graph in order, and knows the exponent of each value of fixed point."""

    traced: fx.GraphModule
    options: FixedPointOptions
    exponents: dict[fx.Node, Exponent] = field(default_factory=dict)

    def convert(self, node: fx.Node) -> None:
        module = self._module(node)
        if isinstance(module, RealLayer | BinaryLayer):
            self._layer(node, module)
        elif isinstance(module, Norm) and self._reads_fixed(node):
            fixed = self._fixed()
            self._set(node, Requantised(None, module, fixed))
            self.exponents[node] = fixed.exponent
        elif _averages(module) and self._reads_fixed(node):
            self._round_behind(node, Exponent())
        elif isinstance(module, _PASSING):
            self._pass_on(node)
        elif (limits := _limits(module)) is not None and self._reads_fixed(node):
            self._clip(node, *limits)
        elif isinstance(module, LEAKING) and self._reads_fixed(node) and not self._ends_in_bits(node):
            self._bend(node, module)
        elif isinstance(module, Shift) and self._reads_fixed(node) and not self._ends_in_bits(node):
            raise ExportError(
                f"layer {node.target!r} shifts values of fixed point that others than signs read; use RPReLU"
            )
        elif isinstance(module, Add) or (_is_call(node) and node.target in _ADDS):
            self._add(node)
        elif not isinstance(module, _BITED):
            self._pass_on(node)

    def _layer(self, node: fx.Node, module: RealLayer | BinaryLayer) -> None:
        layer = integer_layer(str(node.target), module, bits=self.options.weight_bits)
        norm = self._reader(node, Norm)
        pool = self._reader(node, nn.MaxPool2d) if norm is None and layer.scale is None else None
        if pool is not None and (norm := self._reader(pool, Norm)) is None:
            pool = None
        last = node if norm is None else norm
        if self._ends_in_bits(last):
            if layer is not module:
                self._set(node, layer)
            return
        scores = any(each.op == "output" for each in last.users)
        fixed = FixedPoint(self.options.score_bits) if scores else self._fixed()
        if layer is not module or layer.quantiser.integers:
            self._narrow(node.all_input_nodes[0], layer)
        made = Requantised(layer, self._module(norm), fixed, pool=self._module(pool))
        self._set(node, made)
        for taken in (norm, pool):
            if taken is not None:
                self._replace(taken, node)
        self.exponents[node] = fixed.exponent

    def _narrow(self, source: fx.Node, layer: BinaryLayer) -> None:
        """Values that a layer reads get as few bits as keep its sums within float32's integers, and those of codes in
        an engine's."""
        while isinstance(self._module(source), _PASSING):
            (source,) = source.all_input_nodes
        module = self._module(source)
        fixed = module.fixed if isinstance(module, Requantised | RequantisedPReLU) else module
        if isinstance(fixed, FixedPoint):
            count = layer.weight[0].numel()
            of_sums = (_EXACT // (count * (2**layer.quantiser.bits - 1))).bit_length()
            fixed.bits = min(fixed.bits, max(2, min(of_sums, (_CODES // count).bit_length() - 1)))

    def _fixed(self) -> FixedPoint:
        return FixedPoint(self.options.bits)

    def _add(self, node: fx.Node) -> None:
        a, b = node.all_input_nodes if len(node.all_input_nodes) == 2 else (node.all_input_nodes[0],) * 2
        if a not in self.exponents and b not in self.exponents:
            return
        for one in (a, b):
            if one not in self.exponents:
                raise ExportError(
                    f"layer {path_of(node)!r} adds {path_of(one)!r}, which is no value of fixed point, to one that "
                    "is; put a FixedPoint behind it"
                )
        self._merge(self.exponents[a], self.exponents[b])
        self._round_behind(node, self.exponents[a])

    def _clip(self, node: fx.Node, least: float, most: float) -> None:
        """A clipping of a value of fixed point: its own rounding clips it where nothing else reads it."""
        (source,) = node.all_input_nodes
        module = self._module(source)
        fixed = module.fixed if isinstance(module, Requantised | RequantisedPReLU) else module
        if isinstance(fixed, FixedPoint) and len(source.users) == 1:
            fixed.least, fixed.most = max(fixed.least, least), min(fixed.most, most)
            self._replace(node, source)
        else:
            fixed = FixedPoint(self.options.bits, self.exponents[source], least=least, most=most)
            self._replace(node, self._insert_behind(source, fixed))

    def _bend(self, node: fx.Node, module: nn.Module) -> None:
        """A leaking rectifier, which rounds for a sum before it where nothing else reads that. Averages are rounded
        before it, as their quotients are no numbers of fixed point."""
        (source,) = node.all_input_nodes
        if isinstance(self._module(source), FixedPoint) and len(source.users) == 1:
            (before,) = source.all_input_nodes
            if not _averages(self._module(before)):
                node.replace_input_with(source, before)
        fixed = self._fixed()
        self._set(node, RequantisedPReLU(module, fixed))
        self.exponents[node] = fixed.exponent

    def _round_behind(self, node: fx.Node, exponent: Exponent) -> None:
        """A FixedPoint between a node and all its readers."""
        made = self._insert_behind(node, FixedPoint(self.options.bits, exponent))
        node.replace_all_uses_with(made, delete_user_cb=lambda user: user is not made)

    def _insert_behind(self, node: fx.Node, fixed: FixedPoint) -> fx.Node:
        """The value of `fixed` of a node's, which nothing reads yet."""
        name = free_name(self.traced, path_of(node), "_fixed")
        self.traced.add_submodule(name, fixed)
        with self.traced.graph.inserting_after(node):
            made = self.traced.graph.call_module(name, (node,))
        self.exponents[made] = fixed.exponent
        return made

    def _replace(self, node: fx.Node, by: fx.Node) -> None:
        node.replace_all_uses_with(by)
        self.traced.graph.erase_node(node)

    def _pass_on(self, node: fx.Node) -> None:
        sources = [one for one in node.all_input_nodes if one in self.exponents]
        for other in sources[1:]:
            self._merge(self.exponents[sources[0]], self.exponents[other])
        if sources:
            self.exponents[node] = self.exponents[sources[0]]

    def _merge(self, kept: Exponent, dropped: Exponent) -> None:
        """One exponent for the values of both."""
        for module in self.traced.modules():
            if isinstance(module, FixedPoint) and module.exponent is dropped:
                module.exponent = kept
        self.exponents = {node: kept if one is dropped else one for node, one in self.exponents.items()}

    def _reads_fixed(self, node: fx.Node) -> bool:
        return any(one in self.exponents for one in node.all_input_nodes)

    def _ends_in_bits(self, node: fx.Node) -> bool:
        """Whether all readers are activations, perhaps behind what goes into their thresholds."""
        return bool(node.users) and all(
            isinstance(module := self._module(user), _BITED)
            or (isinstance(module, BinaryLayer) and module.activation is not None)
            or (isinstance(module, _RISING) and not _averages(module) and self._ends_in_bits(user))
            or (isinstance(module, Norm) and len(node.users) == 1 and self._ends_in_bits(user))
            or (user.target in _JOINS and self._ends_in_bits(user))
            for user in node.users
        )

    def _reader(self, node: fx.Node, kinds: Any) -> fx.Node | None:
        """What alone reads a node's value, if it is a layer of these kinds."""
        reader = next(iter(node.users)) if len(node.users) == 1 else None
        return reader if isinstance(self._module(reader), kinds) else None

    def _module(self, node: fx.Node | None) -> Any:
        if node is None or node.op != "call_module":
            return None
        return self.traced.get_submodule(str(node.target))

    def _set(self, node: fx.Node, module: nn.Module) -> None:
        parent, _, name = str(node.target).rpartition(".")
        setattr(self.traced.get_submodule(parent), name, module)


def _is_call(node: fx.Node) -> bool:
    """Of a function or a method."""
    return node.op in ("call_function", "call_method")


def _averages(module: nn.Module | None) -> bool:
    """Whether it makes values between those that it reads."""
    return isinstance(module, nn.AvgPool2d | nn.AdaptiveAvgPool2d) or getattr(module, "mode", None) == "bilinear"


def _limits(module: nn.Module | None) -> tuple[float, float] | None:
    """What values are clipped to; None where the layer is no clipping."""
    if isinstance(module, nn.Hardtanh):
        return module.min_val, module.max_val
    return (0.0, math.inf) if isinstance(module, nn.ReLU) else None
