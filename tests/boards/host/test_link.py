"""The host driver against a board in pure Python: right answers through every fault, clear errors otherwise."""

import re
import struct
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any, cast

import pytest

from bnnhw.boards.host.errors import LinkError
from bnnhw.boards.host.link import BoardLink
from bnnhw.boards.host.serial_line import SerialLine
from bnnhw.boards.host.serial_port import choose_port, open_port
from bnnhw.hw.protocol import Decoder, ErrorCode, Frame, Info, Kind, encode

from .fake_board import CYCLES, FakeBoard, no_fault
from .faults import FAULTS, every

INFO = Info(
    window=4, input_chunk=5, output_chunk=2, input_bytes=5, output_bytes=2, clock_hz=100_000_000, network_id=b"net-0001"
)
IMAGES = [bytes([n % 256, 0x7E, 0x7D, n // 256, 0xFF]) for n in range(300)]


def network(image: bytes) -> bytes:
    return sum(image).to_bytes(2, "little")


def expected(images: list[bytes]) -> list[bytes]:
    return [network(image) for image in images]


def test_infers_one_image():
    with FakeBoard(INFO, network) as board, BoardLink(SerialLine(board.port, baud=3_000_000)) as link:
        assert link.info() == INFO
        answer = link.infer(IMAGES[7])
        assert (answer.outputs, answer.cycles) == (network(IMAGES[7]), CYCLES)


def test_infers_many_images_in_order_past_the_wrap_of_sequence_numbers():
    with FakeBoard(INFO, network) as board, BoardLink(SerialLine(board.port, baud=3_000_000)) as link:
        assert [answer.outputs for answer in link.infer_many(IMAGES)] == expected(IMAGES)
        numbers = [frame.sequence for frame in board.received if isinstance(frame, Frame) and frame.kind == Kind.INFER]
        assert numbers == [n % 256 for n in range(len(IMAGES))]


def test_keeps_the_window_full_and_never_exceeds_it():
    sent_before_first_answer = []
    with FakeBoard(INFO, network) as board, BoardLink(SerialLine(board.port, baud=3_000_000)) as link:

        def images():
            for image in IMAGES[:20]:
                sent_before_first_answer.append(image)
                yield image

        next(link.infer_many(images()))
        assert INFO.window <= len(sent_before_first_answer) <= 2 * INFO.window


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("direction", ["damage_answer", "damage_request"])
def test_survives_faults(direction: str, fault: Callable[[bytes], bytes]):
    faults = {"damage_answer": no_fault, "damage_request": no_fault, direction: every(7, fault)}
    with (
        FakeBoard(INFO, network, **faults) as board,
        BoardLink(SerialLine(board.port, baud=3_000_000), timeout_s=0.2, retries=100) as link,
    ):
        assert [answer.outputs for answer in link.infer_many(IMAGES[:40])] == expected(IMAGES[:40])


def test_retries_one_image_whose_request_was_refused():
    refuse_first = every(1, lambda wire: wire[:5] + bytes([wire[5] ^ 1]) + wire[6:])
    once = lambda number, wire: refuse_first(number, wire) if number == 1 else wire  # noqa: E731
    with (
        FakeBoard(INFO, network, damage_request=once) as board,
        BoardLink(SerialLine(board.port, baud=3_000_000), timeout_s=0.2, retries=100) as link,
    ):
        assert link.infer(IMAGES[3]).outputs == network(IMAGES[3])


def test_gives_up_when_answers_stay_away():
    with (
        FakeBoard(INFO, network, damage_answer=lambda n, wire: wire if len(wire) > 30 else b"") as board,
        BoardLink(SerialLine(board.port, baud=3_000_000), timeout_s=1, retries=1) as link,
        pytest.raises(LinkError, match="lost image 0 2 times"),
    ):
        link.infer(IMAGES[0])


def test_names_a_silent_board():
    with (
        FakeBoard(INFO, network, mute=True) as board,
        BoardLink(SerialLine(board.port, baud=3_000_000), timeout_s=0.05, retries=1) as link,
        pytest.raises(LinkError, match=f"the board at {board.port} does not answer at 3000000 baud"),
    ):
        link.info()


def test_refuses_another_network():
    with (
        FakeBoard(INFO, network) as board,
        BoardLink(SerialLine(board.port, baud=3_000_000), network_id=b"net-0002") as link,
        pytest.raises(LinkError, match=f"holds the network {b'net-0001'.hex()}, not {b'net-0002'.hex()}"),
    ):
        link.infer(IMAGES[0])


def test_refuses_another_protocol():
    old = replace(INFO, version=9)
    with (
        FakeBoard(old, network) as board,
        BoardLink(SerialLine(board.port, baud=3_000_000)) as link,
        pytest.raises(LinkError, match="speaks version 9 of the link, not 2"),
    ):
        link.info()


def test_refuses_an_image_of_the_wrong_size():
    with (
        FakeBoard(INFO, network) as board,
        BoardLink(SerialLine(board.port, baud=3_000_000)) as link,
        pytest.raises(ValueError, match="an image of this board's network has 5 bytes, not 4"),
    ):
        link.infer(b"1234")


def test_names_a_missing_port():
    with pytest.raises(LinkError, match="port /dev/bnnhw-no-such-port does not exist; the USB serial ports are"):
        SerialLine("/dev/bnnhw-no-such-port", baud=115_200)


def test_names_a_busy_port():
    with (
        FakeBoard(INFO, network) as board,
        BoardLink(SerialLine(board.port, baud=3_000_000)),
        pytest.raises(LinkError, match=f"port {re.escape(board.port)} is in use by another program"),
    ):
        open_port(board.port, baud=3_000_000, read_timeout_s=1, write_timeout_s=1)


@pytest.mark.parametrize(
    ("ports", "message"),
    [([], "no board: this computer has no USB serial port"), (["a", "b"], "more than one serial port: a, b")],
)
def test_does_not_guess_a_port(monkeypatch: pytest.MonkeyPatch, ports: list[str], message: str):
    monkeypatch.setattr("bnnhw.boards.host.serial_port.port_names", lambda: ports)
    with pytest.raises(LinkError, match=message):
        choose_port()


def test_chooses_the_only_port(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bnnhw.boards.host.serial_port.port_names", lambda: ["/dev/ttyUSB7"])
    assert choose_port() == "/dev/ttyUSB7"


def test_begins_anew_where_answers_were_left_behind():
    """An answer that nobody waited for is none to the next request of its number."""
    with FakeBoard(INFO, network) as board, BoardLink(SerialLine(board.port, baud=3_000_000)) as link:
        for _ in range(3):
            next(iter(link.infer_many(IMAGES)))  # and is closed at once
        assert [answer.outputs for answer in link.infer_many(IMAGES[::-1])] == expected(IMAGES[::-1])
        infos = [frame for frame in board.received if isinstance(frame, Frame) and frame.kind == Kind.INFO]
        assert len(infos) == 4


def test_refuses_to_go_on_with_another_board():
    other = replace(INFO, window=2)
    change = lambda number, wire: wire if number < 3 else b"" if len(wire) < 30 else renamed(wire, other)  # noqa: E731
    with (
        FakeBoard(INFO, network, damage_answer=change) as board,
        BoardLink(SerialLine(board.port, baud=3_000_000), timeout_s=0.2) as link,
        pytest.raises(LinkError, match="has become another one; start again"),
    ):
        list(link.infer_many(IMAGES))


def renamed(wire: bytes, info: Info) -> bytes:
    """An INFO answer with other contents."""
    (frame,) = Decoder().feed(wire)
    assert isinstance(frame, Frame)
    return encode(replace(frame, payload=info.to_bytes()))


def payload(kind: Kind, content: bytes) -> Callable[[int, bytes], bytes]:
    """A fault: a sound frame of `kind` with this payload instead of every answer but INFO's, or instead of all."""

    def fault(number: int, wire: bytes) -> bytes:
        (frame,) = Decoder().feed(wire)
        assert isinstance(frame, Frame)
        return wire if number == 0 and kind != Kind.INFO_ANSWER else encode(Frame(kind, frame.sequence, content))

    return fault


def info_bytes(**changes: int) -> bytes:
    values = asdict(INFO) | changes
    return struct.pack(Info.FORMAT, *(values[name] for name in ("version", *list(values)[:-1])))


@pytest.mark.parametrize(
    ("kind", "content", "message"),
    [
        (Kind.INFO_ANSWER, b"", "answers with another protocol: an INFO answer has 26 bytes, not 0"),
        (Kind.INFO_ANSWER, info_bytes() + b"x", "answers with another protocol: an INFO answer has 26 bytes, not 27"),
        (Kind.INFO_ANSWER, info_bytes(window=0), "another protocol: window=0 must lie between 1 and 255"),
        (
            Kind.INFO_ANSWER,
            info_bytes(input_bytes=0),
            "another protocol: input_bytes=0 must lie between 1 and 4294967295",
        ),
        (
            Kind.INFO_ANSWER,
            info_bytes(output_bytes=0),
            "another protocol: output_bytes=0 must lie between 1 and 4294967295",
        ),
        (Kind.INFO_ANSWER, info_bytes(clock_hz=0), "another protocol: clock_hz=0 must lie between 1 and 4294967295"),
        (Kind.INFO_ANSWER, info_bytes(version=0), "speaks version 0 of the link, not 2"),
        (Kind.INFER_ANSWER, b"", "answers with 0 bytes, not 6"),
        (Kind.INFER_ANSWER, bytes(5), "answers with 5 bytes, not 6"),
        (Kind.INFER_ANSWER, bytes(7), "answers with 7 bytes, not 6"),
        (
            Kind.ERROR,
            b"",
            "refuses image 0 with an error of which bnnhw knows nothing: no code; flash this build again",
        ),
        (Kind.ERROR, b"\0", "refuses image 0 with an error of which bnnhw knows nothing: 00; flash"),
        (Kind.ERROR, b"\x4d", "refuses image 0 with an error of which bnnhw knows nothing: 4d; flash"),
        (Kind.ERROR, b"\1\1", "refuses image 0 with an error of which bnnhw knows nothing: 01 01; flash"),
        (Kind.ERROR, bytes([ErrorCode.LENGTH]), "refuses image 0: LENGTH"),
        (Kind.ERROR, bytes([ErrorCode.OVERRUN]), "lost image 0 4 times, the last time with OVERRUN"),
    ],
)
def test_checks_what_a_board_says(kind: Kind, content: bytes, message: str):
    with (
        FakeBoard(INFO, network, damage_answer=payload(kind, content)) as board,
        BoardLink(SerialLine(board.port, baud=3_000_000)) as link,
        pytest.raises(LinkError, match=f"^the board at {board.port} .*{message}"),
    ):
        link.infer(IMAGES[0])


def test_gives_the_answers_before_a_wrong_one():
    """All in one piece, of which the last is nonsense."""
    held = bytearray()

    def fault(number: int, wire: bytes) -> bytes:
        if number == 0:
            return wire
        held.extend(payload(Kind.INFER_ANSWER, b"")(number, wire) if number == INFO.window else wire)
        return bytes(held) if number == INFO.window else b""

    answers = []
    with (
        FakeBoard(INFO, network, damage_answer=fault) as board,
        BoardLink(SerialLine(board.port, baud=3_000_000)) as link,
        pytest.raises(LinkError, match="answers with 0 bytes, not 6"),
    ):
        answers.extend(answer.outputs for answer in link.infer_many(IMAGES))
    assert answers == expected(IMAGES[: INFO.window - 1])


@pytest.mark.parametrize(
    ("timeout_s", "retries", "message"),
    [
        (0, 3, "timeout_s=0 must"),
        (float("nan"), 3, "timeout_s=nan must"),
        (float("inf"), 3, "timeout_s=inf must"),
        (1, -1, "retries=-1 must"),
    ],
)
def test_validates_options(timeout_s: float, retries: int, message: str):
    with pytest.raises(ValueError, match=message):
        BoardLink(cast(Any, None), timeout_s=timeout_s, retries=retries)
