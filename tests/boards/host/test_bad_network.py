"""A network that loses, doubles, delays and damages datagrams, both ways: every answer comes, and is right."""

import random
import select
import socket
import zlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from bnnhw.boards.host.link import BoardLink
from bnnhw.boards.host.udp_line import UdpLine
from bnnhw.hw.datagrams import DATAGRAM_HEADER_BYTES, BoardEnd
from bnnhw.hw.protocol import CRC_BYTES, HEADER_BYTES, Decoder, Frame, Info, Kind

from .udp_board import Faults, Network, UdpBoard, sum_of

SHORT = Info(
    window=8, input_chunk=5, output_chunk=1, input_bytes=5, output_bytes=1, clock_hz=100_000_000, network_id=b"net-0001"
)
BOARDS = {
    "short": SHORT,
    "long, in several datagrams": replace(SHORT, window=4, input_chunk=3072, input_bytes=3072, output_bytes=2),
    "of several chunks": replace(SHORT, window=4, input_chunk=1024, input_bytes=2500, output_chunk=8, output_bytes=19),
    "answers of several datagrams": replace(SHORT, output_chunk=1024, output_bytes=3500),
}
TIMEOUT_S = 0.01
HOPELESS = 1000


def answer_of(image: bytes, size: int) -> bytes:
    return b"".join(zlib.crc32(image, n).to_bytes(4, "little") for n in range(-(-size // 4)))[:size]


def soak(info: Info, *, images: int, seed: int, faults: Faults) -> dict[str, int]:
    """Infers random images, no two alike: every answer must be right, and come. What happened to datagrams."""
    rng = random.Random(seed)
    sent = [rng.randbytes(info.input_bytes) for _ in range(images)]
    with (
        UdpBoard(info, lambda image: answer_of(image, info.output_bytes)) as board,
        Network(board.address, seed=seed, faults=faults) as network,
        BoardLink(UdpLine(network.address), timeout_s=TIMEOUT_S, retries=HOPELESS) as link,
    ):
        for image, answer in zip(sent, link.infer_many(sent), strict=True):
            assert answer.outputs == answer_of(image, info.output_bytes), f"seed={seed}"
    return sum_of(network.out, network.back)


@pytest.mark.parametrize("name", BOARDS)
def test_every_answer_comes_and_is_right(name: str):
    """10,000 frames in all."""
    info = BOARDS[name]
    frames = -(-info.input_bytes // info.input_chunk) + -(-info.output_bytes // info.output_chunk)
    counts = soak(info, images=2500 // frames, seed=1, faults=Faults())
    assert min(counts[name] for name in ("lost", "doubled", "late")) > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", BOARDS)
def test_every_answer_comes_and_is_right_a_hundred_thousand_times(name: str):
    info = BOARDS[name]
    frames = -(-info.input_bytes // info.input_chunk) + -(-info.output_bytes // info.output_chunk)
    counts = soak(info, images=25_000 // frames, seed=2, faults=Faults())
    assert min(counts.values()) > 0


@pytest.mark.parametrize("name", BOARDS)
def test_the_past_answers_nothing(name: str):
    """Half of all datagrams come again, up to 1000 others later: sequence numbers have wrapped by then."""
    info = replace(BOARDS[name], window=1 if name == "short" else 4)
    counts = soak(info, images=600, seed=3, faults=Faults(lost=2, doubled=500, late=0, damaged=0, behind=1000))
    assert counts["carried"] > 1000


def test_a_sound_network_carries_nothing_twice():
    counts = soak(BOARDS["of several chunks"], images=300, seed=4, faults=Faults(0, 0, 0, 0))
    assert counts["carried"] <= 2 * (1 + 3 * 300) + 300


class ForgetfulBoard(UdpBoard):
    """Loses its power every now and then."""

    def _take(self, opened: socket.socket) -> None:
        super()._take(opened)
        if len(self.received) % 50 == 49:
            self._end, self._decoder, self._last, self._open = BoardEnd(), Decoder(), None, None


def test_a_board_that_starts_anew_loses_nothing():
    images = [random.Random(n).randbytes(2500) for n in range(200)]
    with (
        ForgetfulBoard(BOARDS["of several chunks"], lambda image: answer_of(image, 19)) as board,
        BoardLink(UdpLine(board.address), timeout_s=TIMEOUT_S, retries=HOPELESS) as link,
    ):
        answers = [answer.outputs for answer in link.infer_many(images)]
    assert answers == [answer_of(image, 19) for image in images]
    assert sum(isinstance(frame, Frame) and frame.kind == Kind.INFO for frame in board.received) > 5


class SlowBoard(UdpBoard):
    """Does nothing before all that is sent has come; `most` bytes have waited at once."""

    def __init__(self, info: Info, network: Callable[[bytes], bytes]):
        super().__init__(info, network)
        self.most = self._waiting = 0
        self._held: list[list[bytes]] = []

    def _take(self, opened: socket.socket) -> None:
        self._waiting += len(opened.recv(2000, socket.MSG_PEEK))
        self.most = max(self.most, self._waiting)
        super()._take(opened)
        if not select.select([opened], [], [], 0.01)[0]:
            held, self._held = self._held, []
            self._waiting = 0
            for answers in held:
                super()._answer(answers)

    def _answer(self, answers: list[bytes]) -> None:
        self._held.append(answers)


@pytest.mark.parametrize("name", BOARDS)
def test_the_window_is_all_that_a_board_must_hold(name: str):
    """Of what is sent without an answer, headers, escapes and flags included: so no rate need be agreed upon."""
    info = BOARDS[name]
    images = [b"~" * info.input_bytes] * 40
    with (
        SlowBoard(info, lambda image: answer_of(image, info.output_bytes)) as board,
        BoardLink(UdpLine(board.address), timeout_s=5) as link,
    ):
        assert len(list(link.infer_many(images))) == len(images)
    frame = HEADER_BYTES + 2 * info.input_chunk + 2 * CRC_BYTES + 2
    datagrams = info.window * (1 + frame // 1400)
    assert info.window * info.input_chunk < board.most <= info.window * frame + datagrams * DATAGRAM_HEADER_BYTES
