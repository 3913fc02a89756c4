"""The pads of a board's SDRAM chip: which there are, in which clock, and when the chip's clock comes."""

import re

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.boards.board import BOARDS, Board
from bnnhw.boards.design import emit_design
from bnnhw.boards.sdram_pads import late_ns
from bnnhw.hw.memory.pins import sdram_pins
from bnnhw.hw.memory.port import BURST
from bnnhw.hw.memory.timing import SdramChip

CLOCK_HZ = 90_000_000
WITH_MEMORY = {name: board for name, board in BOARDS.items() if board.memory is not None}


@pytest.mark.parametrize("board", WITH_MEMORY.values(), ids=WITH_MEMORY)
def test_the_chip_is_the_resources(board: Board):
    assert board.memory is not None
    resource = board.platform().lookup("sdram", 0)
    widths = {each.name: len(each.ios[0].names) for each in resource.ios}
    chip = board.memory
    assert widths["dq"] == chip.width
    assert (1 << widths["ba"], 1 << widths["a"]) == (chip.banks, chip.rows)
    assert chip.width // 8 * BURST << chip.shape.address_bits == 32 << 20
    assert not chip.timing(CLOCK_HZ).obstacles()


class Pinned(wiring.Component):
    """Nothing but pins."""

    rx: Signal
    tx: Signal
    busy: Signal

    def __init__(self, chip: SdramChip):
        pins = {"pins": Out(sdram_pins(chip))}
        super().__init__({"rx": In(1, init=1), "tx": Out(1, init=1), "busy": Out(1)} | pins)

    def elaborate(self, platform) -> Module:
        return Module()


@pytest.mark.parametrize("board", WITH_MEMORY.values(), ids=WITH_MEMORY)
def test_every_pin_has_a_register_at_its_pad(board: Board):
    assert board.memory is not None
    pll = board.target.clock_settings(input_hz=board.clock_hz, output_hz=CLOCK_HZ, late_ns=late_ns(CLOCK_HZ))
    design = emit_design(Pinned(board.memory), board, pll=pll)
    pins = len(re.findall(r'LOCATE COMP "sdram_0__', design.pins))
    cells = {kind: len(re.findall(rf"cell \\{kind} ", design.rtlil)) for kind in ("OFS1P3DX", "IFS1P3DX", "ODDRX1F")}
    clocks, enables = 1, pins
    assert pins == 39
    assert cells == {"ODDRX1F": clocks, "IFS1P3DX": board.memory.width, "OFS1P3DX": pins - clocks + enables}
    assert len(re.findall(r"connect \\SCLK \\late_clk", design.rtlil)) == 2  # the clock's pin and its enable


@pytest.mark.parametrize(
    ("mhz", "share"), [(25, 0.28), (50, 0.25), (75, 0.75), (90, 0.70), (100, 0.615), (125, 0.394), (133, 0.323)]
)
def test_the_chips_clock_comes_late(mhz: int, share: float):
    """Of the period; at 50 MHz a quarter, and at 100 about a half, are what LiteX' boards have."""
    assert late_ns(mhz * 10**6) * mhz / 1000 == pytest.approx(share, abs=0.005)
