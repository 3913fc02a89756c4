"""Proofs that the small stream units keep the contract of streams, and that planted faults are found."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportOperatorIssue=false, reportReturnType=false
# (amaranth's types are loose)

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from amaranth.hdl import Array, Cat, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.boards.toolchain.process import ToolError
from bnnhw.hw.join.add import Add
from bnnhw.hw.join.concat import Concat
from bnnhw.hw.join.fork import Fork
from bnnhw.hw.join.split import Split
from bnnhw.hw.stream.buffer import StreamBuffer, flat_stream
from bnnhw.hw.stream.fifo import Fifo
from bnnhw.hw.stream.width import WidthConverter
from bnnhw.hw.targets import PORTABLE

from .contract import ContractError, prove_contract, same

pytestmark = pytest.mark.toolchain


Unit = Callable[[], tuple[Any, dict[str, Any]]]
"""A unit, and what `prove_contract` is told of it."""


def sums(output: str, a: Value, b: Value) -> Value:
    """Of two elements of 1 and 2 bits."""
    return Cat((a.bit_select(place, 1) + b.word_select(place, 2))[:3] for place in range(2))


def clipped_sum(output: str, a: Value, b: Value) -> Value:
    """min(max(a + b, 1), 4) - 1."""
    return Value.cast(Array(max(0, min(total, 4) - 1) for total in range(7))[a + b])


def part(output: str, value: Value) -> Value:
    """Of the channels (1, 2) and (0, 2)."""
    return value[1:2] if output == "o0" else value[:2]


def side_by_side(output: str, *values: Value) -> Value:
    return Cat(values)


def converter(in_lanes: int, out_lanes: int, capacity: int, patience: int) -> tuple[Any, dict[str, Any]]:
    dut = WidthConverter(width=1, in_lanes=in_lanes, out_lanes=out_lanes)
    return dut, {"lanes": {"i": in_lanes, "o": out_lanes}, "capacity": capacity, "patience": patience}


def queue(limit: int | None, capacity: int) -> tuple[Any, dict[str, Any]]:
    dut = Fifo(width=1, depth=8, target=PORTABLE, limit=limit)
    return dut, {"capacity": capacity, "patience": dut.latency - 1}


PROOFS: dict[str, Unit] = {
    "buffer": lambda: (StreamBuffer(width=2), {"capacity": 2, "patience": 0}),
    "fork": lambda: (Fork(width=2, outputs=2), {"capacity": 0, "patience": 0}),
    "fork of 3": lambda: (Fork(width=1, outputs=3), {"capacity": 0, "patience": 0}),
    "split": lambda: (Split(channels=2, parts=((1, 2), (0, 2))), {"result": part, "capacity": 0, "patience": 0}),
    "concat": lambda: (Concat(channels=(1, 2)), {"result": side_by_side, "capacity": 0, "patience": 0}),
    "concat of 3": lambda: (Concat(channels=(1, 1, 1)), {"result": side_by_side, "capacity": 0, "patience": 0}),
    "add": lambda: (
        Add(elements=2, greatest=(1, 3), target=PORTABLE),
        {"result": sums, "capacity": 2, "patience": 1},
    ),
    "add, clipped": lambda: (
        Add(elements=1, greatest=(3, 3), clip=(1, 4), target=PORTABLE),
        {"result": clipped_sum, "capacity": 3, "patience": 2},
    ),
    "converter, equal": lambda: converter(2, 2, 0, 0),
    "converter, wider": lambda: converter(1, 3, 3, 0),
    "converter, narrower": lambda: converter(3, 1, 3, 0),
    "converter, coprime": lambda: converter(2, 3, 5, 2),
    "queue of 1": lambda: queue(1, 1),
    "queue of 2": lambda: queue(2, 2),
}
LONG_PROOFS: dict[str, Unit] = {
    "queue": lambda: queue(None, 10),
    "queue of 5": lambda: queue(5, 5),
    "queue of 8": lambda: queue(8, 8),
    "converter, coprime, narrower": lambda: converter(3, 2, 5, 2),
}


@pytest.mark.parametrize(
    "make",
    [
        *(pytest.param(make, id=name) for name, make in PROOFS.items()),
        *(pytest.param(make, id=name, marks=pytest.mark.slow) for name, make in LONG_PROOFS.items()),
    ],
)
def test_units_keep_the_contract(make: Unit, tmp_path: Path):
    dut, options = make()
    prove_contract(dut, tmp_path, **options)


@pytest.mark.parametrize(
    ("make", "less"),
    [
        (PROOFS["buffer"], {"capacity": 1}),
        (PROOFS["queue of 2"], {"capacity": 1}),
        (PROOFS["queue of 2"], {"patience": 1}),
        (PROOFS["converter, narrower"], {"capacity": 2}),
        (PROOFS["converter, coprime"], {"patience": 1}),
    ],
)
def test_bounds_are_those_of_the_unit(make: Unit, less, tmp_path: Path):
    """With one element less, or one cycle, a unit does not keep them."""
    dut, options = make()
    with pytest.raises(ContractError, match=r"^(kept|overfull) in cycle \d+$"):
        prove_contract(dut, tmp_path, **{**options, **less})


class Faulty(wiring.Component):
    """A unit with streams `i` and `o` and other wires around it: `wires` drives some of their signals.

    It is given this component, the unit, and a register that knows whether the beat at the output has waited.
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, unit: Any, wires: Callable[[Any, Any, Signal], list[Any]]):
        self.unit, self.wires = unit, wires
        super().__init__({"i": In(flat_stream(1)), "o": Out(flat_stream(1))})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.unit = unit = self.unit
        waited = Signal()
        m.d.sync += waited.eq(unit.o.valid & ~self.o.ready)
        m.d.comb += [
            unit.i.valid.eq(self.i.valid),
            unit.i.payload.eq(self.i.payload),
            self.i.ready.eq(unit.i.ready),
            self.o.valid.eq(unit.o.valid),
            self.o.payload.eq(unit.o.payload),
            unit.o.ready.eq(self.o.ready),
            *self.wires(self, unit, waited),  # the last one drives
        ]
        return m


