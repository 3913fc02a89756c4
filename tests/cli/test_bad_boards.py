"""Boards that are not there, builds that are none, and images that the network cannot take."""

import io
import json
import os
import random
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import serial
from PIL import Image
from serial.tools import list_ports

from bnnhw.hw.protocol import Info
from tests.boards.host.fake_board import FakeBoard

from .case import Case, Make, run_case


def manifest(**changes: Any) -> Make:
    """The stock's manifest with other fields; those that are None go."""

    def make(path: Path) -> None:
        plain = json.loads(path.read_text()) | changes
        gone = [name for name, value in changes.items() if value is None]
        path.write_text(json.dumps({name: value for name, value in plain.items() if name not in gone}))

    return make


def picture(width: int, height: int, mode: str = "L") -> Make:
    return lambda path: Image.new(mode, (width, height)).save(path)


def array(values: Any) -> Make:
    return lambda path: np.save(path, values)


def cut_png(path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 8), np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:-40])


def floats(path: Path) -> None:
    Image.new("F", (8, 8)).save(path)


def integers(path: Path) -> None:
    Image.new("I", (8, 8)).save(path)


def pages(path: Path) -> None:
    Image.new("L", (8, 8)).save(path, save_all=True, append_images=[Image.new("L", (8, 8))])


def png_of_size(side: int) -> bytes:
    """The beginning of a PNG of so many pixels, and no more: reading it would take gigabytes."""
    header = b"IHDR" + struct.pack(">2I5B", side, side, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header)) + b"\0\0\0\0IDAT"
    )


def archive(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, a=np.zeros(3))


def npy_bytes() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros((8, 8, 1), int))
    return buffer.getvalue()


class Trap:
    """Unpickling one makes a folder called `sprung` in the working folder."""

    def __reduce__(self):
        return os.mkdir, ("sprung",)


def image(id: str, message: str, name: str, make: Make | bytes | None) -> Case:
    return Case(f"image: {id}", f"run build {name}", message, {} if make is None else {name: make})


def build(id: str, message: str, make: Make | bytes | str | None) -> Case:
    return Case(f"manifest: {id}", "run build digit.png", message, {"build/manifest.json": make})


AT = "build/manifest.json"
FIELDS = f"{AT} lacks or has too much of"

