"""Engines behind USB and UDP: made, and their programs reckoned and run on the virtual board."""

import json
from pathlib import Path

import numpy as np
import pytest

from bnnhw.api.builds.program import BuiltProgram
from bnnhw.api.builds.program_report import report_of
from bnnhw.boards.board import get_board
from bnnhw.boards.engines.build import cached_engine
from bnnhw.boards.engines.manifest import EngineManifest
from bnnhw.boards.engines.program_folder import ProgramManifest
from bnnhw.boards.engines.sizes import sizes_for
from bnnhw.compiler import evaluate, integerize, load

from .test_engine import run, small_engine  # noqa: F401 a fixture of every test here

RTL = ("engine", "--stop-after", "rtl", "-q", "--board")


def engine_of(board: str) -> EngineManifest:
    target = get_board(board)
    return EngineManifest.read(cached_engine(target, sizes_for(target)))


def test_over_usb(workplace: Path, capsys: pytest.CaptureFixture[str]):
    """The program is reckoned with the engine's link; the virtual board has bytes in the place of the socket."""
    assert run(*RTL, "ulx3s-12f", "--link", "usb", "--address", "usb:seven") == 0
    assert engine_of("ulx3s-12f").link_choice.address == "usb:seven"
    assert run("build", "--engine", "--board", "ulx3s-12f", "model.pt", "-o", "program") == 0
    assert ProgramManifest.read(Path("program")).address == "usb:seven"
    assert "USB, full speed" in Path("program/report.html").read_text()
    images = np.random.default_rng(1).integers(0, 17, (3, 8, 8, 1))
    for number, image in enumerate(images):
        np.save(f"{number}.npy", image)
    capsys.readouterr()
    assert run("run", "--simulate", "--json", "program", "0.npy", "1.npy", "2.npy") == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    graph = integerize(load("model.pt"))
    (labels,) = evaluate(graph, {graph.inputs[0].name: images}).values()
    assert [row["label"] for row in rows] == [str(label) for label in labels]


def test_over_udp(workplace: Path):
    """The engine's answers are what limits: a byte each 6 cycles, of 2 packets of 264 + 4 + 12 bytes for 4 frames."""
    assert run(*RTL, "ecpix5-45f", "--link", "udp") == 0
    assert engine_of("ecpix5-45f").address == "192.168.1.50:4096"
    assert run("build", "--engine", "--board", "ecpix5-45f", "model.pt", "-o", "program") == 0
    built = BuiltProgram.read(Path("program"))
    link = report_of(built.manifest, built.program, built.graph).link
    assert link.name == "UDP, gigabit Ethernet"
    assert link.frames_per_second == pytest.approx(4 * 90e6 / 6 / (2 * (264 + 4 + 12)))
    assert run(*RTL, "ecpix5-45f") == 0
    assert engine_of("ecpix5-45f").baud == 3_000_000


def test_over_what_the_board_has(workplace: Path):
    """Of a program before its engine and behind it."""
    assert run("build", "--engine", "--board", "logicbone-45f", "model.pt", "-o", "program") == 0
    assert ProgramManifest.read(Path("program")).address == "usb"
    assert run(*RTL, "logicbone-45f") == 0
    assert engine_of("logicbone-45f").address == "usb"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("ulx3s-12f --link udp", "link=udp needs gigabit Ethernet, which bnnhw does not know ulx3s-12f to have"),
        (
            "ecp5-evn --link usb",
            "link=usb needs USB of its own, which bnnhw",
        ),
        ("ecpix5-45f --link udp --baud 115200", "baud=115200 is of a UART; link=udp has none"),
        ("ecpix5-45f --address 10.0.0.2:7", "address=10.0.0.2:7 is of a link over UDP or USB; link=uart has none"),
        ("ecpix5-45f --link udp --address 10.0.0.2", "address='10.0.0.2' must be IP:PORT"),
    ],
)
def test_refusals(options: str, message: str, workplace: Path, capsys: pytest.CaptureFixture[str]):
    assert run(*RTL, *options.split()) == 2
    assert message in capsys.readouterr().err