def buffer() -> StreamBuffer:
    return StreamBuffer(width=1)


def small_queue() -> Fifo:
    return Fifo(width=1, depth=8, target=PORTABLE, limit=2)


FAULTS: dict[str, tuple[Callable[[], Any], Callable[[Any, Any, Signal], list[Any]], str]] = {
    "drops what it has no room for": (buffer, lambda self, unit, waited: [self.i.ready.eq(1)], "changed|overfull"),
    "a queue that does": (small_queue, lambda self, unit, waited: [self.i.ready.eq(1)], "changed|overfull"),
    "doubles what has waited": (
        buffer,
        lambda self, unit, waited: [unit.o.ready.eq(self.o.ready & ~waited)],
        "changed|invented",
    ),
    "changes what has waited": (
        buffer,
        lambda self, unit, waited: [self.o.payload.eq(unit.o.payload ^ waited)],
        "changed",
    ),
    "withdraws what has waited": (
        buffer,
        lambda self, unit, waited: [self.o.valid.eq(unit.o.valid & ~waited), unit.o.ready.eq(self.o.ready & ~waited)],
        "withdrawn",
    ),
    "invents": (buffer, lambda self, unit, waited: [self.o.valid.eq(1)], "invented"),
    "keeps the last": (
        buffer,
        lambda self, unit, waited: [
            self.o.valid.eq(unit.o.valid & ~unit.i.ready),
            unit.o.ready.eq(self.o.ready & ~unit.i.ready),
        ],
        "kept",
    ),
    "refuses": (buffer, lambda self, unit, waited: [self.i.ready.eq(0), unit.i.valid.eq(0)], "refused"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_found(name: str, tmp_path: Path):
    make, wires, found = FAULTS[name]
    with pytest.raises(ContractError, match=rf"^({found}) in cycle \d+$"):
        prove_contract(Faulty(make(), wires), tmp_path, capacity=2, patience=2)


class CarelessFork(Fork):
    """One that does not know which outputs have given the beat at hand."""

    def elaborate(self, platform) -> Module:
        m = Module()
        m.d.comb += self.i.ready.eq(self.o0.ready & self.o1.ready)
        for o in (self.o0, self.o1):
            m.d.comb += [o.payload.eq(self.i.payload), o.valid.eq(self.i.valid)]
        return m


class CarelessConcat(Concat):
    """One that takes a beat of an input while another has none."""

    def elaborate(self, platform) -> Module:
        m = super().elaborate(platform)
        m.d.comb += self.i0.ready.eq(self.o.ready)
        return m


@pytest.mark.parametrize(
    ("make", "result", "found"),
    [
        (lambda: CarelessFork(width=1, outputs=2), same, "changed|invented"),
        (lambda: CarelessConcat(channels=(1, 1)), side_by_side, "changed|overfull"),
    ],
)
def test_faults_of_joins_are_found(make, result, found, tmp_path):
    with pytest.raises(ContractError, match=rf"^({found}) in cycle \d+$"):
        prove_contract(make(), tmp_path, result=result, capacity=0, patience=0)


class LazyFork(CarelessFork):
    """One that offers a beat where all readers are ready: right by itself, a loop where they wait for an offer."""

    def elaborate(self, platform) -> Module:
        m = super().elaborate(platform)
        m.d.comb += [self.o0.valid.eq(self.i.valid & self.i.ready), self.o1.valid.eq(self.i.valid & self.i.ready)]
        return m


def test_no_offer_waits_for_its_reader(tmp_path):
    with pytest.raises(ToolError, match="Assertion failed: selection is not empty"):
        prove_contract(LazyFork(width=1, outputs=2), tmp_path, capacity=0, patience=0)
