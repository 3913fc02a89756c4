"""A formal proof, for all inputs and stalls and for all time, that a component of streams keeps their contract.

The beats of each port count its elements: `lanes` to a beat, else one. Element n of each output is a function of
element n of each input. Then

- changed: what an output offers is that function; nothing was lost, doubled, reordered or changed while it waited;
- invented: it offers nothing before each input has offered what it takes for it;
- withdrawn: what it offers and nobody took, it offers in the next cycle;
- kept: what each input has given, an output offers within `patience` cycles;
- refused: where each input offers and each output is read, something moves within `patience` cycles;
- overfull: at most `capacity` elements have come in by an input and not yet left by an output;
- and no `valid` or payload of an output depends on a `ready` in the same cycle: no combinational loops.

The data are one element, at any place, of any value, among zeros (P. Wolper, POPL 1986,
https://doi.org/10.1145/512644.512661). An inductive invariant is found by property directed reachability (A. R.
Bradley, VMCAI 2011, https://doi.org/10.1007/978-3-642-18275-4_7), as yosys' ABC has it, so nothing is said of the
registers inside.
"""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from pathlib import Path
from types import MappingProxyType
from typing import Any

from amaranth.back import rtlil
from amaranth.hdl import Cat, ClockDomain, Const, Elaboratable, Module, Mux, Signal, Value

from bnnhw.boards.toolchain.synthesis import run_yosys

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportGeneralTypeIssues=false
# pyright: reportOperatorIssue=false
# (amaranth's types are loose)

FAULTS = ("changed", "invented", "withdrawn", "kept", "refused", "overfull")
TIMEOUT_S = 300


class ContractError(AssertionError):
    """A component does not keep the contract."""


class Port:
    """A port of the component, and how it is followed.

    lead : elements that have passed, less those of the first output.
    ahead : elements that come before the watched one, negative when that has passed.
    """

    def __init__(self, dut: Any, name: str, *, lanes: int, most: int):
        self.name, self.lanes, self.stream = name, lanes, getattr(dut, name)
        self.free = Signal(name=f"free_{name}")  # an input may offer a beat, an output is ready
        self.lead = Signal(range(-most, most + 1), name=f"lead_{name}")
        self.ahead = Signal(range(-1, most + lanes + 1), name=f"ahead_{name}")
        self.moves = self.stream.valid & self.stream.ready
        self.passes = Mux(self.moves, lanes, 0)
        self.width = len(self.stream.payload) // lanes

    def hits(self, watched: Value) -> list[Value]:
        """Whether the watched element is that of each lane of the beat at hand."""
        return [watched & (self.ahead == lane) for lane in range(self.lanes)]


