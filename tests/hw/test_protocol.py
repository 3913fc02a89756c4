"""The link's frames in pure Python, and the examples of the document that describes them."""

import doctest
import pickle
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnnhw.hw.protocol import FLAG, MAX_PAYLOAD, Decoder, ErrorCode, Frame, Info, Kind, encode

FRAME = encode(Frame(Kind.INFER, 9, b"pixels"))
byte = st.integers(0, 255)
frames = st.builds(Frame, st.integers(0x20, 0x2F), byte, st.binary(max_size=40), st.integers(0, 0xFFFF))


def decode(*pieces: bytes) -> list[Frame | ErrorCode]:
    decoder = Decoder()
    return [item for piece in pieces for item in decoder.feed(piece)]


def test_document_examples():
    document = Path(__file__).parents[2] / "docs" / "link-protocol.md"
    result = doctest.testfile(str(document), module_relative=False)
    assert result.attempted
    assert not result.failed


@given(st.lists(frames), st.integers(1, 7))
def test_decoder_inverts_encoder(sent, size):
    wire = b"".join(map(encode, sent))
    assert decode(*(wire[start : start + size] for start in range(0, len(wire), size))) == sent


@given(st.binary())
def test_garbage_never_harms_the_next_frame(garbage):
    frame = Frame(Kind.INFO, 1, b"")
    assert decode(garbage + encode(frame))[-1] == frame


def test_neighbours_may_share_a_flag():
    assert decode(FRAME[:-1] + FRAME) == decode(FRAME) * 2


def test_crc_is_zlibs():
    body = FRAME[1:-1]
    assert int.from_bytes(body[-4:], "little") == zlib.crc32(body[:-4])


@pytest.mark.parametrize(
    ("wire", "reason"),
    [
        (FRAME[:8] + bytes([FRAME[8] ^ 1]) + FRAME[9:], ErrorCode.CRC),
        (FRAME[:8] + FRAME[9:], ErrorCode.SHORT),
        (FRAME[:4] + bytes([FLAG]), ErrorCode.SHORT),
        (FRAME[:8] + b"x" + FRAME[8:], ErrorCode.LONG),
        (FRAME[:8] + b"\x7d\x7e", ErrorCode.FRAMING),
    ],
)
def test_damage_is_named(wire, reason):
    assert decode(wire, FRAME) == [reason, Frame(Kind.INFER, 9, b"pixels")]


def test_decoder_keeps_no_more_of_a_frame_than_the_longest_has():
    longest = encode(Frame(Kind.INFER, 9, bytes(MAX_PAYLOAD)))
    assert decode(longest, longest) == [Frame(Kind.INFER, 9, bytes(MAX_PAYLOAD))] * 2
    decoder = Decoder()
    assert list(decoder.feed(FRAME[:1] + bytes(5 * MAX_PAYLOAD))) == []
    assert len(pickle.dumps(decoder)) < 2 * MAX_PAYLOAD
    assert list(decoder.feed(FRAME)) == [ErrorCode.LONG, *decode(FRAME)]
    assert decode(longest[:-1] + FRAME[1:-1] + FRAME) == [ErrorCode.LONG, *decode(FRAME)]


def test_payload_limit():
    with pytest.raises(ValueError, match=r"^a payload holds at most 4100 bytes, not 4101$"):
        encode(Frame(Kind.INFER, 0, bytes(4101)))


FIELDS: dict[str, Any] = {"window": 2, "input_chunk": 50, "output_chunk": 1, "input_bytes": 98, "output_bytes": 1}
FIELDS |= {"clock_hz": 100_000_000, "network_id": bytes(8)}


def test_info_round_trip():
    info = Info(**FIELDS)
    assert Info.from_bytes(info.to_bytes()) == info


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"input_bytes": 1 << 32}, r"^input_bytes=4294967296 must lie between 1 and 4294967295$"),
        ({"input_chunk": 4097}, r"^input_chunk=4097 must lie between 1 and 4096$"),
        ({"output_bytes": 65537}, r"^output_bytes=65537 must be at most 65536 chunks of output_chunk=1$"),
        ({"window": 0}, r"^window=0 must lie between 1 and 255$"),
        ({"network_id": b"abc"}, r"^network_id must have 8 bytes, not 3$"),
    ],
)
def test_info_is_checked(change, message):
    with pytest.raises(ValueError, match=message):
        Info(**(FIELDS | change))


def test_foreign_info_is_refused():
    with pytest.raises(ValueError, match=r"^an INFO answer has 26 bytes, not 3$"):
        Info.from_bytes(b"abc")
