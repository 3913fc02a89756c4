"""A tiny design from RTL to a bitstream: the same bits every time, the right clock, the best of several seeds."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.api.builds.plan import PlanOptions
from bnnhw.boards import build as build_module
from bnnhw.boards.board import BOARDS, Board, get_board
from bnnhw.boards.build import BuildOptions, StopAfter, build, build_component
from bnnhw.boards.description import LinkMedium
from bnnhw.boards.design import emit_design
from bnnhw.boards.link_choice import LinkChoice
from bnnhw.boards.toolchain.process import ToolError
from bnnhw.boards.toolchain.routing import RoutedReport
from bnnhw.boards.toolchain.synthesis import SynthesisReport
from bnnhw.boards.toolchain.tools import Tool, find_tool
from bnnhw.hw.targets import Cells, Program
from bnnhw.hw.targets.ecp5.pll import pll_settings

from .networks import make_schedule


class Echo(wiring.Component):
    """tx repeats rx, and toggles a counter so that there is a path to time."""

    rx: Signal
    tx: Signal
    busy: Signal

    def __init__(self):
        super().__init__({"rx": In(1), "tx": Out(1, init=1), "busy": Out(1)})

    def elaborate(self, platform) -> Module:
        m = Module()
        count = Signal(8)
        m.d.sync += [count.eq(count + self.rx), self.tx.eq(count[-1]), self.busy.eq(count[-2])]
        return m


ALL_FILES = ["logs", "top.bit", "top.config", "top.il", "top.json", "top.lpf", "top.report.json", "top.v"]
BOARD = get_board("ulx3s-25f")
PLL = pll_settings(input_hz=BOARD.clock_hz, output_hz=100_000_000)
WITH_UART = {name: board for name, board in BOARDS.items() if board.uart_note is not None}


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.toolchain
def test_makes_the_same_bits_in_every_folder(tmp_path: Path):
    folders = [tmp_path / "a", tmp_path / "another" / "folder"]
    for folder in folders:
        folder.mkdir(parents=True)
        figures = build_component(Echo(), BOARD, folder, pll=PLL)
        assert files(folder) == ALL_FILES
        assert figures.clock_hz == 100e6
        assert figures.is_timing_met
        assert figures.synthesis is not None
        assert figures.routing is not None
        assert figures.synthesis.cells.ffs == figures.routing.cells.ffs
        assert list(figures.seconds) == ["rtl", "synthesis", "place and route", "bitstream"]
    for name in set(ALL_FILES) - {"logs"}:
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name
        if name != "top.bit":
            assert str(tmp_path) not in (folders[0] / name).read_text()
            assert "site-packages" not in (folders[0] / name).read_text()


@pytest.mark.toolchain
def test_constrains_the_plls_output_not_the_oscillator(tmp_path: Path):
    pll = pll_settings(input_hz=BOARD.clock_hz, output_hz=80_000_000)
    build_component(Echo(), BOARD, tmp_path, BuildOptions(stop_after="route"), pll=pll)
    log = (tmp_path / "logs" / "nextpnr.seed1.log").read_text()
    assert re.findall(r"Max frequency for clock .*at ([\d.]+) MHz", log)[-1:] == ["80.00"]


@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("stop_after", "present"),
    [("rtl", ["logs", "top.il", "top.lpf", "top.v"]), ("synth", ["logs", "top.il", "top.json", "top.lpf", "top.v"])],
)
def test_stops_where_asked(tmp_path: Path, stop_after: StopAfter, present: list[str]):
    said: list[tuple[str, str]] = []
    options = BuildOptions(stop_after=stop_after)
    figures = build_component(
        Echo(), BOARD, tmp_path, options, pll=PLL, progress=lambda stage, note: said.append((stage, note))
    )
    assert files(tmp_path) == present
    assert (figures.synthesis is None) == (stop_after == "rtl")
    assert (figures.routing, figures.is_timing_met) == (None, None)
    assert said[0] == ("rtl", "elaborating")


@pytest.mark.toolchain
@pytest.mark.slow
@pytest.mark.parametrize("name", ["versa-ecp5", "ecpix5-45f"])
def test_builds_for_other_boards(tmp_path: Path, name: str):
    board = get_board(name)
    pll = pll_settings(input_hz=board.clock_hz, output_hz=100_000_000)
    assert build_component(Echo(), board, tmp_path, pll=pll).is_timing_met
    assert (tmp_path / "top.bit").stat().st_size > 1000


@pytest.mark.toolchain
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "medium"),
    [
        *(("orangecrab-25f", "usb"), ("orangecrab-85f", "usb"), ("logicbone-45f", "usb"), ("logicbone-85f", "usb")),
        *(("butterstick", "udp"), ("supercon19", "usb"), ("versa-ecp5-5g", "uart"), ("versa-ecp5-5g", "udp")),
        *(("versa-ecp5", "udp"), ("icepi-zero", "usb")),
    ],
)
def test_builds_a_network_for_a_boards_link(tmp_path: Path, name: str, medium: LinkMedium):
    """All its clocks are met: the core's, and that of its USB or of its PHY."""
    figures = build(
        make_schedule(tmp_path, seed=1),
        get_board(name),
        tmp_path,
        clock_hz=80e6,
        link=PlanOptions(board=name, link=medium).link_choice,
        network_id=b"net-0001",
    )
    assert figures.is_timing_met
    clocks = json.loads((tmp_path / "top.report.json").read_text())["fmax"]
    told = (f"{clock} {each['achieved']:.1f} of {each['constraint']:.0f}" for clock, each in clocks.items())
    print(f"{name}, {medium}: {', '.join(told)} MHz")
    assert all(each["achieved"] >= each["constraint"] for each in clocks.values())
    assert len(clocks) == {"uart": 1, "udp": 2, "usb": 2}[medium]
    assert (tmp_path / "top.bit").stat().st_size > 1000


