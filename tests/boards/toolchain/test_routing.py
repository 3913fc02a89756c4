"""nextpnr's command line, its report and its log, with a fake nextpnr on PATH."""

import json
from pathlib import Path

import pytest

from bnnhw.boards.toolchain.process import ToolError
from bnnhw.boards.toolchain.routing import (
    ROUTER2_FROM_LUT4,
    STATIC_PLACER_FROM_LUT4,
    RoutedReport,
    design_fmax_hz,
    place_and_route,
)
from bnnhw.hw.targets import Cells, get_device

REPORT = {
    "fmax": {"$glbnet$a": {"achieved": 151.5, "constraint": 100}, "$glbnet$b": {"achieved": 120.25, "constraint": 100}},
    "utilization": {
        cell: {"used": used, "available": 1000}
        for cell, used in {"TRELLIS_COMB": 95, "TRELLIS_FF": 70, "DP16KD": 5, "MULT18X18D": 1}.items()
    },
}
LOG = """\
Info: Logic utilisation before packing:
Info:     Total LUT4s:        95/83640     0%
Info:         logic LUTs:     50/83640     0%
Info:         carry LUTs:     32/83640     0%
Info:           RAM LUTs:      8/10455     0%
Info:          RAMW LUTs:      4/20910     0%
Info: Packing constants..
Info:     at initial placer iter 3, wirelen = 8445
Info:     at iteration #2, type ALL: wirelen solved = 8433, spread = 9133, legal = 9561; time = 0.03s
Info: iter=87 steplen=1.274373 a=45.450672 penalty=[0.00, 0.00, 0.00, 0.00]
Info:   at iteration #5: temp = 0.000000, timing cost = 149, wirelen = 6991
Info: Routing globals...
Info:       1000 |      470        511 |  470   511 |        22|       1.18       1.18|
Info:     iter=4 wires=100 overused=7 overuse=7 archfail=NA
Info: Program finished normally.
"""


@pytest.fixture
def nextpnr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A nextpnr-ecp5 that keeps its arguments in `arguments`, prints LOG and writes REPORT; its folder."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "top.json").write_text('{"modules": {}}')
    (tmp_path / "report").write_text(json.dumps(REPORT))
    (tmp_path / "log").write_text(LOG)
    tool = tmp_path / "bin" / "nextpnr-ecp5"
    tool.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && exit\necho "$@" > arguments\ncat log\n'
        'while [ "$1" != --report ]; do shift; done\ncp report "$2"\n'
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    return tmp_path


def route(folder: Path, *, luts: int = 100, **options) -> RoutedReport:
    device = get_device("LFE5UM5G-85F")
    return place_and_route(folder, device=device, package="CABGA381", speed=8, seed=7, luts=luts, **options)


def test_reads_the_report_and_the_log(nextpnr: Path):
    report = route(nextpnr)
    assert report.cells == Cells(logic=95, luts=62, carries=16, ffs=70, ebr=5, multipliers=1)
    assert report.seed == 7
    assert report.fmax_hz == 120.25e6


def test_hears_the_phases(nextpnr: Path):
    phases: list[str] = []
    route(nextpnr, on_phase=phases.append)
    assert phases == [
        "packing",
        "placing, first step 3, wire length 8445",
        "placing, step 2, wire length 9561",
        "placing, step 87",
        "refining the placement, step 5, wire length 6991",
        "routing the clocks",
        "routing, 22 arcs left",
        "routing, step 4, 7 wires overused",
    ]


def arguments(folder: Path) -> str:
    return (folder / "arguments").read_text()


@pytest.mark.parametrize(
    ("luts", "router"), [(100, "router1"), (ROUTER2_FROM_LUT4 - 1, "router1"), (ROUTER2_FROM_LUT4, "router2")]
)
def test_picks_the_router_by_size(nextpnr: Path, luts: int, router: str):
    route(nextpnr, luts=luts)
    assert f"--router {router} " in arguments(nextpnr)


@pytest.mark.parametrize(
    ("luts", "placer"), [(STATIC_PLACER_FROM_LUT4 - 1, "heap"), (STATIC_PLACER_FROM_LUT4, "static")]
)
def test_picks_the_placer_by_size(nextpnr: Path, luts: int, placer: str):
    route(nextpnr, luts=luts)
    assert f"--placer {placer} " in arguments(nextpnr)


def test_passes_device_seed_and_files(nextpnr: Path):
    route(nextpnr, output="top.seed7")
    assert arguments(nextpnr).startswith("--um5g-85k --package CABGA381 --speed 8 --json top.open.json ")
    assert "--seed 7 " in arguments(nextpnr)
    assert "--textcfg top.seed7.config --report top.seed7.report.json" in arguments(nextpnr)
    assert (nextpnr / "logs" / "nextpnr.seed7.log").read_text() == LOG


def test_takes_the_pins_from_the_preferences_where_there_are_some(nextpnr: Path):
    route(nextpnr, clock_hz=123_456_789)
    assert "--lpf-allow-unconstrained" in arguments(nextpnr)
    assert "--freq 123.456789 " in arguments(nextpnr)
    (nextpnr / "top.lpf").write_text("")
    route(nextpnr)
    assert "--lpf top.lpf --seed" in arguments(nextpnr)
    assert "--freq" not in arguments(nextpnr)


def test_shows_nextpnrs_own_error(nextpnr: Path):
    tool = nextpnr / "bin" / "nextpnr-ecp5"
    tool.write_text("#!/bin/sh\necho \"ERROR: Unable to place cell 'x', no BELs remaining\"; exit 255\n")
    message = (
        r"^nextpnr-ecp5 failed with exit code 255: ERROR: Unable to place cell 'x', no BELs .*; see .*/nextpnr.log$"
    )
    with pytest.raises(ToolError, match=message):
        route(nextpnr)


@pytest.mark.parametrize(
    ("clocks", "fmax_mhz"),
    [
        ([(139.1, 105.009)], 139.1),
        ([(139.1, 105.009), (133.5, 125)], 139.1),
        ([(100.0, 105.009), (133.5, 125)], 100),
        ([(139.1, 105.009), (100, 125)], 84),
        ([(100.0, 105.009), (120, 125)], 100),
        ([(139.1, 105.009), (60, 48), (100, 125)], 84),
    ],
)
def test_a_clock_that_misses_its_own_frequency_counts(clocks: list[tuple[float, float]], fmax_mhz: float):
    """Of the design's clock of 105 MHz, and others."""
    found = [{"achieved": achieved, "constraint": constraint} for achieved, constraint in clocks]
    assert design_fmax_hz(found, 105e6) == pytest.approx(fmax_mhz * 1e6)
