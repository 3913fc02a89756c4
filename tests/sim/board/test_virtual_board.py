"""The virtual board: small builds behind a pseudo-terminal, through the very driver that talks to a real board."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import serial
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.boards.board import get_board
from bnnhw.boards.design import emit_design
from bnnhw.boards.host.accelerator import Accelerator
from bnnhw.boards.host.errors import LinkError
from bnnhw.compiler.dataflow.schedule import Schedule
from bnnhw.hw.protocol import Decoder, ErrorCode, Frame, Kind, encode
from bnnhw.hw.targets.ecp5.pll import pll_settings
from bnnhw.sim.batch import native
from bnnhw.sim.board import virtual_board
from bnnhw.sim.board.virtual_board import VirtualBoard
from bnnhw.sim.errors import SimulationError
from tests.boards.networks import Output

from .small_builds import CLOCK_HZ, IMAGES, expected_answers, write_build

LARGE = np.random.default_rng(4).integers(0, 256, (3, 66, 66, 1))  # 4356 bytes on the link
PATIENCE_S = 60


class Wire(wiring.Component):
    """Sends back what it receives."""

    rx: Signal
    tx: Signal
    busy: Signal

    def __init__(self):
        super().__init__({"rx": In(1, init=1), "tx": Out(1, init=1), "busy": Out(1)})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.d.sync += self.tx.eq(self.rx)
        return m


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Schedule]:
    folder = tmp_path_factory.mktemp("build")
    return folder, write_build(folder)


@pytest.mark.parametrize(
    ("output", "binarise", "vectors"), [("label", True, 1), ("scores", False, 1), ("scores", True, 3)]
)
def test_answers_what_the_integer_graph_does(tmp_path: Path, output: Output, binarise: bool, vectors: int):
    schedule = write_build(tmp_path, output=output, binarise=binarise, vectors=vectors)
    expected = expected_answers(schedule)
    assert len(np.unique(expected, axis=0)) > 1
    with VirtualBoard(tmp_path) as board, Accelerator.open(tmp_path, port=board.port, timeout_s=60) as accelerator:
        assert accelerator.answer(IMAGES[0]).cycles == schedule.timing.latency
        answers = list(accelerator.answers(IMAGES))
    assert [answer.index if output == "label" else answer.scores for answer in answers] == expected.tolist()


@pytest.mark.parametrize("vectors", [1, 2])
def test_answers_images_of_several_chunks(tmp_path: Path, vectors: int):
    """And is still there when a host has gone in the middle of one."""
    schedule = write_build(tmp_path, output="scores", binarise=False, vectors=vectors, shape=LARGE.shape[1:])
    with VirtualBoard(tmp_path) as board:
        with Accelerator.open(tmp_path, port=board.port, timeout_s=60) as accelerator:
            info = accelerator.link.info()
            assert info.input_bytes == 4356 > info.input_chunk
            answers = list(accelerator.answers(LARGE))
        assert [answer.scores for answer in answers] == expected_answers(schedule, LARGE).tolist()
        with serial.Serial(board.port) as port:
            begin = schedule.encode_image(LARGE[0])[: info.input_chunk]
            port.write(encode(Frame(Kind.INFO, 5, b"")) + encode(Frame(Kind.INFER, 0, begin)))
        with Accelerator.open(tmp_path, port=board.port, timeout_s=60) as accelerator:
            assert accelerator.answer(LARGE[2]).scores == answers[2].scores


@contextmanager
def opened(folder: Path) -> Iterator[serial.Serial]:
    """The port of the virtual board of a build, after INFO has been answered."""
    with VirtualBoard(folder) as board, serial.Serial(board.port, timeout=PATIENCE_S) as port:
        assert ask(port, encode(Frame(Kind.INFO, 7, b"")))[0].kind == Kind.INFO_ANSWER
        yield port


def ask(port: serial.Serial, data: bytes, *, answers: int = 1) -> list[Frame]:
    """Sends bytes; the answers."""
    decoder, frames, deadline = Decoder(), [], time.monotonic() + PATIENCE_S
    port.write(data)
    while len(frames) < answers:
        assert time.monotonic() < deadline, frames
        frames += decoder.feed(port.read(1))
    assert all(isinstance(frame, Frame) for frame in frames)
    return frames


def flip_bit(data: bytes) -> bytes:
    """A frame with a bit of its payload changed."""
    return data[:8] + bytes([data[8] ^ 4]) + data[9:]


@pytest.mark.parametrize(
    ("damage", "code"),
    [(flip_bit, ErrorCode.CRC), (lambda data: data[:8], ErrorCode.SHORT)],
    ids=["damaged", "cut off, until the time-out"],
)
def test_refuses_a_bad_frame_and_serves_the_next_good_ones(build: tuple[Path, Schedule], damage, code: ErrorCode):
    folder, schedule = build
    labels = expected_answers(schedule).tolist()
    requests = [encode(Frame(Kind.INFER, n, schedule.encode_image(IMAGES[n]))) for n in range(3)]
    with opened(folder) as port:
        (refused,) = ask(port, damage(requests[0]))
        assert (refused.kind, refused.payload) == (Kind.ERROR, bytes([code]))
        answers = ask(port, b"".join(requests), answers=3)
        assert [(answer.kind, answer.sequence, answer.payload[0]) for answer in answers] == [
            (Kind.INFER_ANSWER, n, labels[n]) for n in range(3)
        ]


def test_outlives_hosts_that_come_and_go(build: tuple[Path, Schedule]):
    folder, schedule = build
    labels = expected_answers(schedule).tolist()
    with VirtualBoard(folder) as board:
        for n in range(3):
            with Accelerator.open(folder, port=board.port, timeout_s=PATIENCE_S) as accelerator:
                assert accelerator.answer(IMAGES[n]).index == labels[n]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processor time is read from /proc")
def test_sleeps_while_nothing_moves(build: tuple[Path, Schedule]):
    def ticks(board: VirtualBoard) -> int:
        return sum(map(int, Path(f"/proc/{board.pid}/stat").read_text().rsplit(")")[1].split()[11:13]))

    folder, _ = build
    with VirtualBoard(folder) as board, Accelerator.open(folder, port=board.port, timeout_s=PATIENCE_S) as accelerator:
        accelerator.answer(IMAGES[0])
        time.sleep(0.1)
        before = ticks(board)
        time.sleep(0.5)
        assert ticks(board) - before <= 1


def use_a_board_that_dies(folder: Path) -> None:
    with VirtualBoard(folder) as board:
        os.kill(board.pid, signal.SIGKILL)
        Accelerator.open(folder, port=board.port, timeout_s=PATIENCE_S)


def test_names_what_the_process_died_of(build: tuple[Path, Schedule]):
    with pytest.raises(SimulationError, match=r"^the virtual board ended: killed by SIGKILL$") as caught:
        use_a_board_that_dies(build[0])
    assert isinstance(caught.value.__context__, LinkError)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_runs_as_a_program_until_it_is_interrupted(build: tuple[Path, Schedule], number: signal.Signals, code: int):
    folder, schedule = build
    command = [sys.executable, "-m", "bnnhw.sim.board.virtual_board", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        port = process.stdout.readline().strip()
        with Accelerator.open(folder, port=port, timeout_s=PATIENCE_S) as accelerator:
            assert accelerator.answer(IMAGES[0]).index == expected_answers(schedule)[0]
        process.send_signal(number)
        assert process.wait(PATIENCE_S) == code
        assert process.stderr.read() == ""
    deadline = time.monotonic() + PATIENCE_S
    while Path(port).exists():  # until its process has ended
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_ends_a_worker_that_never_gets_ready(
    build: tuple[Path, Schedule], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    sleeper = tmp_path / "sleeper"
    sleeper.write_text(
        f'#!/bin/sh\ncase "$2" in *virtual_board_worker) exec sleep 60;; *) exec {sys.executable} "$@";; esac\n'
    )
    sleeper.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(sleeper))
    monkeypatch.setattr(virtual_board, "_STARTING_S", 0.1)
    board = VirtualBoard(build[0])
    with pytest.raises(SimulationError, match=r"^the virtual board is not ready after 0\.1 s; try it again$"):
        board.__enter__()
    assert board.port is not None
    assert not Path(board.port).exists()


def test_ends_a_worker_that_stands_still(build: tuple[Path, Schedule], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(virtual_board, "_PATIENCE_S", 0.1)
    with VirtualBoard(build[0]) as board:
        os.kill(board.pid, signal.SIGSTOP)
        with pytest.raises(LinkError, match="does not answer at 1000000 baud"):
            Accelerator.open(build[0], port=board.port, timeout_s=0.1)
    assert board.port is not None
    assert not Path(board.port).exists()


NO_PINS = "module \\top\n  wire input 0 \\clk\nend\n"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("manifest.json", None, "is no build: it has no manifest.json$"),
        ("top.il", None, "is no build: it has no top.il$"),
        ("manifest.json", b"{", "manifest.json is damaged; build it again$"),
        ("manifest.json", b"[]", "manifest.json is damaged; build it again$"),
        ("manifest.json", b'{"baud": 3000000, "clock_hz": "fast"}', "manifest.json is damaged; build it again$"),
        ("top.il", b"module \\top\n  wire", "top.il cannot be simulated: yosys: .*ERROR: "),
        ("top.il", b"\xff\xfe", "top.il cannot be simulated: 'utf-8' codec can't decode"),
        ("top.il", NO_PINS.encode(), r"the virtual board ended: port uart_0__rx__io of one bit is required; the ports"),
    ],
)
def test_refuses_what_is_no_build(tmp_path: Path, name: str, content: bytes | None, message: str):
    (tmp_path / "manifest.json").write_text('{"baud": 3000000, "clock_hz": 100e6}')
    (tmp_path / "top.il").write_text(NO_PINS)
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(SimulationError, match=message), VirtualBoard(tmp_path):
        pass


def test_refuses_a_folder_that_does_not_exist(tmp_path: Path):
    with pytest.raises(SimulationError, match=r"nowhere is no build: it has no manifest\.json$"):
        VirtualBoard(tmp_path / "nowhere").__enter__()


def test_says_that_a_compiler_is_missing(build: tuple[Path, Schedule], monkeypatch: pytest.MonkeyPatch):
    folder, _ = build
    monkeypatch.setenv("CXX", "no-such-compiler")
    native.load_library.cache_clear()
    with pytest.raises(SimulationError, match=r"install g\+\+, or name another one in CXX$"), VirtualBoard(folder):
        pass


@pytest.mark.parametrize("name", ["ulx3s-12f", "versa-ecp5", "icepi-zero", "colorlight-5a-75b"])
def test_finds_the_pins_of_boards(tmp_path: Path, name: str):
    target = get_board(name)
    pll = pll_settings(input_hz=target.clock_hz, output_hz=CLOCK_HZ)
    rtlil = emit_design(Wire(), target, pll=pll).rtlil
    (tmp_path / "manifest.json").write_text(f'{{"baud": 1000000, "clock_hz": {pll.output_hz}}}')
    (tmp_path / "top.il").write_text(rtlil)
    with VirtualBoard(tmp_path) as board, serial.Serial(board.port, timeout=PATIENCE_S) as port:
        port.write(b"echo")
        assert port.read(4) == b"echo"
