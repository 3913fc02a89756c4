"""The channel shuffle of ShuffleNet (https://arxiv.org/abs/1707.01083): wires, once a beat has whole pixels."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from amaranth.hdl import Cat, Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import NDArray
from torch import nn

from bnnhw.compiler.ir.ops import Rearrangement
from bnnhw.compiler.ir.ops.stored import stored_as
from bnnhw.compiler.ir.types import TensorType
from bnnhw.compiler.units.codes import Codes
from bnnhw.compiler.units.convert import convert
from bnnhw.compiler.units.port import Beat, Port
from bnnhw.compiler.units.stage import Stage
from bnnhw.compiler.units.step import Step, steps_of
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.flow import Channel, Flow, wire_process
from bnnhw.hw.targets import Cells, Target
from bnnhw.model.registry import module_of, op_of


@stored_as("channel_shuffle")
@dataclass(frozen=True)
class ChannelShuffle(Rearrangement):
    """y[..., i*groups + g] = x[..., g*C/groups + i]: one channel of each group after the other."""

    groups: int

    def order(self, channels: int) -> NDArray[np.int64]:
        """The input's channel of each of the output's."""
        return np.arange(channels).reshape(self.groups, -1).T.ravel()

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        if x.shape[-1] % self.groups:
            raise ValueError(f"groups={self.groups} must divide the {x.shape[-1]} channels")
        return x

    def reference(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        (x,) = inputs
        return x[..., self.order(x.shape[-1])]


@op_of(nn.ChannelShuffle)
def _op(module: nn.ChannelShuffle) -> ChannelShuffle:
    return ChannelShuffle(module.groups)


@module_of(ChannelShuffle, channels_first=True)
def _module(op: ChannelShuffle) -> nn.ChannelShuffle:
    return nn.ChannelShuffle(op.groups)


class Permute(wiring.Component):
    """o[p, c] = i[p, order[c]] for `pixels` whole pixels side by side, each element of `bits` bits."""

    i: stream.Interface
    o: stream.Interface

    def __init__(self, *, order: Sequence[int], pixels: int, bits: int):
        self.order, self.pixels, self.bits = tuple(order), pixels, bits
        width = pixels * len(self.order) * bits
        super().__init__({"i": In(flat_stream(width)), "o": Out(flat_stream(width))})

    def elaborate(self, platform) -> Module:
        m = Module()
        channels = len(self.order)
        places = (pixel * channels + channel for pixel in range(self.pixels) for channel in self.order)
        m.d.comb += [
            self.o.payload.eq(Cat(self.i.payload.word_select(place, self.bits) for place in places)),
            self.o.valid.eq(self.i.valid),
            self.i.ready.eq(self.o.ready),
        ]
        return m


@dataclass(frozen=True, eq=False)
class Shuffling(Step):
    """Another order of the channels."""

    NAME = "shuffle"

    order: NDArray[np.int64]

    def stages(self, name: str, port: Port, target: Target) -> tuple[list[Stage], Port]:
        whole = replace(port, lanes=port.channels)
        stage = ShuffleStage(name=f"{name} shuffle", order=self.order, port=whole)
        side_by_side = port.pixels * port.vectors
        words = convert(port.elements // port.pixels, port.bits, port.lanes, port.channels, side_by_side)
        return [*words, stage], whole


@dataclass(frozen=True, kw_only=True)
class ShuffleStage(Stage):
    """Wires behind whole pixels."""

    ENGINE = "channel shuffle"

    order: NDArray[np.int64] = field(repr=False)
    port: Port

    def gives(self, port: str) -> Beat:
        return self.port.beat

    @property
    def interval(self) -> int:
        return self.port.beats

    @property
    def resources(self) -> Cells:
        return Cells(logic=0, ffs=0)

    def flow(self, i: Channel, o: Channel) -> Flow:
        return [wire_process(i, o)]

    def build(self) -> wiring.Component:
        port = self.port
        return Permute(order=self.order.tolist(), pixels=port.pixels * port.vectors, bits=port.bits)


@steps_of.register
def _(op: ChannelShuffle, codes: Codes, x: TensorType, y: TensorType) -> tuple[list[Step], Codes]:
    order = op.order(codes.channels)
    return [Shuffling(order)], replace(codes, offsets=codes.offsets[..., order])
