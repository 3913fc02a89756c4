"""The host driver with images and answers of several chunks, against a board in pure Python."""

import random
import zlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from bnnhw.boards.host.errors import LinkError
from bnnhw.boards.host.link import BoardLink
from bnnhw.boards.host.serial_line import SerialLine
from bnnhw.hw.protocol import Decoder, ErrorCode, Frame, Info, Kind, encode

from .fake_board import FakeBoard, no_fault
from .faults import FAULTS, every

INFO = Info(
    window=4,
    input_chunk=8,
    output_chunk=16,
    input_bytes=37,
    output_bytes=74,
    clock_hz=100_000_000,
    network_id=b"net-0001",
)
IMAGES = [random.Random(n).randbytes(INFO.input_bytes) for n in range(40)]
CHUNKS = 5  # of an image, and of an answer


def network(image: bytes) -> bytes:
    return image[::-1] + image


def test_sends_chunks_and_puts_them_together():
    with FakeBoard(INFO, network) as board, BoardLink(SerialLine(board.port, baud=3_000_000)) as link:
        assert [answer.outputs for answer in link.infer_many(IMAGES)] == [network(image) for image in IMAGES]
        sent = [frame for frame in board.received if isinstance(frame, Frame) and frame.kind == Kind.INFER]
        assert [(frame.sequence, frame.number) for frame in sent] == [(n, c) for n in range(40) for c in range(CHUNKS)]
        assert b"".join(frame.payload for frame in sent) == b"".join(IMAGES)


def test_waits_for_taken():
    quiet = lambda number, wire: b"" if wire[1] == Kind.TAKEN else wire  # noqa: E731
    with (
        FakeBoard(INFO, network, damage_answer=quiet) as board,
        BoardLink(SerialLine(board.port, baud=3_000_000), timeout_s=0.1, retries=0) as link,
        pytest.raises(LinkError, match="lost image 0 1 times"),
    ):
        link.infer(IMAGES[0])
    assert [frame.number for frame in board.received if isinstance(frame, Frame)][1:5] == [0, 1, 2, 3]
    assert sum(isinstance(frame, Frame) and frame.kind == Kind.INFER for frame in board.received) == INFO.window


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("direction", ["damage_answer", "damage_request"])
def test_survives_faults(direction: str, fault: Callable[[bytes], bytes]):
    faults = {"damage_answer": no_fault, "damage_request": no_fault, direction: every(23, fault)}
    with (
        FakeBoard(INFO, network, **faults) as board,
        BoardLink(SerialLine(board.port, baud=3_000_000), timeout_s=0.2, retries=100) as link,
    ):
        assert [answer.outputs for answer in link.infer_many(IMAGES)] == [network(image) for image in IMAGES]


def test_one_lost_taken_is_made_good_by_the_next():
    lose = lambda number, wire: b"" if wire[1] == Kind.TAKEN and number % 2 else wire  # noqa: E731
    with (
        FakeBoard(INFO, network, damage_answer=lose) as board,
        BoardLink(SerialLine(board.port, baud=3_000_000), retries=0) as link,
    ):
        assert [answer.outputs for answer in link.infer_many(IMAGES)] == [network(image) for image in IMAGES]


def test_numbers_go_on_after_a_later_info():
    """So what is late, and was sent before that INFO, answers no image that is sent behind it."""
    silent = lambda number, wire: b"" if 4 <= number < 30 and wire[1] != Kind.INFO_ANSWER else wire  # noqa: E731
    with (
        FakeBoard(INFO, network, damage_answer=silent) as board,
        BoardLink(SerialLine(board.port, baud=3_000_000), timeout_s=0.1, retries=20) as link,
    ):
        assert [answer.outputs for answer in link.infer_many(IMAGES[:5])] == [network(image) for image in IMAGES[:5]]
    sent = [frame for frame in board.received if isinstance(frame, Frame)]
    numbers = [frame.sequence for frame in sent if frame.kind == Kind.INFER and frame.number == 0]
    assert sum(frame.kind == Kind.INFO for frame in sent) > 1
    assert numbers == list(range(len(numbers)))


def test_megabytes():
    size = 3_000_001
    large = replace(INFO, window=4, input_chunk=4096, output_chunk=4096, input_bytes=size, output_bytes=size)
    image = random.Random(0).randbytes(size)
    with FakeBoard(large, bytes) as board, BoardLink(SerialLine(board.port, baud=12_000_000), timeout_s=10) as link:
        assert link.infer(image).outputs == image


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"number": 5}, "answers with chunk 5, where it has 5"),
        ({"number": 0xFFFF}, "answers with chunk 65535, where it has 5"),
        ({"payload": bytes(15)}, "answers with 15 bytes, not 16"),
        ({"number": 4}, "answers with 16 bytes, not 14"),
    ],
)
def test_checks_the_chunks_of_answers(change: dict[str, int | bytes], message: str):
    def fault(number: int, wire: bytes) -> bytes:
        (frame,) = Decoder().feed(wire)
        assert isinstance(frame, Frame)
        is_first = frame.kind == Kind.INFER_ANSWER and frame.number == 0
        return encode(replace(frame, **change)) if is_first else wire  # pyright: ignore[reportArgumentType]

    with (
        FakeBoard(INFO, network, damage_answer=fault) as board,
        BoardLink(SerialLine(board.port, baud=3_000_000)) as link,
        pytest.raises(LinkError, match=f"^the board at {board.port} {message}$"),
    ):
        link.infer(IMAGES[0])


def test_an_image_whose_answer_has_begun_may_fail():
    """Its ERROR comes in the place of the answer's next chunk; it is sent again whole, and answered."""

    def fault(number: int, wire: bytes) -> bytes:
        (frame,) = Decoder().feed(wire)
        assert isinstance(frame, Frame)
        if frame.kind == Kind.INFER_ANSWER and frame.sequence == 0 and frame.number:
            return encode(Frame(Kind.ERROR, 0, bytes([ErrorCode.CRC]))) if frame.number == 1 else b""
        return wire

    with (
        FakeBoard(INFO, network, damage_answer=fault) as board,
        BoardLink(SerialLine(board.port, baud=3_000_000), retries=1) as link,
    ):
        assert link.infer(IMAGES[0]).outputs == network(IMAGES[0])


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (bytes([0x1F, 0, 1, 0, ErrorCode.LONG]), "built by an older bnnhw: its link has version 1, not 2; build it"),
        (bytes([0x3F, 0, 0, 0, 0, 0, 1, 0]), "built by a newer bnnhw: its link has version 3, not 2; build it again"),
    ],
)
def test_tells_a_board_of_another_version_at_once(answer: bytes, message: str):
    def fault(number: int, wire: bytes) -> bytes:
        (frame,) = Decoder().feed(wire)
        assert isinstance(frame, Frame)
        body = answer[:1] + bytes([frame.sequence]) + answer[2:]
        return b"~" + escaped(body + zlib.crc32(body).to_bytes(4, "little")) + b"~"

    with (
        FakeBoard(INFO, network, damage_answer=fault) as board,
        BoardLink(SerialLine(board.port, baud=3_000_000), timeout_s=60) as link,
        pytest.raises(LinkError, match=f"^the design on the board at {board.port} was {message}"),
    ):
        link.info()


def escaped(body: bytes) -> bytes:
    return body.replace(b"}", b"}]").replace(b"~", b"}^")
