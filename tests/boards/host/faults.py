"""What may happen to messages on their way."""

from collections.abc import Callable

from bnnhw.hw.protocol import ErrorCode, Frame, Kind, encode


def every(nth: int, fault: Callable[[bytes], bytes]) -> Callable[[int, bytes], bytes]:
    """A fault in every n-th message, the INFO exchange (message 0) left alone."""
    return lambda number, wire: fault(wire) if number and number % nth == 0 else wire


def flip_bit(wire: bytes) -> bytes:
    return wire[:6] + bytes([wire[6] ^ 0x20]) + wire[7:]


def lose_byte(wire: bytes) -> bytes:
    return wire[:4] + wire[5:]


def lose_all(wire: bytes) -> bytes:
    return b""


def lose_flag(wire: bytes) -> bytes:
    return wire[:-1]


def add_noise(wire: bytes) -> bytes:
    return b"\x00\xff\x7d\x7e" + wire


def repeat(wire: bytes) -> bytes:
    return wire + wire


def stale_error(wire: bytes) -> bytes:
    return encode(Frame(Kind.ERROR, 0, bytes([ErrorCode.CRC]))) + wire


FAULTS = (flip_bit, lose_byte, lose_all, lose_flag, add_noise, repeat, stale_error)
