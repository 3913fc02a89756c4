"""The pads of a board's USB PHY: which there are, registers where they belong, and the PHY's clock."""

import re
from typing import Any

import pytest
from amaranth.hdl import ClockDomain, Elaboratable, Module
from amaranth.lib import io

from bnnhw.boards.board import BOARDS
from bnnhw.boards.description import Board
from bnnhw.boards.ulpi_pads import ULPI, UlpiPads
from bnnhw.hw.usb.high_speed_device import UsbHighSpeedDevice

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false
WITH_PHY = {name: board for name, board in BOARDS.items() if board.ulpi}


class Echo(Elaboratable):
    """What comes by USB goes back, in the oscillator's own clock."""

    def __init__(self, board: Board):
        self.board = board

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        board = self.board
        m.domains += [ClockDomain("sync", reset_less=True), ClockDomain("usb", reset_less=True)]
        m.submodules.pll = pll = board.target.clock_settings(input_hz=board.clock_hz, output_hz=board.clock_hz).make()
        m.submodules.oscillator = oscillator = io.Buffer("i", platform.request(board.clock, dir="-"))
        m.submodules.device = device = UsbHighSpeedDevice(serial="1", target=board.target)
        port = platform.request(ULPI, 0, dir={part.name: "-" for part in platform.lookup(ULPI, 0).ios})
        m.submodules.pads = UlpiPads(device, port, clock_hz=board.clock_hz, target=board.target)
        m.d.comb += [
            pll.clock_in.eq(oscillator.i),
            *(device.sent.payload.eq(device.received.payload), device.sent.valid.eq(device.received.valid)),
            device.received.ready.eq(device.sent.ready),
        ]
        return m


def test_boards_with_a_phy():
    assert list(WITH_PHY) == ["ecpix5-45f", "ecpix5-85f"]


@pytest.mark.parametrize("board", WITH_PHY.values(), ids=WITH_PHY)
def test_pins_registers_and_clock(board: Board):
    """The pins are those of LambdaConcept's own constraints. All that goes to the PHY has a register at its pad, and
    the data's drivers have none."""
    plan = board.platform().prepare(Echo(board), "top", emit_src=False)
    pins, design = (str(plan.files[f"top.{suffix}"]) for suffix in (board.target.tools.pins_suffix, "il"))
    found = dict(re.findall(r'LOCATE COMP "ulpi_0__(\w+)__io(?:\[\d\])?" SITE "(\w+)"', pins))
    data = re.findall(r'LOCATE COMP "ulpi_0__data__io\[\d\]" SITE "(\w+)"', pins)
    assert data == ["M26", "L25", "L26", "K25", "K26", "J23", "P25", "H25"]
    assert {name: pin for name, pin in found.items() if name != "data"} == {
        "clk": "H24",
        "dir": "F22",
        "nxt": "F23",
        "stp": "H23",
        "rst": "E23",
    }
    assert re.search(r'FREQUENCY PORT "ulpi_0__clk__io" 60000000.0 HZ', pins)
    kinds = re.findall(r"cell \\(OFS1P3DX|IFS1P3DX|BB|IB|OBZ) ", design)
    assert {kind: kinds.count(kind) for kind in kinds} == {"OFS1P3DX": 8 + 2 + 2, "BB": 8, "IB": 4, "OBZ": 2}
