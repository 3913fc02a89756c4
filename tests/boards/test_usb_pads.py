"""The pads of a board's USB socket: which there are, with a register each, in a clock of 48 MHz."""

import re
from typing import Any

import pytest
from amaranth.hdl import ClockDomain, Elaboratable, Module
from amaranth.lib import io

from bnnhw.boards.board import BOARDS, Board
from bnnhw.boards.usb_pads import USB_HZ, UsbPads, request_usb
from bnnhw.hw.usb.device import UsbDevice

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false
WITH_SOCKET = {name: board for name, board in BOARDS.items() if board.usb_note is not None and not board.ulpi}


class Echo(Elaboratable):
    """What comes by USB goes back, in the oscillator's own clock."""

    def __init__(self, board: Board):
        self.board = board

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        target = self.board.target
        m.domains += [ClockDomain("sync", reset_less=True), ClockDomain("usb", reset_less=True)]
        m.submodules.pll = pll = target.clock_settings(
            input_hz=self.board.clock_hz, output_hz=self.board.clock_hz
        ).make()
        m.submodules.usb_pll = usb_pll = target.exact_clock(
            input_hz=self.board.clock_hz, output_hz=USB_HZ, domain="usb"
        )
        m.submodules.oscillator = oscillator = io.Buffer("i", platform.request(self.board.clock, dir="-"))
        m.submodules.device = device = UsbDevice(serial="1", target=target)
        m.submodules.pads = UsbPads(device, request_usb(platform))
        m.d.comb += [
            *(pll.clock_in.eq(oscillator.i), usb_pll.clock_in.eq(oscillator.i)),
            *(device.sent.payload.eq(device.received.payload), device.sent.valid.eq(device.received.valid)),
            device.received.ready.eq(device.sent.ready),
        ]
        return m


@pytest.mark.parametrize("board", WITH_SOCKET.values(), ids=WITH_SOCKET)
def test_pads_registers_and_clock(board: Board):
    """Which pins they are: tests/boards/test_pins.py."""
    plan = board.platform().prepare(Echo(board), "top", emit_src=False)
    pins, design = (str(plan.files[f"top.{suffix}"]) for suffix in (board.target.tools.pins_suffix, "il"))
    pads = re.findall(r'IOBUF PORT "usb_socket_0__\w+" (.*);', pins)
    assert [{"PULLMODE=NONE", "DRIVE=4"} <= {*pad.split()} for pad in pads] == [True, True, True]
    assert re.search(r'FREQUENCY NET "\S*usb_clock" 48000000.0 HZ', pins)
    cells = {kind: len(re.findall(rf"cell \\{kind} ", design)) for kind in ("OFS1P3DX", "IFS1P3DX", "EHXPLLL")}
    assert cells == {"OFS1P3DX": 4, "IFS1P3DX": 2, "EHXPLLL": 1}
    assert len(re.findall(r"connect \\SCLK \\usb_clk", design)) == 6
