"""The pads of a board's configuration flash: which there are, and what drives its clock."""

import re

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.boards.board import BOARDS, Board
from bnnhw.boards.design import emit_design
from bnnhw.hw.engine.boot.flash_reader import flash_pins

WITH_FLASH = {name: board for name, board in BOARDS.items() if board.flash is not None}


class Pinned(wiring.Component):
    """Nothing but pins."""

    rx: Signal
    tx: Signal
    busy: Signal

    def __init__(self):
        super().__init__({"rx": In(1, init=1), "tx": Out(1, init=1), "busy": Out(1), "flash": Out(flash_pins())})

    def elaborate(self, platform) -> Module:
        return Module()


def test_the_boards_with_external_memory_are_those_with_a_flash():
    assert list(WITH_FLASH) == [name for name, board in BOARDS.items() if board.memory is not None]


@pytest.mark.parametrize("board", WITH_FLASH.values(), ids=WITH_FLASH)
def test_its_clock_has_no_pad(board: Board):
    """That `wp` and `hold` stay high: tests/sim/board/test_join_flash.py."""
    pll = board.target.clock_settings(input_hz=board.clock_hz, output_hz=50_000_000)
    design = emit_design(Pinned(), board, pll=pll)
    pins = dict(re.findall(r'LOCATE COMP "boot_flash_0__(\w+)__io" SITE "(\w+)"', design.pins))
    wanted = {"cs": "R2", "copi": "W2", "cipo": "V2", "hold": "W1", "wp": "Y2"}
    if not board.name.startswith("ulx3s"):
        wanted = {"cs": "N8", "copi": "T8", "cipo": "T7", "hold": "N7", "wp": "M7"}
    assert pins == wanted
    assert len(re.findall(r"cell \\USRMCLK ", design.rtlil)) == 1


@pytest.mark.parametrize("board", WITH_FLASH.values(), ids=WITH_FLASH)
def test_programs_lie_behind_the_largest_bitstream(board: Board):
    """Of bits of configuration by the data sheet, all block RAMs filled, uncompressed."""
    assert board.flash is not None
    most = {"12F": 0.86e6, "25F": 0.86e6, "45F": 1.5e6, "85F": 2.45e6}[board.device.name.partition("-")[2]]
    assert most < board.flash.programs_at < board.flash.size <= 1 << 24
