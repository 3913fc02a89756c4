"""Packets of USB as a PHY passes them on, between SYNC and end: in bytes."""

from collections.abc import Sequence

from .coding import Pid, bits_of_bytes, bytes_of_bits, data_bits, packet_of_bits, pid_bits, token_bits

__all__ = ["data_packet", "handshake", "packet_of", "token"]


def token(pid: Pid, address: int, endpoint: int) -> list[int]:
    return list(bytes_of_bits(token_bits(pid, address, endpoint)))


def data_packet(pid: Pid, data: bytes) -> list[int]:
    return list(bytes_of_bits(data_bits(pid, data)))


def handshake(pid: Pid) -> list[int]:
    return list(bytes_of_bits(pid_bits(pid)))


def packet_of(found: Sequence[int]) -> tuple[Pid, bytes]:
    """The kind of a packet and its data without the CRC. Raises DamagedError."""
    return packet_of_bits(bits_of_bytes(bytes(found)))
