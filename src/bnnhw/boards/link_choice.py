"""What a design's link goes over: a UART, or UDP.

Tests: tests/boards/test_link_choice.py
"""

import ipaddress
import re
from dataclasses import dataclass

from bnnhw.hw.datagrams import DATAGRAM_HEADER_BYTES
from bnnhw.hw.ethernet.port import EthernetPort
from bnnhw.hw.link.phy.uart_port import UartPort
from bnnhw.hw.protocol import BITS_PER_BYTE
from bnnhw.hw.top import LinkPort

from .board import Board

__all__ = ["DEFAULT_ADDRESS", "LinkChoice"]

DEFAULT_ADDRESS = "192.168.1.50:4096"
"""Where a board behind UDP is, unless it was built for another place."""
QUEUE_BYTES = 32768  # of requests that wait on the board
SMALL_QUEUE_BYTES = 8192
LARGE_EBR = 100  # block RAMs from which on a device has the large one
_PACKET, _WIRE = 1472 - DATAGRAM_HEADER_BYTES, 1538  # bytes of the longest datagram, and what it takes on the wire
_GIGABIT = 125e6
_LOCAL_MAC = b"\x02\x62"  # a station's that somebody administers himself, and "b"


@dataclass(frozen=True, kw_only=True)
class LinkChoice:
    """A UART of `baud` bits per second, or UDP on gigabit Ethernet, at `address`: an IPv4 address and a port, IP:PORT.

    Raises ValueError where it is neither, or the address is none that a board may have.
    """

    baud: int | None = None
    address: str | None = None

    def __post_init__(self):
        if (self.baud is None) == (self.address is None):
            raise ValueError(f"a link has a baud rate or an address, not baud={self.baud} and address={self.address}")
        if self.baud is not None and self.baud <= 0:
            raise ValueError(f"baud={self.baud} must be positive")
        if self.address is not None:
            _ = self._place

    @property
    def name(self) -> str:
        """For people."""
        return "UDP, gigabit Ethernet" if self.baud is None else f"UART, {self.baud / 1e6:g} Mbaud"

    @property
    def bytes_per_second(self) -> float:
        """Of frames that the wire carries each way, in the longest datagrams."""
        return _GIGABIT * _PACKET / _WIRE if self.baud is None else self.baud / BITS_PER_BYTE

    def check(self, board: Board) -> None:
        """Raises ValueError where the board has no such link."""
        if self.address is not None and board.ethernet is None:
            raise ValueError(f"link=udp needs gigabit Ethernet, which bnnhw does not know {board.name} to have")

    def port(self, board: Board, *, clock_hz: int) -> LinkPort:
        """The design's end of it, for a core of exactly `clock_hz`."""
        if self.baud is not None:
            return UartPort(clock_hz=clock_hz, baud=self.baud)
        ip, udp_port = self._place
        return EthernetPort(
            mac=_LOCAL_MAC + ip,
            ip=ip,
            udp_port=udp_port,
            queue_bytes=QUEUE_BYTES if board.device.ebr >= LARGE_EBR else SMALL_QUEUE_BYTES,
            target=board.target,
        )

    @property
    def _place(self) -> tuple[bytes, int]:
        match = re.fullmatch(r"([0-9.]+):([0-9]{1,5})", self.address or "")
        try:
            ip = ipaddress.IPv4Address(match[1] if match else "")
        except ValueError:
            ip = None
        if match is None or ip is None or not 0 < int(match[2]) < 1 << 16:
            raise ValueError(f"address={self.address!r} must be IP:PORT, such as {DEFAULT_ADDRESS}")
        if ip.is_multicast or ip.is_unspecified or ip.is_loopback or int(ip) == 0xFFFFFFFF:
            raise ValueError(f"address={self.address!r} must be one that a board can have, such as {DEFAULT_ADDRESS}")
        return ip.packed, int(match[2])
