"""What each layer of a network costs: precision, operations, memory, theoretical speed-up, energy."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from bnnhw.model.fixed_point.real_values import real_values
from bnnhw.model.layers.channels import ToChannelsFirst, ToChannelsLast
from bnnhw.model.layers.fixed_point import FixedPoint, Requantise
from bnnhw.model.layers.joins import Add, Concat
from bnnhw.model.layers.layers import BinaryLayer
from bnnhw.model.layers.quantise import InputThreshold, Quantise, Sign, Thresholds, UniformQuantise
from bnnhw.model.layers.requantised_prelu import RequantisePRelu
from bnnhw.model.layers.ternary import Ternarise
from bnnhw.model.layers.transposed import BinaryConvTranspose2d
from bnnhw.model.methods.abc_net import BinaryBases

from .energy import ADD_FLOAT32_PJ, BIT_PJ, MAC_FLOAT32_PJ, access_pj

__all__ = ["Cost", "Precision", "summarize", "theoretical_speedup"]

_WORD_BITS = 64
_MOVING = (
    nn.Flatten, nn.Identity, nn.Dropout, nn.MaxPool2d, nn.PixelShuffle, nn.PixelUnshuffle, nn.ZeroPad2d,
    ToChannelsFirst, ToChannelsLast,
)  # fmt: skip
"""Layers whose outputs are some of their inputs."""


@dataclass(frozen=True)
class Precision:
    """Numbers of so many bits, or sums of `bases` such numbers with real factors; float32 where bits is 32."""

    bits: int
    bases: int = 1

    @property
    def is_real(self) -> bool:
        return self.bits == 32

    @property
    def planes(self) -> int:
        """Bits in all."""
        return self.bits * self.bases

    def __str__(self) -> str:
        return f"{self.bases} x {self.bits}" if self.bases > 1 else str(self.bits)


_REAL = Precision(32)


def theoretical_speedup(*, channels: int, kernel: int, weights: Precision, inputs: Precision) -> float:
    """S = 64 c N_w / (M N (c N_w + 64)): operations on float32 over those on words of 64 bits; 1 for real numbers.

    c input channels, N_w = `kernel` weights of a 2-D filter, M and N planes of weights and inputs. Sources: Rastegari
    et al., arXiv:1603.05279, section 4.1, for M = N = 1; Lin et al., arXiv:1711.11294, for several bases.
    """
    if weights.is_real or inputs.is_real:
        return 1.0
    terms = channels * kernel
    return _WORD_BITS * terms / (weights.planes * inputs.planes * (terms + _WORD_BITS))


@dataclass(frozen=True, kw_only=True)
class Cost:
    """A layer with weights, for one image.

    channels: of the input, within a group. kernel: weights of a 2-D filter, 1 for fully connected layers. inputs,
    weights: their precision. parameters: numbers in the weights. input_elements, output_elements: of an image.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    channels: int
    kernel: int
    inputs: Precision
    weights: Precision
    parameters: int
    macs: int
    input_elements: int
    output_elements: int

    @property
    def weight_bytes(self) -> int:
        return -(-self.parameters * self.weights.planes // 8)

    @property
    def speedup(self) -> float:
        return theoretical_speedup(channels=self.channels, kernel=self.kernel, weights=self.weights, inputs=self.inputs)

    def energy_pj(self, *, as_float32: bool = False) -> float:
        """Of the arithmetic, and of reading weights and inputs once from a memory that just holds them; as it is, or as
        if all numbers were float32."""
        inputs, weights = (_REAL, _REAL) if as_float32 else (self.inputs, self.weights)
        if weights.is_real:
            each = MAC_FLOAT32_PJ
        elif inputs.is_real:
            each = ADD_FLOAT32_PJ * weights.planes
        else:
            each = BIT_PJ * weights.planes * inputs.planes
        moved = (self.parameters * weights.planes, self.input_elements * inputs.planes)
        return self.macs * each + sum(access_pj(bits, memory_bytes=bits / 8) for bits in moved)


def summarize(network: nn.Module, shape: Sequence[int], *, input_bits: int) -> tuple[Cost, ...]:
    """The layers with weights in order of evaluation, found by running `network` once, in eval mode, on zeros.

    shape: of an input without batch axis. input_bits: of an element.
    """
    found = _Found(input_bits)
    handles = [module.register_forward_hook(found.see) for module in network.modules()]
    names = {module: name for name, module in network.named_modules()}
    try:
        with torch.inference_mode(), real_values(network):  # in which layers within a Requantised are called
            first = next(network.parameters(), torch.zeros(()))
            network(torch.zeros(1, *shape, device=first.device))
    finally:
        for handle in handles:
            handle.remove()
    return tuple(_cost(names[module], module, *seen) for module, *seen in found.layers)


class _Found:
    """Follows the precision of values from module to module."""

    def __init__(self, input_bits: int):
        self.input = Precision(input_bits)
        self.precisions: dict[int, Precision] = {}
        self.kept: list[Any] = []  # so that no address is used twice
        self.layers: list[tuple[Any, ...]] = []

    def precision(self, value: Tensor) -> Precision:
        """Of a value that some module gave; the network's input is the first value that is asked for."""
        return self.precisions.setdefault(id(value), _REAL if self.precisions else self.input)

    def see(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        x = inputs[0]
        self.kept += [x, output]
        if isinstance(module, BinaryLayer | nn.Conv2d | nn.Linear):
            inner = module.activation if isinstance(module, BinaryLayer) else None
            read = _given(inner, _REAL) if inner is not None else self.precision(x)
            self.layers.append((module, read, x, output))
            given = _REAL
        elif isinstance(module, Add | Concat):
            given = _joined(module, [self.precision(value) for value in inputs])
        else:
            given = _given(module, self.precision(x))
        if isinstance(module, FixedPoint):  # which may give what it reads
            self.precisions[id(output)] = given
        elif output is not x:
            self.precisions.setdefault(id(output), given)  # a container gives what its last layer gave


def _joined(module: Add | Concat, read: Sequence[Precision]) -> Precision:
    """The precision of what `module` makes of numbers of these precisions: one bit more where it adds them."""
    if any(one.is_real or one.bases > 1 for one in read):
        return _REAL
    return Precision(max(one.bits for one in read) + isinstance(module, Add))


def _given(module: nn.Module, read: Precision) -> Precision:
    """The precision of what a module without weights makes of numbers of precision `read`."""
    match module:
        case Sign() | InputThreshold():
            return Precision(1)
        case Ternarise():
            return Precision(2)
        case UniformQuantise():
            return Precision((module.hi - module.lo).bit_length())
        case Thresholds():
            return Precision(module.thresholds.shape[1].bit_length())
        case FixedPoint():
            lo, hi = module.bounds()
            return Precision(int(hi - lo).bit_length())
        case Requantise() | RequantisePRelu():
            return Precision((module.hi - module.lo).bit_length())
        case Quantise():
            return Precision(module.bits)
        case BinaryBases():
            return Precision(1, len(module.beta))
        case nn.Upsample(mode="nearest") | nn.UpsamplingNearest2d():
            return read
        case _ if isinstance(module, _MOVING):
            return read
        case _:
            return _REAL


def _cost(name: str, module: Any, inputs: Precision, x: Tensor, y: Tensor) -> Cost:
    weight = module.weight
    is_binary = isinstance(module, BinaryLayer)
    read_by = x[0, 0] if isinstance(module, BinaryConvTranspose2d) else y[0, 0]  # a weight meets each of these pixels
    return Cost(
        name=name, kind=type(module).__name__, output_shape=tuple(y.shape[1:]),
        channels=weight.shape[1], kernel=prod(weight.shape[2:]), inputs=inputs,
        weights=Precision(module.quantiser.bits, module.quantiser.bases) if is_binary else _REAL,
        parameters=weight.numel(), macs=weight.numel() * read_by.numel(),
        input_elements=x[0].numel(), output_elements=y[0].numel(),
    )  # fmt: skip
