"""The ECP5 as a target.

Tests: tests/hw/targets/test_target.py
"""

from collections.abc import Sequence
from typing import Any

from amaranth.hdl import ClockSignal, Const, Elaboratable, Instance, Module, Shape, Signal, Value

from bnnhw.hls.scheduling.delays import Delays
from bnnhw.hw.targets.cells import CellNames
from bnnhw.hw.targets.fabric import Fabric
from bnnhw.hw.targets.models import SimulationModels
from bnnhw.hw.targets.target import Target

from .block_ram import Dp16kd
from .carry_chains import CHAIN_POSITIONS, CarryChains
from .exact_pll import ExactPll, exact_pll_settings
from .late_clock import LateClock
from .multiplier import Mult18x18d
from .pll import PllSettings, pll_settings
from .toolchain import TOOLS

__all__ = ["ECP5"]


class Ecp5(Target):
    """Carry chains of CCU2C, block RAM in DP16KD, multipliers in MULT18X18D, an EHXPLLL, a USRMCLK; Project Trellis'
    tools."""

    name = "ecp5"
    fabric = Fabric(
        lut_inputs=4,
        block_ram_shapes={512: 36, 1024: 18, 2048: 9, 4096: 4, 8192: 2, 16384: 1},
        block_ram_luts=400,
        distributed_ram=(16, 4, 6),
        queue_luts_per_bit={16: 1.5, 32: 4.4},
        carry_luts=2,
        carry_end_luts=2,
        chain_positions=CHAIN_POSITIONS,
        delays=Delays(
            clock=0.60,
            lut=1.00,
            carry=1.95,
            carry_bit=0.037,
            multiplier=((6.5, 0.0), (2.0, 4.7)),
            enable=4.2,
            enable_bit=0.0011,
        ),
        lone_ffs=0.0,
        usable=1.0,
        link_block_rams=0,
        clocks_hz=(100e6, 105e6, 110e6),
    )
    tools = TOOLS
    models = SimulationModels(
        folder="ecp5",
        library="+/lattice/cells_sim_ecp5.v",
        overriding=("clocks.v", "pads.v", "slices.v"),
        verilog=("dp16kd.v", "multiplier.v"),
    )
    cell_names = CellNames(logic="TRELLIS_COMB", luts="LUT4", carries="CCU2C", unrouted="LUT4 + 2 CCU2C")

    def adders(self, m: Module) -> CarryChains:
        return CarryChains(m)

    def block_ram(self, *, depth: int, width: int, init: Sequence[int] = (), writable: bool = False) -> Dp16kd:
        return Dp16kd(self.fabric, depth=depth, width=width, init=init, writable=writable)

    def multiplier(self, *, a: Shape, b: Shape, registers: int = 0) -> Mult18x18d:
        return Mult18x18d(a=a, b=b, registers=registers)

    def clock_settings(self, *, input_hz: int, output_hz: int, late_ns: float | None = None) -> PllSettings:
        return pll_settings(input_hz=input_hz, output_hz=output_hz, late_ns=late_ns)

    def exact_clock(self, *, input_hz: int, output_hz: int, domain: str) -> ExactPll:
        return ExactPll(settings=exact_pll_settings(input_hz=input_hz, output_hz=output_hz), domain=domain)

    def flash_clock(self, clock: Value) -> Elaboratable:
        return Instance("USRMCLK", i_USRMCLKI=clock, i_USRMCLKTS=Const(0, 1))

    def pad_register(self, d: Value, q: Signal, *, domain: str) -> Elaboratable:
        clock = ClockSignal(domain)
        return Instance("OFS1P3DX", i_SCLK=clock, i_SP=Const(1), i_CD=Const(0), i_D=d, o_Q=q)

    def late_clock(self, port: Any, *, domain: str, late_ns: float) -> LateClock:
        return LateClock(port, domain=domain, late_ns=late_ns)


ECP5: Target = Ecp5()