@pytest.mark.toolchain
@pytest.mark.parametrize("clock_hz", [12_000_000, 24_000_000])
def test_builds_for_another_family(tmp_path: Path, clock_hz: int):
    """With its PLL, and with the clock's pad alone; the constraint is that of the gated clock."""
    board = get_board("icebreaker")
    pll = board.target.clock_settings(input_hz=board.clock_hz, output_hz=clock_hz)
    figures = build_component(Echo(), board, tmp_path, pll=pll)
    assert files(tmp_path) == sorted([*(set(ALL_FILES) - {"top.bit", "top.lpf"}), "top.bin", "top.pcf"])
    assert (figures.clock_hz, figures.is_timing_met) == (clock_hz, True)
    assert figures.synthesis is not None
    assert figures.routing is not None
    assert figures.synthesis.cells.ffs == figures.routing.cells.ffs > 8
    assert (tmp_path / "top.bin").stat().st_size == 104_090
    log = (tmp_path / "logs" / "nextpnr.seed1.log").read_text()
    assert "ignoring clock constraint" not in log
    asked = re.findall(r"Max frequency for clock +'(.*)': .* at ([\d.]+) MHz", log)
    assert ("clk", f"{clock_hz / 1e6:.2f}") in asked


@pytest.mark.parametrize("board", WITH_UART.values(), ids=WITH_UART)
def test_writes_pins_for_every_board_with_a_uart(board: Board):
    pll = board.target.clock_settings(input_hz=board.clock_hz, output_hz=80_000_000)
    design = emit_design(Echo(), board, pll=pll)
    pins = re.findall(r'LOCATE COMP "\w+"|set_io \w+', design.pins)
    assert len(pins) >= 3 + board.has_led  # a differential clock has two
    hz = float(pll.output_hz)
    clock = rf'FREQUENCY NET "pll.core_clock" {hz} HZ;|set_frequency pll.core_clock {hz / 1e6}\n'
    assert re.search(clock, design.pins)
    assert "src" not in design.rtlil


def test_a_board_without_a_uart_says_so():
    board = get_board("butterstick")
    with pytest.raises(ValueError, match=r"^butterstick has no UART; its link is udp$"):
        emit_design(Echo(), board, pll=pll_settings(input_hz=board.clock_hz, output_hz=80_000_000))


