"""Packets on the lines of full-speed USB (USB 2.0, chapters 7.1 and 8.3): bits, stuffing, NRZI, CRC5 and CRC16.

A state of the lines is an integer: D+ in bit 0, D- in bit 1.
"""

from collections.abc import Sequence
from enum import IntEnum
from itertools import pairwise

J, K, SE0 = 0b01, 0b10, 0b00
SYNC = [K, J, K, J, K, J, K, K]
END = [SE0, SE0, J]
STUFFED_AFTER = 6


class Pid(IntEnum):
    OUT, IN, SOF, SETUP = 0b0001, 0b1001, 0b0101, 0b1101
    DATA0, DATA1 = 0b0011, 0b1011
    ACK, NAK, STALL = 0b0010, 0b1010, 0b1110
    PING, NYET = 0b0100, 0b0110  # at high speed


TOKENS = (Pid.OUT, Pid.IN, Pid.SOF, Pid.SETUP)
DATA = (Pid.DATA0, Pid.DATA1)


def crc(bits: Sequence[int], *, polynomial: int, width: int) -> list[int]:
    """The bits of a CRC in the order in which they are sent: the highest first, inverted."""
    register = (1 << width) - 1
    for bit in bits:
        high = register >> (width - 1)
        register = (register << 1) & ((1 << width) - 1) ^ (polynomial if bit ^ high else 0)
    return [1 - (register >> place & 1) for place in reversed(range(width))]


def bits_of(number: int, count: int) -> list[int]:
    """Lowest first."""
    return [number >> place & 1 for place in range(count)]


def bits_of_bytes(data: bytes) -> list[int]:
    return [bit for byte in data for bit in bits_of(byte, 8)]


def bytes_of_bits(bits: Sequence[int]) -> bytes:
    return bytes(sum(bits[at + place] << place for place in range(8)) for at in range(0, len(bits), 8))


def pid_bits(pid: Pid) -> list[int]:
    return bits_of(pid | (15 - pid) << 4, 8)


def token_bits(pid: Pid, address: int, endpoint: int) -> list[int]:
    """Of an SOF, `address` and `endpoint` are the frame's number."""
    fields = bits_of(address | endpoint << 7, 11)
    return [*pid_bits(pid), *fields, *crc(fields, polynomial=0x05, width=5)]


def data_bits(pid: Pid, data: bytes) -> list[int]:
    fields = bits_of_bytes(data)
    return [*pid_bits(pid), *fields, *crc(fields, polynomial=0x8005, width=16)]


def token(pid: Pid, address: int, endpoint: int) -> list[int]:
    """The states of a token."""
    return states(token_bits(pid, address, endpoint))


def data_packet(pid: Pid, data: bytes) -> list[int]:
    return states(data_bits(pid, data))


def handshake(pid: Pid) -> list[int]:
    return states(pid_bits(pid))


def states(bits: Sequence[int]) -> list[int]:
    """The states of a packet with these bits, SYNC and end included."""
    stuffed, ones = [], 1  # the last bit of SYNC is a one
    for bit in bits:
        stuffed.append(bit)
        ones = ones + 1 if bit else 0
        if ones == STUFFED_AFTER:
            stuffed.append(0)
            ones = 0
    found = list(SYNC)
    for bit in stuffed:
        found.append(found[-1] if bit else J + K - found[-1])
    return [*found, *END]


class DamagedError(ValueError):
    """No packet, or a damaged one."""


def packet_of(found: Sequence[int]) -> tuple[Pid, bytes]:
    """The kind of a packet and its data without the CRC. Raises DamagedError."""
    if list(found[:8]) != SYNC or list(found[-3:]) != END:
        raise DamagedError(f"SYNC or end: {found[:8]} {found[-3:]}")
    bits, ones = [], 1
    for last, state in pairwise(found[7:-3]):
        if state == SE0:
            raise DamagedError("SE0 inside")
        bit = int(state == last)
        if ones == STUFFED_AFTER:
            if bit:
                raise DamagedError("bit stuffing")
            ones = 0
            continue
        bits.append(bit)
        ones = ones + 1 if bit else 0
    return packet_of_bits(bits)


def packet_of_bits(bits: Sequence[int]) -> tuple[Pid, bytes]:
    """The same, between SYNC and end."""
    if len(bits) < 8 or len(bits) % 8:
        raise DamagedError(f"{len(bits)} bits")
    if list(bits[:4]) != [1 - bit for bit in bits[4:8]]:
        raise DamagedError("PID")
    pid = Pid(sum(bit << place for place, bit in enumerate(bits[:4])))
    if pid not in DATA:
        return pid, b""
    fields, check = bits[8:-16], bits[-16:]
    if crc(fields, polynomial=0x8005, width=16) != list(check):
        raise DamagedError("CRC16")
    return pid, bytes_of_bits(fields)