CASES = [
    Case(
        "run: no folder",
        "run nowhere digit.png",
        "nowhere is no build: it has no manifest.json; `bnnhw build` makes one",
    ),
    Case(
        "run: a file",
        "run model.pt digit.png",
        "model.pt is no build: it has no manifest.json; `bnnhw build` makes one",
    ),
    Case(
        "run: a folder with other things",
        "run images x.png",
        "images is no build: .*",
        {"images/x.png": "", "x.png": ""},
    ),
    build("missing", "build is no build: it has no manifest.json; .*", None),
    build("empty", "build/manifest.json is no JSON: .*", ""),
    build("no JSON", "build/manifest.json is no JSON: .*", '{"format": "bnnhw-build"'),
    build("binary", "build/manifest.json is no text", b"\xff\xfe\x00\x01"),
    build("a list", "build/manifest.json is no manifest of a bnnhw build", "[1, 2]"),
    build("of something else", "build/manifest.json is no manifest of a bnnhw build", manifest(format="pip")),
    build(
        "of a later version",
        "build/manifest.json is of version 4; this bnnhw reads versions 1 to 3; .*",
        manifest(version=4),
    ),
    build("without baud", rf"{FIELDS} \['baud'\]; build it again", manifest(baud=None)),
    build("with a stranger", rf"{FIELDS} \['colour'\]; build it again", manifest(colour="red")),
    build("baud is text", f"{AT}: manifest.baud must be an integer, got 'fast'; build it again", manifest(baud="fast")),
    build(
        "clock is text", f"{AT}: manifest.clock_hz must be a finite number, got 'x'; build .*", manifest(clock_hz="x")
    ),
    build(
        "shape is a number",
        f"{AT}: manifest.input_shape must be a list, got 8; build it again",
        manifest(input_shape=8),
    ),
    build(
        "id is no hexadecimal", f"{AT}: network_id='zz' must be 16 hexadecimal digits; .*", manifest(network_id="zz")
    ),
    build("classes are numbers", rf"{AT}: manifest.classes\[0\] must be a string, got 1; .*", manifest(classes=[1, 2])),
    build("output is poetry", rf"{FIELDS} \['output'\]; build it again", manifest(output="poem")),
    build("manifest is a folder", "build/manifest.json.*: Is a directory", lambda path: (path.unlink(), path.mkdir())),
    Case("flash: no folder", "flash nowhere", "nowhere is no build: .*"),
    Case("flash: no bitstream", "flash build", "build/top.bit: no such bitstream.*", {"build/top.bit": None}),
    Case("flash: no loader", "flash build", "no loader for ulx3s-85f: openFPGALoader or fujprog is not on PATH; .*"),
    Case(
        "flash: board of a later bnnhw",
        "flash build",
        "board='crab9' is unknown; the boards are .*",
        {"build/manifest.json": manifest(board="crab9")},
    ),
    Case("flash: no time", "flash build --time-limit 0", ".*'--time-limit': 0.0 is not in the range x>=1.*"),
    Case("no board", "run build digit.png", "no board: this computer has no USB serial port; connect the board, .*"),
    Case("no such port", "run build digit.png --port /dev/ttyUSB99", "port /dev/ttyUSB99 does not exist; .* are none"),
    Case("port is a file", "run build digit.png --port model.pt", "port model.pt is no serial port; .* are none"),
    Case("port is a folder", "run build digit.png --port build", "port build .*"),
    Case(
        "port is a device without a line",
        "run build digit.png --port /dev/null",
        "port /dev/null is no serial port; .*",
    ),
    Case(
        "port and simulation", "run --simulate --port x build digit.png", "--simulate and --port exclude each other; .*"
    ),
    Case("address without a port", "run build digit.png --address board", "address 'board' must be HOST:PORT, .*"),
    Case("address of no host", "run build digit.png --address a..b:7000", "host 'a..b' is unknown: no host has .*"),
    Case("address of nothing", "run build digit.png --address 127.0.0.1:1", "nothing answers at 127.0.0.1:1; .*"),
    Case("address twice", "run build digit.png --address a:1 --address a:1", "addresses=a:1, a:1 must be of boards .*"),
    Case(
        "address and port", "run build digit.png --address a:1 --port b", "--port and --address exclude each other; .*"
    ),
    Case(
        "address and simulation",
        "run --simulate build digit.png --address a:1",
        "--simulate and --address exclude each other; .*",
    ),
    Case("a board's link", "run --link udp build digit.png", "--link is of the virtual board; a board behind UDP .*"),
    Case("repeated to files", "run build digit.png --repeat 2 -o x", "--repeat and --output exclude each other; .*"),
    Case("no time", "run build digit.png --timeout 0", ".*'--timeout': 0.0 is not in the range x>0.*"),
    Case("no image", "run build", r"Missing argument 'IMAGES...'. \(try 'bnnhw run --help'\)"),
    Case(
        "simulation of a damaged design",
        "run --simulate build digit.png",
        "build/top.il cannot be simulated: yosys: ERROR: .*",
        {"build/top.il": "module top"},
    ),
    Case("simulation without a design", "run --simulate build digit.png", "build is no build: it has no top.il"),
    image("missing", ".*'none.png' does not exist.*", "none.png", None),
    image("a folder", ".*'build' is a directory.*", "build", None),
    image("too large", "big.png is 28x28 pixels; the network takes 8x8: resize it first", "big.png", picture(28, 28)),
    image("too small", "dot.png is 1x1 pixels; the network takes 8x8: resize it first", "dot.png", picture(1, 1)),
    image("floats", "a.tif holds floating-point numbers, .*; save it with 8 or 16 bits, .*", "a.tif", floats),
    image("32 bits", "a.tif holds 32-bit or signed integers, .*; save it with 8 or 16 bits, .*", "a.tif", integers),
    image("two pages", "a.tif holds 2 pictures; save the one that is meant as a PNG", "a.tif", pages),
    image("empty", "a.png is no image that can be read; give a PNG, .*", "a.png", b""),
    image("text", "a.png is no image that can be read; give a PNG, .*", "a.png", b"hello\n"),
    image("noise", "a.png is no image that can be read; give a PNG, .*", "a.png", random.Random(0).randbytes(999)),
    image("truncated PNG", "a.png is no image that can be read; give a PNG, .*", "a.png", cut_png),
    image(
        "npy of wrong shape",
        r"a.npy holds int64 \(28, 28\); the network takes integers of .*",
        "a.npy",
        array(np.ones((28, 28), int)),
    ),
    image(
        "npy of floats",
        r"a.npy holds float64 \(8, 8, 1\); the network takes integers .*",
        "a.npy",
        array(np.ones((8, 8, 1))),
    ),
    image(
        "npy out of range",
        r"a.npy spans \[99, 99\]; the network takes \[0, 16\]",
        "a.npy",
        array(np.full((8, 8, 1), 99)),
    ),
    image("npy of objects", "a.npy is no numpy array of numbers; .*", "a.npy", array(np.array([Trap()], object))),
    image("npy that is none", "a.npy is no numpy array of numbers; .*", "a.npy", b"\x80\x04hello"),
    image("npy that is empty", "a.npy is no numpy array of numbers; .*", "a.npy", b""),
    image(
        "npy truncated",
        "a.npy is no numpy array of numbers; .*",
        "a.npy",
        lambda path: path.write_bytes(npy_bytes()[:-9]),
    ),
    image("npy that is an archive", "a.npy holds an archive; the network takes integers .*", "a.npy", archive),
    Case(
        "sim: image of another size",
        "sim model.pt big.png",
        "big.png is 28x28 pixels; .*",
        {"big.png": picture(28, 28)},
    ),
    Case("sim: stalls for ever", "sim model.pt --stalls 1", ".*'--stalls': 1.0 is not in the range 0<=x<1.*"),
    Case(
        "sim: waves to nowhere",
        "sim model.pt --waves nowhere/a.vcd",
        "nowhere/a.vcd cannot be written: there is no folder nowhere; make it first",
    ),
]