class Contract(Elaboratable):
    """The component with all that can be around it, and a signal for each fault; see `prove_contract`."""

    def __init__(
        self, dut: Any, *, result: Callable[..., Value], lanes: Mapping[str, int], capacity: int, patience: int
    ):
        self.dut, self.result, self.capacity, self.patience = dut, result, capacity, patience
        names = [name for name in dut.signature.members if re.fullmatch(r"[io]\d*", name)]
        widest = max(lanes.values(), default=1)
        self.ports = [Port(dut, name, lanes=lanes.get(name, 1), most=capacity + 2 * widest) for name in names]
        self.inputs = [port for port in self.ports if port.name.startswith("i")]
        self.outputs = [port for port in self.ports if port.name.startswith("o")]
        self.watch = Signal()
        self.offset = Signal(range(widest))
        self.values = [Signal(port.width, name=f"value_{port.name}") for port in self.inputs]
        self.domain = ClockDomain("sync", reset_less=True)
        self.faults = {name: Signal(name=f"fault_{name}") for name in FAULTS}
        given = sum(1 + len(port.stream.payload) for port in self.outputs)
        self.given = Signal(given, attrs={"keep": 1})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.domains.sync = self.domain
        m.submodules.dut = self.dut
        started, watched = Signal(), Signal()
        values = [Signal.like(value, name=f"watched_{value.name}") for value in self.values]
        m.d.sync += started.eq(1)
        self._watch(m, started, watched, values)
        for port, value in zip(self.inputs, values, strict=True):
            holding = Signal(name=f"holding_{port.name}")
            m.d.sync += holding.eq(port.stream.valid & ~port.stream.ready)
            m.d.comb += [
                port.stream.valid.eq(started & (port.free | holding)),
                port.stream.payload.eq(Cat(Mux(hit, value, 0) for hit in port.hits(watched))),
            ]
        for port in self.outputs:
            m.d.comb += port.stream.ready.eq(started & port.free)
        m.d.comb += self.given.eq(Cat((port.stream.valid, port.stream.payload) for port in self.outputs))
        found = [self._faults_of(m, port, watched, values) for port in self.outputs]
        able = Cat(*(port.stream.valid for port in self.inputs), *(port.stream.ready for port in self.outputs)).all()
        found.append({"refused": self._lasts(m, "able", able & ~Cat(port.moves for port in self.ports).any())})
        for name, fault in self.faults.items():
            m.d.comb += fault.eq(Cat(each[name] for each in found if name in each).any())
        return m

    def _watch(self, m: Module, started: Value, watched: Signal, values: Sequence[Signal]) -> None:
        """Counts, and chooses an element that no port has offered yet, and its values."""
        ends = [port.lead + Mux(started, port.lanes, 0) for port in self.ports]
        farthest = reduce(lambda a, b: Mux(a > b, a, b), ends)
        with m.If(self.watch & ~watched):
            m.d.sync += watched.eq(1)
            m.d.sync += [value.eq(free) for value, free in zip(values, self.values, strict=True)]
        for port in self.ports:
            ahead = Mux(watched, port.ahead, farthest - port.lead + self.offset) - port.passes
            m.d.sync += [
                port.lead.eq(port.lead + port.passes - self.outputs[0].passes),
                port.ahead.eq(Mux(ahead < 0, -1, ahead)),
            ]

    def _faults_of(self, m: Module, port: Port, watched: Value, values: Sequence[Value]) -> dict[str, Value]:
        """What is wrong at an output."""
        stream, end = port.stream, port.lead + port.lanes
        waiting = Signal(name=f"waiting_{port.name}")
        m.d.sync += waiting.eq(stream.valid & ~stream.ready)
        results = (self.result(port.name, *(Mux(hit, value, 0) for value in values)) for hit in port.hits(watched))
        expected = Cat(Cat(result, Const(0, port.width))[: port.width] for result in results)
        offered = (each.lead + Mux(each.stream.valid, each.lanes, 0) for each in self.inputs)
        owes = Cat(end <= each.lead for each in self.inputs).all() & ~stream.valid
        return {
            "changed": stream.valid & (stream.payload != expected),
            "invented": stream.valid & Cat(end > each for each in offered).any(),
            "withdrawn": waiting & ~stream.valid,
            "kept": self._lasts(m, f"owes_{port.name}", owes),
            "overfull": Cat(each.lead - port.lead > self.capacity for each in self.inputs).any(),
        }

    def _lasts(self, m: Module, name: str, condition: Value) -> Value:
        """Whether it holds in the cycle at hand and the `patience` before."""
        cycles = Signal(range(self.patience + 1), name=name)
        m.d.sync += cycles.eq(Mux(condition, Mux(cycles == self.patience, cycles, cycles + 1), 0))
        return condition & (cycles == self.patience)


def same(output: str, value: Value) -> Value:
    """The result of a component that hands its elements through."""
    return value


def prove_contract(
    dut: Any,
    folder: Path,
    *,
    result: Callable[..., Value] = same,
    lanes: Mapping[str, int] = MappingProxyType({}),
    capacity: int,
    patience: int,
) -> None:
    """Raises ContractError unless the component is proven to keep the contract."""
    contract = Contract(dut, result=result, lanes=lanes, capacity=capacity, patience=patience)
    free = [contract.watch, contract.offset, *contract.values, *(port.free for port in contract.ports)]
    ports = [contract.domain.clk, *free, *contract.faults.values()]
    (folder / "contract.il").write_text(rtlil.convert(contract, ports=ports, emit_src=False))
    prepare = ["read_rtlil contract.il", "hierarchy -check -top top", "proc", "flatten", "memory_map", "opt", "techmap"]
    prepare += ["opt", "dffunmap", "simplemap", "opt_clean", "setundef -zero", "splitnets"]
    run_yosys(
        [
            *prepare,
            "select -assert-none w:given* %ci*:-$_DFF_P_ i:free_o* %i",
            "aigmap",
            "write_aiger -zinit contract.aig",
        ],
        cwd=folder,
        log=folder / "contract.log",
    )
    found = subprocess.run(
        [yosys_abc(), "-c", "read_aiger contract.aig; pdr -n -c"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=True,
    )
    if fault := re.search(r"Output (\d+) of miter .* was asserted in frame (\d+)", found.stdout):
        raise ContractError(f"{FAULTS[int(fault[1])]} in cycle {fault[2]}")
    if "Property proved" not in found.stdout:
        raise ContractError(f"not proved:\n{found.stdout}")


def yosys_abc() -> str:
    """The ABC that comes with yosys: natively on PATH, else in pyosys."""
    package = importlib.util.find_spec("pyosys")
    folders = [] if package is None else package.submodule_search_locations or []
    found = shutil.which("yosys-abc") or shutil.which("yosys-abc", path=os.pathsep.join(folders))
    assert found is not None
    return found
