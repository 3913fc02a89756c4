"""Each target's primitives do what the interface says; targets stay themselves when they are copied."""

import copy
import pickle
from typing import Any

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from bnnhw.hw.targets import DEVICES, PORTABLE, TARGETS, ZERO, Addend, Target, check_target
from bnnhw.hw.targets.ecp5 import ECP5
from tests.hw.proof import prove_equal

EACH = pytest.mark.parametrize("target", TARGETS.values(), ids=repr)


class Sums(wiring.Component):
    """Every kind of adder that a target has."""

    u: Signal
    v: Signal
    keep: Signal
    added: Signal
    subtracted: Signal
    accumulated: Signal
    looked_up: Signal

    def __init__(self, target: Target):
        self.target = target
        results = {name: Out(6) for name in ("added", "subtracted", "accumulated", "looked_up")}
        super().__init__({"u": In(5), "v": In(4), "keep": In(1), **results})

    def elaborate(self, platform) -> Module:
        m = Module()
        adders = self.target.adders(m)
        u, v, carry = Addend(self.u, 0b10110), Addend(self.v), Addend(self.keep)
        adders.add(u, v, carry, self.added)
        adders.subtract(u, v, self.subtracted)
        adders.accumulate(v, carry, old=self.added, keep=self.keep, start=Const(9, 6), total=self.accumulated, level=1)
        adders.look_up(
            lambda a, b, c: a - b + c,
            [Addend(Value.cast(self.v[:2])), Addend(Value.cast(self.u[:1]), 1), 3],
            self.looked_up,
        )
        adders.emit()
        return m


def expected(u: int, v: int, keep: int) -> dict[str, int]:
    u ^= 0b10110
    added = u + v + keep
    sums = {
        "added": added,
        "subtracted": u - v,
        "accumulated": v + keep + (added if keep else 9),
        "looked_up": (v & 3) - (~(u ^ 0b10110) & 1) + 3,
    }
    return {name: value & 63 for name, value in sums.items()}


def test_portable_adders_are_their_definition():
    sums = Sums(PORTABLE)

    async def testbench(ctx):
        for number in range(1 << 10):
            u, v, keep = number & 31, number >> 5 & 15, number >> 9
            for port, value in ((sums.u, u), (sums.v, v), (sums.keep, keep)):
                ctx.set(port, value)
            assert {name: ctx.get(getattr(sums, name)) for name in expected(u, v, keep)} == expected(u, v, keep)

    simulator = Simulator(sums)
    simulator.add_testbench(testbench)
    simulator.run()


@pytest.mark.toolchain
@pytest.mark.parametrize("target", [target for target in TARGETS.values() if target is not PORTABLE], ids=repr)
def test_adders_equal_the_portable_ones(target: Target, tmp_path):
    prove_equal(Sums(PORTABLE), Sums(target), tmp_path)


@EACH
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depth": 1 << 20, "width": 1}, r"^depth=1048576 must be at most \d+, the depth of one block RAM$"),
        ({"depth": 512, "width": 0}, r"^width=0 must be in 1\.\.\d+, a block RAM's at depth=512$"),
        ({"depth": 512, "width": 1000}, r"^width=1000 must be in 1\.\.\d+, a block RAM's at depth=512$"),
    ],
)
def test_block_rams_are_checked(target: Target, options: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        target.block_ram(**options)


@EACH
def test_a_block_ram_that_is_read_only_has_no_write_port(target: Target):
    for writable in (False, True):
        ram = target.block_ram(depth=20, width=3, init=[5, 6], writable=writable)
        assert ("write_data" in ram.signature.members) == writable
        assert "read_data" in rtlil.convert(ram)


@EACH
def test_a_copy_is_the_target_itself(target: Target):
    assert copy.deepcopy({"target": target})["target"] is target
    assert pickle.loads(pickle.dumps(target)) is target
    assert TARGETS[target.name] is target


def test_the_portable_target_has_the_cycles_of_its_model():
    """Stores and depths follow from sizes and prices, and latencies from these."""
    assert PORTABLE.fabric is ECP5.fabric
    settings = PORTABLE.clock_settings(input_hz=25_000_000, output_hz=100_000_000)
    assert settings == ECP5.clock_settings(input_hz=25_000_000, output_hz=100_000_000)


def test_a_device_is_of_a_family_with_tools():
    for name, device in DEVICES.items():
        assert device.name == name
        assert device.target.tools.chip_options(name, device.target.tools.common_package, 6)


def test_what_is_no_target_is_refused():
    check_target(ECP5)
    with pytest.raises(ValueError, match=r"^target='ecp5' must be one of \['ecp5', 'ice40', 'portable'\]$"):
        check_target("ecp5")  # pyright: ignore[reportArgumentType]
    assert len(ZERO.bits) == 0