@pytest.fixture(autouse=True)
def bare_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without serial ports and without loaders."""
    monkeypatch.setattr(list_ports, "comports", list)
    monkeypatch.setenv("PATH", "")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_says_what_is_missing(case: Case, workplace: Path, capfd: pytest.CaptureFixture[str]):
    run_case(case, workplace, capfd)


@pytest.fixture
def board(request: pytest.FixtureRequest) -> Iterator[FakeBoard]:
    """A board, behind a pseudo-terminal, that holds the network whose id begins with the byte given, or is mute."""
    first = request.param
    info = Info(
        window=4,
        input_chunk=8,
        output_chunk=1,
        input_bytes=8,
        output_bytes=1,
        clock_hz=100_000_000,
        network_id=bytes([first or 0]) + bytes(7),
    )
    with FakeBoard(info, lambda _: b"\0", mute=first is None) as board:
        yield board


ANSWERS = {
    "mute": (None, "the board at {port} does not answer at 3000000 baud; is it flashed with this build, and .*"),
    "other network": (1, "the board at {port} holds the network 0100000000000000, not .*; flash this build, or .*"),
}


@pytest.mark.parametrize(("board", "message"), ANSWERS.values(), ids=ANSWERS, indirect=["board"])
def test_says_what_the_board_does(board: FakeBoard, message: str, workplace: Path, capfd: pytest.CaptureFixture[str]):
    line = f"run build digit.png --port {board.port} --timeout 0.1"
    run_case(Case("", line, message.format(port=board.port)), workplace, capfd)


@pytest.mark.parametrize("board", [0], indirect=True)
def test_says_that_a_port_is_busy(board: FakeBoard, workplace: Path, capfd: pytest.CaptureFixture[str]):
    with serial.Serial(board.port, exclusive=True):
        message = f"port {board.port} is in use by another program; end it first"
        run_case(Case("", f"run build digit.png --port {board.port}", message), workplace, capfd)


def test_lists_the_ports_where_there_are_several(
    workplace: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    class Port:
        vid = 1

        def __init__(self, device: str):
            self.device = device

    monkeypatch.setattr(list_ports, "comports", lambda: [Port("/dev/b"), Port("/dev/a")])
    message = "more than one serial port: /dev/a, /dev/b; name the board's"
    run_case(Case("", "run build digit.png", message), workplace, capfd)
