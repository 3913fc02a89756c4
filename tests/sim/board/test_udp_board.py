"""The virtual board behind UDP: the same answers as behind a pseudo-terminal, and an end when its caller ends."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from bnnhw.boards.host.accelerator import Accelerator
from bnnhw.boards.host.accelerators import Accelerators
from bnnhw.boards.host.errors import LinkError
from bnnhw.boards.link_choice import LinkChoice
from bnnhw.compiler.dataflow.schedule import Schedule
from bnnhw.hw.datagrams import HostEnd
from bnnhw.sim.board import datagram_port
from bnnhw.sim.board.datagram_port import DatagramPort
from bnnhw.sim.board.virtual_board import VirtualBoard
from bnnhw.sim.errors import SimulationError

from .small_builds import IMAGES, expected_answers, write_build

LARGE = np.random.default_rng(4).integers(0, 256, (3, 66, 66, 1))  # 4356 bytes on the link
PATIENCE_S = 60
HERE = "127.0.0.1"


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Schedule]:
    folder = tmp_path_factory.mktemp("build")
    return folder, write_build(folder)


def test_answers_what_the_integer_graph_does(tmp_path: Path):
    """To images of several chunks."""
    schedule = write_build(tmp_path, output="scores", binarise=False, shape=LARGE.shape[1:])
    with (
        VirtualBoard(tmp_path, link="udp") as board,
        Accelerator.open(tmp_path, address=board.address, timeout_s=PATIENCE_S) as accelerator,
    ):
        assert board.port is None
        info = accelerator.link.info()
        assert info.input_bytes == 4356 > info.input_chunk
        scores = [answer.scores for answer in accelerator.answers(LARGE)]
        assert scores == expected_answers(schedule, LARGE).tolist()


def test_outlives_hosts_that_come_and_go(build: tuple[Path, Schedule]):
    folder, schedule = build
    labels = expected_answers(schedule).tolist()
    with VirtualBoard(folder, link="udp") as board:
        for n in range(3):
            with Accelerator.open(folder, address=board.address, timeout_s=PATIENCE_S) as accelerator:
                answer = accelerator.answer(IMAGES[n])
                assert (answer.index, answer.cycles) == (labels[n], schedule.timing.latency)


def use_a_board_that_dies(folder: Path) -> None:
    with VirtualBoard(folder, link="udp") as board:
        os.kill(board.pid, signal.SIGKILL)
        os.waitid(os.P_PID, board.pid, os.WEXITED | os.WNOWAIT)
        Accelerator.open(folder, address=board.address, timeout_s=PATIENCE_S)


def test_names_what_the_process_died_of(build: tuple[Path, Schedule]):
    with pytest.raises(SimulationError, match=r"^the virtual board ended: killed by SIGKILL$") as caught:
        use_a_board_that_dies(build[0])
    assert isinstance(caught.value.__context__, LinkError)
    assert "nothing answers at 127.0.0.1:" in str(caught.value.__context__)


@pytest.mark.parametrize(
    ("board", "place"), [("ecpix5-85f", "192.0.2.7:4096"), ("ecpix5-85f", "usb"), ("ulx3s-85f", "usb:7")]
)
def test_a_build_of_another_link_is_behind_udp(tmp_path: Path, board: str, place: str):
    """Whose port is left out, and the pads beside it."""
    schedule = write_build(tmp_path, board=board, link=LinkChoice(address=place))
    with (
        VirtualBoard(tmp_path) as virtual,
        Accelerator.open(tmp_path, address=virtual.address, timeout_s=PATIENCE_S) as accelerator,
    ):
        assert [answer.index for answer in accelerator.answers(IMAGES)] == expected_answers(schedule).tolist()


def test_of_two_boards_one_is_killed(build: tuple[Path, Schedule]):
    """Each of 10,000 images is answered, in order."""
    folder, schedule = build
    labels = expected_answers(schedule).tolist()
    command = [sys.executable, "-m", "bnnhw.sim.board.virtual_board", str(folder), "--link", "udp"]
    lost: list[LinkError] = []
    with ExitStack() as stack:
        processes = [stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True)) for _ in "12"]
        for process in processes:
            stack.callback(process.kill)
        addresses = [process.stdout.readline().strip() for process in processes if process.stdout is not None]
        boards = stack.enter_context(Accelerators.open(folder, addresses=addresses, timeout_s=2, on_lost=lost.append))
        answers: list[int | None] = []
        for answer in boards.answers([*IMAGES] * 1000):
            answers.append(answer.index)
            if len(answers) == 5000:
                processes[1].kill()
        assert answers == labels * 1000
        assert [addresses[1] in str(error) for error in lost] == [True]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_runs_as_a_program_until_it_is_interrupted(build: tuple[Path, Schedule], number: signal.Signals, code: int):
    folder, schedule = build
    command = [sys.executable, "-m", "bnnhw.sim.board.virtual_board", str(folder), "--link", "udp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        address = process.stdout.readline().strip()
        with Accelerator.open(folder, address=address, timeout_s=PATIENCE_S) as accelerator:
            assert accelerator.answer(IMAGES[0]).index == expected_answers(schedule)[0]
            process.send_signal(number)
            assert process.wait(PATIENCE_S) == code
            assert process.stderr.read() == ""
            with pytest.raises(LinkError, match=f"^nothing answers at {address}"):
                list(accelerator.answers([IMAGES[0]] * 99))
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:  # its process has ended
                opened.bind((HERE, int(address.rpartition(":")[2])))


def test_what_finds_its_buffer_full_is_lost(monkeypatch: pytest.MonkeyPatch):
    """As any datagram may be: those behind it count from their next flag on."""
    monkeypatch.setattr(datagram_port, "_QUEUE", 100)
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.bind((HERE, 0))
    with opened, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as host:
        host.connect(opened.getsockname())
        port, end, queue = DatagramPort(opened), HostEnd(), bytearray()
        end.begin()
        for payload in (b"~begin", b"x" * 80, b"end~", b"y" * 80, b"tail~~next~"):
            host.send(end.wrap(payload))
            port.receive(queue)
        assert bytes(queue) == b"~begin" + b"~" + b"~~next~"
