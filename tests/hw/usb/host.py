"""A small USB host: transactions with retries and data toggles, requests to endpoint 0, bulk transfers."""

from collections.abc import Callable
from typing import Any, NamedTuple

from . import coding
from .coding import DamagedError, J, Pid
from .wire import CYCLES_PER_BIT, Wire

FRAME_BITS = 12_000
GAP_BITS = 3  # between packets of the host
TRIES = 100
RESET_US = 60  # a host takes 10 ms; the device sees one after 25 us
MAX_PACKET = 64

Damage = Callable[[list[int]], list[int]]
"""What becomes of a packet's states on their way; none is left of one that is lost."""


class StalledError(Exception):
    """The device answered STALL."""


class SilentError(Exception):
    """The device does not answer."""


class Answer(NamedTuple):
    pid: Pid
    data: bytes


class Host:
    """Parameters: the wire, a Wire, and what becomes of packets to and from the device.

    Attributes
    ----------
    naks, faults : int
        NAKs that came; transactions that had to be repeated.
    """

    coding: Any = coding
    """What makes packets, and reads them."""

    def __init__(self, wire: Any, *, damage: Damage = list):
        self.wire = wire
        self.damage = damage
        self.address = self.naks = self.faults = 0
        self.toggles: dict[tuple[Pid, int], int] = {}
        self.frame = 0
        self.frame_began = wire.cycle

    # Packets.

    def _say(self, states: list[int]) -> None:
        on_wire = self.damage(states)
        self.wire.say([J] * (GAP_BITS + len(states) - len(on_wire)) + on_wire)

    def _hear(self) -> Answer | None:
        """What came, whole; None where nothing did, or it was damaged."""
        try:
            return Answer(*self.coding.packet_of(self.damage(self.wire.hear())))
        except (DamagedError, ValueError):
            self.faults += 1
            self.wire.rest(TRIES)
            return None

    def _begin(self) -> None:
        """A transaction is due: where it does not fit into the frame, the next one begins with its SOF."""
        length = FRAME_BITS * CYCLES_PER_BIT
        left = self.frame_began + length - self.wire.cycle
        longest = (77 * 8 + 7 * 8 + 20) * CYCLES_PER_BIT  # a transaction of 64 bytes, some bits stuffed
        if left > longest:
            return
        self.wire.rest(max(0, left) // CYCLES_PER_BIT)
        self.frame += 1
        self.frame_began = self.wire.cycle
        self.wire.say(self.coding.token(Pid.SOF, self.frame & 0x7F, self.frame >> 7 & 0xF))

    # Transactions.

    def out(self, pid: Pid, endpoint: int, toggle: int, data: bytes) -> Pid | None:
        """An OUT or a SETUP; the handshake, if any came."""
        self._begin()
        self._say(self.coding.token(pid, self.address, endpoint))
        self._say(self.coding.data_packet(Pid.DATA1 if toggle else Pid.DATA0, data))
        answer = self._hear()
        return answer and answer.pid

    def into(self, endpoint: int) -> Answer | None:
        """An IN, and the ACK of its data."""
        self._begin()
        self._say(self.coding.token(Pid.IN, self.address, endpoint))
        answer = self._hear()
        if answer and answer.pid in (Pid.DATA0, Pid.DATA1):
            self._say(self.coding.handshake(Pid.ACK))
        return answer

    # Pipes.

    def write(self, endpoint: int, data: bytes, *, pid: Pid = Pid.OUT, tries: int = TRIES) -> None:
        """A packet, until it is acknowledged."""
        toggle = self.toggles.get((Pid.OUT, endpoint), 0)
        for _ in range(tries):
            answer = self.out(pid, endpoint, toggle, data)
            if answer == Pid.ACK:
                self.toggles[Pid.OUT, endpoint] = 1 - toggle
                return
            if answer == Pid.STALL:
                raise StalledError
            self.naks += answer == Pid.NAK
        raise SilentError

    def read(self, endpoint: int, *, tries: int = TRIES) -> bytes | None:
        """A packet that is new; None where the device has nothing in so many tries."""
        for _ in range(tries):
            answer = self.into(endpoint)
            if answer is None:
                continue
            if answer.pid == Pid.STALL:
                raise StalledError
            if answer.pid == Pid.NAK:
                self.naks += 1
                continue
            toggle = self.toggles.get((Pid.IN, endpoint), 0)
            if answer.pid == (Pid.DATA1 if toggle else Pid.DATA0):
                self.toggles[Pid.IN, endpoint] = 1 - toggle
                return answer.data
        return None

    # Requests to endpoint 0.

    def request(self, kind: int, request: int, value: int = 0, index: int = 0, length: int = 0) -> bytes:
        """A request without data to the device; the data that come back."""
        setup = bytes([kind, request, *value.to_bytes(2, "little"), *index.to_bytes(2, "little")])
        self.toggles[Pid.OUT, 0] = self.toggles[Pid.IN, 0] = 0
        self.write(0, setup + length.to_bytes(2, "little"), pid=Pid.SETUP)
        self.toggles[Pid.OUT, 0] = self.toggles[Pid.IN, 0] = 1
        found = b""
        while len(found) < length:
            packet = self.read(0)
            if packet is None:
                raise SilentError
            found += packet
            if len(packet) < MAX_PACKET:
                break
        if length:
            self.toggles[Pid.OUT, 0] = 1
            self.write(0, b"")
        elif self.read(0) != b"":
            raise SilentError
        return found

    def descriptor(self, kind: int, index: int = 0, *, language: int = 0, length: int = 255) -> bytes:
        return self.request(0x80, 6, kind << 8 | index, language, length)

    def text(self, index: int) -> str:
        found = self.descriptor(3, index, language=0x0409)
        assert found[:2] == bytes([len(found), 3])
        return found[2:].decode("utf-16-le")

    # What a system does.

    def reset(self) -> None:
        """A bus reset: the device has no address, and all packets begin with DATA0."""
        self.wire.say([0] * (RESET_US * 12))
        self.wire.rest(100)
        self.address = 0
        self.toggles.clear()
        self.frame_began = self.wire.cycle

    def configure(self, address: int = 5) -> None:
        """Gives it an address and its configuration."""
        self.request(0x00, 5, address)
        self.address = address
        self.request(0x00, 9, 1)
        self.toggles.clear()


def connected(wire: Wire) -> Host:
    """A host that has configured the device, which has sent nothing yet."""
    host, offer, wire.offer = Host(wire), wire.offer, 0.0
    host.reset()
    host.configure()
    wire.offer = offer
    return host


def drain(host: Host) -> bytes:
    """All that the device still has to send."""
    host.wire.offer = 0
    host.wire.rest(600)
    found = b""
    while (packet := host.read(1, tries=3)) is not None:
        found += packet
    return found
