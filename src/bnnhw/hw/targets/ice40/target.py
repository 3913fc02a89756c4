"""The iCE40 UltraPlus as a target.

Tests: tests/hw/targets/test_target.py
"""

from collections.abc import Sequence
from typing import Any

from amaranth.hdl import Elaboratable, Module, Shape, Value

from bnnhw.hls.scheduling.delays import Delays
from bnnhw.hw.targets.cells import CellNames
from bnnhw.hw.targets.fabric import Fabric
from bnnhw.hw.targets.models import SimulationModels
from bnnhw.hw.targets.plain import PlainMultiplier
from bnnhw.hw.targets.target import Clock, Target

from .adders import Ice40Adders
from .block_ram import SHAPES, SbRam40
from .pll import CLOCK_GATE, PllSettings, pll_settings
from .toolchain import TOOLS

__all__ = ["ICE40"]


class Ice40(Target):
    """Carry chains as yosys makes them of sums, block RAM in SB_RAM40_4K, multipliers as yosys finds SB_MAC16, an
    SB_PLL40_PAD; Project IceStorm's tools. It has no RAM in LUTs, no second clock and no way to its flash's pins but
    pads."""

    name = "ice40"
    fabric = Fabric(
        lut_inputs=4,
        block_ram_shapes=SHAPES,
        block_ram_luts=176,
        distributed_ram=(8, 1, 13),
        queue_luts_per_bit={8: 14.0, 16: 27.0, 32: 53.0},
        carry_luts=1,
        carry_end_luts=1,
        chain_positions=1,
        delays=Delays(
            clock=1.6,
            lut=3.0,
            carry=6.6,
            carry_bit=0.35,
            multiplier=((20.0, 0.0), (2.0, 18.0)),
            enable=9.0,
            enable_bit=0.002,
        ),
        lone_ffs=0.65,
        usable=0.88,
        link_block_rams=5,
        clocks_hz=(24e6,),
    )
    tools = TOOLS
    models = SimulationModels(
        folder="ice40",
        library="+/ice40/cells_sim.v",
        defines=("BLACKBOX",),
        overriding=("clocks.v", "pads.v", "block_ram.v"),
        verilog=("sb_ram40.v",),
        changes=(f"chtype -set CLOCK_GATE a:{CLOCK_GATE}",),
    )
    cell_names = CellNames(logic="ICESTORM_LC", luts="SB_LUT4", carries="SB_CARRY", unrouted="SB_LUT4 or SB_DFF")

    def adders(self, m: Module) -> Ice40Adders:
        return Ice40Adders(m)

    def block_ram(self, *, depth: int, width: int, init: Sequence[int] = (), writable: bool = False) -> SbRam40:
        return SbRam40(self.fabric, depth=depth, width=width, init=init, writable=writable)

    def multiplier(self, *, a: Shape, b: Shape, registers: int = 0) -> PlainMultiplier:
        return PlainMultiplier(a=a, b=b, registers=registers)

    def clock_settings(self, *, input_hz: int, output_hz: int, late_ns: float | None = None) -> PllSettings:
        if late_ns is not None:
            raise ValueError(f"late_ns={late_ns}: an iCE40 makes no clock that is later than another one")
        return pll_settings(input_hz=input_hz, output_hz=output_hz)

    def exact_clock(self, *, input_hz: int, output_hz: int, domain: str) -> Clock:
        raise ValueError(f"domain={domain!r}: an iCE40 has one PLL, the core's")

    def flash_clock(self, clock: Value) -> Elaboratable:
        raise ValueError("an iCE40 hands its flash's clock to a pad, not to the fabric")

    def late_clock(self, port: Any, *, domain: str, late_ns: float) -> Elaboratable:
        raise ValueError(f"late_ns={late_ns}: an iCE40's pads have no delays")


ICE40: Target = Ice40()
