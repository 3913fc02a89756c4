"""y = |x| of a layer's sums, in one step between the layer and its thresholds."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import NDArray
from torch import Tensor, nn

from bnnhw.compiler.ir.ops import Op
from bnnhw.compiler.ir.ops.stored import stored_as
from bnnhw.compiler.ir.types import FloatType, IntType, TensorType
from bnnhw.compiler.units.codes import Codes, element_of
from bnnhw.compiler.units.operator.offsets import carried_as
from bnnhw.compiler.units.port import Beat, Port
from bnnhw.compiler.units.stage import Stage
from bnnhw.compiler.units.step import Step, steps_of
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.flow import Channel, Flow, wire_process
from bnnhw.hw.targets import Cells, Target
from bnnhw.model.registry import module_of, op_of_call


@stored_as("abs")
@dataclass(frozen=True)
class Abs(Op):
    """y = |x|."""

    INTEGER = True
    HOMOGENEOUS = True

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        if isinstance(x.element, FloatType):
            return TensorType(x.shape, FloatType())
        ends = abs(x.element.lo), abs(x.element.hi)
        return TensorType(x.shape, IntType(0 if x.element.lo <= 0 <= x.element.hi else min(ends), max(ends)))

    def reference(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        return np.abs(inputs[0])


@op_of_call(torch.abs, "abs")
def _op() -> Abs:
    return Abs()


class AbsLayer(nn.Module):
    """|x|."""

    def forward(self, x: Tensor) -> Tensor:
        return x.abs()


@module_of(Abs)
def _module(op: Abs) -> AbsLayer:
    return AbsLayer()


class AbsUnit(wiring.Component):
    """o[n] = |lo + i[n]| - least, for each of `count` elements side by side, without a register."""

    i: stream.Interface
    o: stream.Interface

    def __init__(self, *, lo: int, least: int, count: int, bits: int, result_bits: int):
        self.lo, self.least, self.count, self.bits, self.result_bits = lo, least, count, bits, result_bits
        super().__init__({"i": In(flat_stream(count * bits)), "o": Out(flat_stream(count * result_bits))})

    def elaborate(self, platform) -> Module:
        m = Module()
        results = []
        for n in range(self.count):
            code = Signal(self.bits)
            m.d.comb += code.eq(self.i.payload.word_select(n, self.bits))
            value = code + self.lo
            results.append((Mux(value < 0, -value, value) - self.least)[: self.result_bits])
        m.d.comb += [
            self.o.payload.eq(Cat(results)),
            self.o.valid.eq(self.i.valid),
            self.i.ready.eq(self.o.ready),
        ]
        return m


@dataclass(frozen=True)
class AbsStep(Step):
    """From the codes of integers from `element.lo` on to those of their absolute values."""

    NAME = "absolute value"

    element: IntType
    result: IntType

    def stages(self, name: str, port: Port, target: Target) -> tuple[list[Stage], Port]:
        count = port.lanes * port.pixels * port.vectors
        stage = AbsStage(name=f"{name} absolute value", step=self, count=count, beats=port.beats, target=target)
        return [stage], replace(port, bits=self.result.width)


@dataclass(frozen=True, kw_only=True)
class AbsStage(Stage):
    """`count` elements a beat, `beats` a frame."""

    ENGINE = "absolute value"

    step: AbsStep
    count: int
    beats: int
    target: Target

    def gives(self, port: str) -> Beat:
        return Beat(self.count, self.step.result.width)

    @property
    def interval(self) -> int:
        return self.beats

    @property
    def resources(self) -> Cells:
        return Cells(logic=2 * self.count * self.step.element.width, ffs=0)

    def flow(self, i: Channel, o: Channel) -> Flow:
        return [wire_process(i, o)]

    def build(self) -> wiring.Component:
        element, result = self.step.element, self.step.result
        return AbsUnit(lo=element.lo, least=result.lo, count=self.count, bits=element.width, result_bits=result.width)


@steps_of.register
def _(op: Abs, codes: Codes, x: TensorType, y: TensorType) -> tuple[list[Step], Codes]:
    element, result = element_of(x), element_of(y)
    assert isinstance(element, IntType)
    assert isinstance(result, IntType)
    steps, codes = carried_as(element, codes)
    return [*steps, AbsStep(element, result)], Codes.of(result, codes.channels)