CELLS = Cells(logic=10, luts=10, carries=0, ffs=10)
SYNTHESIS = SynthesisReport(CELLS, seconds=1)
ROUTED = RoutedReport(CELLS, fmax_hz=0, seed=0, seconds=1)


@pytest.fixture
def fake_tools(monkeypatch: pytest.MonkeyPatch):
    """Synthesis and routing without tools; Fmax by seed."""
    fmax_hz = {3: 80e6, 4: 95e6, 5: 90e6, 6: 120e6, 7: 130e6}

    def route(folder: Path, *, seed: int, output: str, **options) -> RoutedReport:
        for suffix in ("config", "report.json"):
            (folder / f"{output}.{suffix}").write_text(f"seed {seed}")
        return replace(ROUTED, fmax_hz=fmax_hz[seed], seed=seed)

    monkeypatch.setattr(build_module, "_write_verilog", lambda folder, **options: None)
    monkeypatch.setattr(build_module, "synthesise", lambda folder, tools, **options: SYNTHESIS)
    monkeypatch.setattr(build_module, "place_and_route", route)


@pytest.mark.usefixtures("fake_tools")
@pytest.mark.parametrize(
    ("retries", "tried", "best", "is_met"),
    [(0, [3], 3, False), (2, [3, 4, 5], 4, False), (4, [3, 4, 5, 6], 6, True)],
)
def test_tries_seeds_until_timing_is_met_and_keeps_the_best(
    tmp_path: Path, retries: int, tried: list[int], best: int, is_met: bool
):
    options = BuildOptions(seed=3, retries=retries, stop_after="route")
    figures = build_component(Echo(), BOARD, tmp_path, options, pll=PLL)
    assert [report.seed for report in figures.attempts] == tried
    assert figures.routing is not None
    assert (figures.routing.seed, figures.is_timing_met) == (best, is_met)
    assert figures.seconds["place and route"] == len(tried)
    assert files(tmp_path) == ["top.config", "top.il", "top.lpf", "top.report.json"]
    assert (tmp_path / "top.config").read_text() == f"seed {best}"


@pytest.mark.usefixtures("fake_tools")
@pytest.mark.parametrize("stop_after", ["rtl", "synth", None])
def test_asks_for_nextpnr_only_where_it_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop_after: StopAfter | None
):
    def find(program: Program) -> Tool:
        if program is BOARD.target.tools.place_and_route:
            raise ToolError("no tool chain")
        return find_tool(program)

    monkeypatch.setattr(build_module, "find_tool", find)
    if stop_after is None:
        with pytest.raises(ToolError, match="no tool chain"):
            build_component(Echo(), BOARD, tmp_path, pll=PLL)
        assert files(tmp_path) == []
    else:
        options = BuildOptions(stop_after=stop_after)
        assert build_component(Echo(), BOARD, tmp_path, options, pll=PLL).routing is None


@pytest.mark.usefixtures("fake_tools")
@pytest.mark.parametrize(
    ("excess", "message"),
    [
        (
            {"logic": 30_000},
            r"the design needs 30,000 LUT4, 24% more than the 24,288 of the LFE5U-25F of ulx3s-25f; take",
        ),
        ({"ebr": 84}, "the design needs 84 block RAMs, 50% more than the 56 of the"),
        ({"ffs": 48_576}, "the design needs 48,576 flip-flops, 100% more than"),
    ],
)
def test_says_by_how_much_a_design_is_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, excess: dict[str, int], message: str
):
    larger = replace(SYNTHESIS, cells=replace(CELLS, **excess))
    monkeypatch.setattr(build_module, "synthesise", lambda folder, tools, **options: larger)
    with pytest.raises(ValueError, match=message):
        build_component(Echo(), BOARD, tmp_path, pll=PLL)


@pytest.mark.toolchain
@pytest.mark.slow
def test_builds_a_network(tmp_path: Path):
    figures = build(
        make_schedule(tmp_path, seed=1),
        BOARD,
        tmp_path,
        clock_hz=100e6,
        link=LinkChoice(baud=3_000_000),
        network_id=b"net-0001",
    )
    assert figures.is_timing_met
    assert (tmp_path / "top.bit").stat().st_size > 1000
