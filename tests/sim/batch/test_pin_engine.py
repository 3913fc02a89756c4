"""A design driven and sampled at its pins in every cycle, against the same in Python."""

import numpy as np
import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.sim.batch.pin_engine import PinEngine
from bnnhw.sim.batch.simulator import compile_design
from bnnhw.sim.errors import SimulationError
from bnnhw.sim.netlist.netlist import convert_component

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportGeneralTypeIssues=false


class Accumulator(wiring.Component):
    """Adds `a` where `enable`; `total` is what was there before, `same` is 1 where `a` is that."""

    def __init__(self):
        super().__init__({"a": In(5), "enable": In(1), "total": Out(5, init=3), "same": Out(1)})

    def elaborate(self, platform) -> Module:
        m = Module()
        a: Signal = self.a
        m.d.comb += self.same.eq(self.total == a)
        with m.If(self.enable):
            m.d.sync += self.total.eq(self.total + a)
        return m


PROGRAM = compile_design(convert_component(Accumulator()))


def test_in_parts_and_in_one_go():
    rng = np.random.default_rng(1)
    words = rng.integers(0, 64, 500, dtype=np.uint64)
    total, expected = 3, []
    for word in words.tolist():
        a, enable = word >> 1, word & 1
        expected.append(int(total == a) | total << 1)
        total = (total + a * enable) % 32
    ports = {"inputs": ["enable", "a"], "outputs": ["same", "total"]}
    assert PinEngine(PROGRAM, **ports).run(words).tolist() == expected
    engine = PinEngine(PROGRAM, **ports)
    parts = np.split(words, [0, 1, 7, 7, 300])
    assert np.concatenate([engine.run(part) for part in parts]).tolist() == expected


def test_missing_ports_and_too_many():
    with pytest.raises(SimulationError, match=r"^ports \['b'\] are required; the ports are \['a', "):
        PinEngine(PROGRAM, inputs=["a", "b"], outputs=["same"])
    with pytest.raises(SimulationError, match=r"have 65 bits; a word has 64$"):
        PinEngine(PROGRAM, inputs=["a"], outputs=["total"] * 13)
