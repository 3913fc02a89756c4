"""The pads of a board's SDRAM chip: which there are, in which clock, and when the chip's clock comes."""

import re

import pytest

from bnnhw.boards.board import BOARDS, Board, get_board
from bnnhw.boards.design import emit_design
from bnnhw.boards.sdram_pads import late_ns
from bnnhw.hw.engine.engine_with_memory import EngineWithMemory
from bnnhw.hw.engine.packets import PACKET_WORDS
from bnnhw.hw.top import Top
from tests.engine_rtl import CHIP, small_shape

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
    assert chip.shape.width * 8 << chip.shape.address_bits == 8 * 32 << 20


def test_every_pin_has_a_register_at_its_pad():
    board = get_board("ulx3s-12f")
    pll = board.target.clock_settings(input_hz=board.clock_hz, output_hz=CLOCK_HZ, late_ns=late_ns(CLOCK_HZ))
    shape = small_shape(external=CHIP.shape)
    top = Top(
        core=EngineWithMemory(shape, chip=CHIP, clock_hz=CLOCK_HZ),
        clock_hz=CLOCK_HZ,
        baud=3_000_000,
        network_id=shape.identity,
        input_elements=PACKET_WORDS,
        output_elements=PACKET_WORDS,
        target=board.target,
    )
    design = emit_design(top, board, pll=pll)
    pins = len(re.findall(r'LOCATE COMP "sdram_0__', design.pins))
    cells = {kind: len(re.findall(rf"cell \\{kind} ", design.rtlil)) for kind in ("OFS1P3DX", "IFS1P3DX", "ODDRX1F")}
    data, clocks = CHIP.width, 1
    assert pins == 39
    assert cells["ODDRX1F"] == clocks
    assert cells["IFS1P3DX"] == data
    assert cells["OFS1P3DX"] >= 2 * (pins - clocks)  # each with its enable


@pytest.mark.parametrize(
    ("mhz", "share"), [(25, 0.28), (50, 0.25), (75, 0.75), (90, 0.70), (100, 0.615), (125, 0.394), (133, 0.323)]
)
def test_the_chips_clock_comes_late(mhz: int, share: float):
    """Of the period; at 50 MHz a quarter, and at 100 about a half, are what LiteX' boards have."""
    assert late_ns(mhz * 10**6) * mhz / 1000 == pytest.approx(share, abs=0.005)
