"""What a design's link goes over: a UART, UDP, or USB.

Tests: tests/boards/test_link_choice.py
"""

import ipaddress
import re
from dataclasses import dataclass, replace

from bnnhw.hw.ethernet.endpoint import ROOM
from bnnhw.hw.ethernet.port import EthernetPort
from bnnhw.hw.link.phy.uart_port import UartPort
from bnnhw.hw.protocol import BITS_PER_BYTE
from bnnhw.hw.top import LinkPort
from bnnhw.hw.usb.descriptors import BULK_BYTES_PER_SECOND, HIGH_SPEED_BULK_BYTES_PER_SECOND
from bnnhw.hw.usb.device import UsbDevice
from bnnhw.hw.usb.high_speed_device import UsbHighSpeedDevice

from .description import Board, LinkMedium

__all__ = ["DEFAULT_ADDRESS", "DEFAULT_BAUD", "USB", "LinkChoice", "usb_name"]

DEFAULT_BAUD = 3_000_000
DEFAULT_ADDRESS = "192.168.1.50:4096"
"""Where a board behind UDP is, unless it was built for another place."""
USB = "usb"
"""The address of a computer's only board on USB; of one of several usb:SERIAL, or usb:PLACE on the bus, as Linux names
it."""
QUEUE_BYTES = 32768  # of requests that wait on the board
_WIRE_BYTES = 1538  # that the longest datagram takes on the wire
_GIGABIT = 125e6
_LOCAL_MAC = b"\x02\x62"  # a station's that somebody administers himself, and "b"
_SERIAL = "bnnhw"
_NEEDS = {"uart": "a UART", "udp": "gigabit Ethernet", "usb": "USB of its own"}


def usb_name(address: str) -> str | None:
    """What an address names on USB, "" where it is the only board; None where the address is not on USB.

    >>> usb_name("usb:7"), usb_name("usb"), usb_name("127.0.0.1:7000")
    ('7', '', None)
    """
    medium, _, name = address.partition(":")
    return name if medium == USB else None


@dataclass(frozen=True, kw_only=True)
class LinkChoice:
    """A UART of `baud` bits per second; or where `address` is IP:PORT, an IPv4 address and a port, UDP on gigabit
    Ethernet; or where it is "usb" or "usb:SERIAL", USB at full speed, or at high speed where it is `fast`.

    Raises ValueError where it is neither, or the address is none that a board may have.
    """

    baud: int | None = None
    address: str | None = None
    fast: bool = False

    def __post_init__(self):
        if (self.baud is None) == (self.address is None):
            raise ValueError(f"a link has a baud rate or an address, not baud={self.baud} and address={self.address}")
        if self.baud is not None and self.baud <= 0:
            raise ValueError(f"baud={self.baud} must be positive")
        if self.medium == "udp":
            _ = self._place

    @classmethod
    def of(cls, medium: LinkMedium, *, baud: int | None = None, address: str | None = None) -> "LinkChoice":
        """The link over a medium: a UART of `baud`, by default DEFAULT_BAUD; UDP at `address`, by default
        DEFAULT_ADDRESS; USB at `address`, by default USB. Raises ValueError where one of both is not the medium's."""
        if medium == "uart":
            if address is not None:
                raise ValueError(f"address={address} is of a link over UDP or USB; link=uart has none")
            return cls(baud=DEFAULT_BAUD if baud is None else baud)
        if baud is not None:
            raise ValueError(f"baud={baud} is of a UART; link={medium} has none")
        choice = cls(address=address or {"udp": DEFAULT_ADDRESS, "usb": USB}[medium])
        if choice.medium != medium:
            raise ValueError(f"address={address} is of a link over {choice.medium.upper()}, not link={medium}")
        return choice

    def on(self, board: Board) -> "LinkChoice":
        """The same, at the speed that USB has there."""
        return replace(self, fast=self.medium == "usb" and board.ulpi)

    @property
    def medium(self) -> LinkMedium:
        """What it goes over."""
        if self.address is None:
            return "uart"
        return "udp" if usb_name(self.address) is None else "usb"

    @property
    def is_as_fast_as_cores(self) -> bool:
        """Whether it carries as much as a core on such a board may take."""
        return self.fast or self.medium == "udp"

    @property
    def name(self) -> str:
        """For people."""
        names = {"udp": "UDP, gigabit Ethernet", "usb": f"USB, {'high' if self.fast else 'full'} speed"}
        return names[self.medium] if self.baud is None else f"UART, {self.baud / 1e6:g} Mbaud"

    @property
    def bytes_per_second(self) -> float:
        """Of frames that the wire carries, each way, in the longest datagrams; over USB both ways together."""
        if self.baud is not None:
            return self.baud / BITS_PER_BYTE
        if self.medium == "usb":
            return HIGH_SPEED_BULK_BYTES_PER_SECOND if self.fast else BULK_BYTES_PER_SECOND
        return _GIGABIT * ROOM / _WIRE_BYTES

    def check(self, board: Board) -> None:
        """Raises ValueError where the board has no such link."""
        if self.medium not in board.links:
            others = " or ".join(f"link={medium}" for medium in board.links)
            raise ValueError(
                f"link={self.medium} needs {_NEEDS[self.medium]}, which bnnhw does not know {board.name} to have; "
                f"take {others}"
            )

    def port(self, board: Board, *, clock_hz: int) -> LinkPort:
        """The design's end of it, for a core of exactly `clock_hz`. Raises ValueError where USB lacks its library."""
        if self.baud is not None:
            return UartPort(clock_hz=clock_hz, baud=self.baud)
        if (serial := usb_name(self.address or "")) is not None:
            device = UsbHighSpeedDevice if board.ulpi else UsbDevice
            return device(serial=serial or _SERIAL, target=board.target)
        ip, udp_port = self._place
        return EthernetPort(
            mac=_LOCAL_MAC + ip,
            ip=ip,
            udp_port=udp_port,
            queue_bytes=QUEUE_BYTES,
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
