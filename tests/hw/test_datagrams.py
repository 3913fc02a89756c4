"""The link's bytes in datagrams: what is lost, late, doubled or of an earlier conversation adds nothing."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnnhw.hw.datagrams import DATAGRAM_HEADER_BYTES, BoardEnd, Datagram, HostEnd, pack, take_frames
from bnnhw.hw.protocol import Decoder, ErrorCode, Frame, Kind, encode

INFO = encode(Frame(Kind.INFO, 5, b""))
OTHER = encode(Frame(Kind.INFO, 6, b""))
frames = st.lists(st.binary(max_size=40).map(lambda payload: encode(Frame(Kind.INFER, 9, payload))), max_size=9)


def begun() -> tuple[HostEnd, BoardEnd]:
    """Two ends that have met."""
    host, board = HostEnd(), BoardEnd()
    host.begin()
    assert board.unwrap(host.wrap(INFO), "host") == INFO
    assert host.unwrap(board.wrap(OTHER)) == OTHER
    return host, board


def asked(host: HostEnd) -> bytes:
    """The datagram that asks for a new conversation."""
    host.begin()
    return host.wrap(INFO)


def test_a_datagram_has_the_documents_form():
    data = Datagram(opening=0x0102, session=0x03040506, number=0x0708090A, payload=b"~").to_bytes()
    assert data == bytes.fromhex("62010201 06050403 0a090807 e0f50b13") + b"~"
    assert len(data) == DATAGRAM_HEADER_BYTES + 1


@given(st.binary(max_size=20), st.integers(0, 8 * DATAGRAM_HEADER_BYTES - 1))
def test_a_damaged_header_is_none(payload: bytes, bit: int):
    data = bytearray(Datagram(1, 2, 3, payload).to_bytes())
    assert Datagram.from_bytes(bytes(data)) == Datagram(1, 2, 3, payload)
    data[bit // 8] ^= 1 << bit % 8
    assert Datagram.from_bytes(bytes(data)) is None
    assert Datagram.from_bytes(bytes(data[: bit // 8])) is None


@given(frames, st.integers(1, 60))
def test_frames_are_packed_whole_as_far_as_they_fit(sent: list[bytes], room: int):
    payloads = list(pack(sent, room=room))
    assert b"".join(payloads) == b"".join(sent)
    assert all(0 < len(payload) <= room for payload in payloads)
    for frame in sent:
        assert len(frame) > room or any(frame in payload for payload in payloads)
    stream, found = bytearray(b"tail~~"), []
    for payload in payloads:
        stream += payload
        found += take_frames(stream)
    assert found == sent


def test_what_comes_again_late_or_damaged_adds_nothing():
    host, board = begun()
    first, second, third = (host.wrap(b"~%d~" % n) for n in range(3))
    assert board.unwrap(second, "host") == b"~1~"
    assert [board.unwrap(late, "host") for late in (first, second)] == [b"", b""]
    assert board.unwrap(third[:4] + b"x" + third[5:], "host") == b""
    assert board.unwrap(third, "host") == b"~2~"


def test_behind_a_gap_bytes_count_from_a_flag_on():
    host, board = begun()
    begin, lost, middle, end = (host.wrap(part) for part in (b"~begin", b"lost", b"middle", b"end~~next~"))
    assert lost
    assert [board.unwrap(each, "host") for each in (begin, middle, end)] == [b"~begin", b"", b"~~next~"]


def test_numbers_wrap():
    host, board = begun()
    begin = Datagram.from_bytes(host.wrap(b"~"))
    assert begin is not None
    for number, stream in ((2**31 - 1, b"~a~"), (2**32 - 1, b"~b~"), (0, b"~c~"), (2**32 - 2, b""), (1, b"~d~")):
        sent = replace(begin, number=number, payload=stream or b"~old~")
        assert board.unwrap(sent.to_bytes(), "host") == stream


def test_an_earlier_conversation_is_over():
    host, board = begun()
    old_request, old_answer = host.wrap(b"~old~"), board.wrap(b"~old~")
    assert board.unwrap(asked(host), "other") == INFO
    assert board.peer == "other"
    assert board.unwrap(old_request, "host") == b""
    assert host.unwrap(old_answer) == b""
    assert host.unwrap(board.wrap(OTHER)) == OTHER
    assert board.unwrap(host.wrap(b"~new~"), "other") == b"~new~"


def test_a_conversation_that_is_asked_for_again_late_is_another_one():
    """Even where the board forgot it in between: what was said in it adds nothing."""
    host, board = HostEnd(), BoardEnd()
    asks = asked(host)
    assert board.unwrap(asks, "host") == INFO
    assert board.unwrap(asks, "host") == b""
    assert host.unwrap(board.wrap(OTHER)) == OTHER
    old = host.wrap(b"~old~")
    assert board.unwrap(old, "host") == b"~old~"
    assert board.unwrap(asked(HostEnd()), "stranger") == INFO
    assert board.unwrap(asks, "host") == INFO
    assert board.unwrap(old, "host") == b""
    assert host.unwrap(board.wrap(b"~answer~")) == b""


def test_asking_again_goes_on():
    """A host that has no answer asks again, in the same conversation, and either answer will do."""
    for answered in (0, 1):
        host, board = HostEnd(), BoardEnd()
        asks = [asked(host), host.wrap(OTHER)]
        assert [board.unwrap(each, "host") for each in asks] == [INFO, OTHER]
        answers = [board.wrap(b"~0~"), board.wrap(b"~1~")]
        assert host.unwrap(answers[answered]) == b"~%d~" % answered
        assert board.unwrap(host.wrap(b"~"), "host") == b"~"
        assert board.unwrap(asks[1], "host") == b""


class Mail:
    """Datagrams under way, of which any may come, at any time, any number of times."""

    def __init__(self, rng: random.Random):
        self.rng = rng
        self.sent: list[bytes] = []

    def deliver(self, data: bytes) -> bytes | None:
        self.sent.append(data)
        treatment = self.rng.choices(("now", "old", "lost"), (6, 3, 1))[0]
        return {"now": data, "old": self.rng.choice(self.sent), "lost": None}[treatment]


@pytest.mark.parametrize("seed", range(20))
def test_what_comes_is_what_was_sent_but_for_gaps(seed: int):
    """Frames in several datagrams, and several in one; conversations in turns, each datagram at any time again."""
    rng, decoder = random.Random(seed), Decoder()
    mail, host, board = Mail(rng), HostEnd(), BoardEnd()
    taken: list[Frame | ErrorCode] = []

    def send(payload: bytes) -> None:
        if (comes := mail.deliver(host.wrap(payload))) is not None:
            taken.extend(decoder.feed(board.unwrap(comes, "host")))

    number = 0
    for _ in range(60):
        host.begin()
        send(INFO)
        if board.peer is None or not host.unwrap(board.wrap(INFO)):  # the board is in another conversation
            continue
        count = rng.randrange(1, 9)
        images = [(number + n).to_bytes(4, "little") * rng.randrange(1, 30) for n in range(count)]
        number += count
        for payload in pack([encode(Frame(Kind.INFER, 0, image)) for image in images], room=50):
            send(payload)
    images = [frame.payload for frame in taken if isinstance(frame, Frame) and frame.kind == Kind.INFER]
    numbers = [int.from_bytes(image[:4], "little") for image in images]
    assert len(numbers) > 20
    assert numbers == sorted(set(numbers))
    assert all(image == image[:4] * (len(image) // 4) for image in images)
    assert {item for item in taken if not isinstance(item, Frame)} <= {ErrorCode.SHORT, ErrorCode.FRAMING}
