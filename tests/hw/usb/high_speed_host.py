"""A USB host of high speed: chirps, PING, and the time that its packets take."""

from bnnhw.hw.usb.descriptors import FULL_SPEED_PACKET, HIGH_SPEED_PACKET

from . import byte_coding
from .coding import SE0, J, K, Pid
from .host import TRIES, Answer, Host, SilentError, StalledError
from .ulpi_wire import GAP, HEARD_LATE, MICROSECOND, SENT_LATE, SYNC, UlpiWire

MICROFRAME = 7500  # cycles
_LONGEST = 3 * (SYNC + 2 + GAP) + 512 + 6 + 2 * (HEARD_LATE + SENT_LATE) + 40
_RESET_US = 3500  # a host takes 10 ms


class HighSpeedHost(Host):
    """A Host of a UlpiWire; `high`: it chirps.

    Attributes
    ----------
    pings : int
        PINGs that it sent.
    """

    coding = byte_coding

    def __init__(self, wire: UlpiWire, *, high: bool = True, **options):
        super().__init__(wire, **options)
        self.high = high
        self.pings = 0
        self.asks: dict[int, bool] = {}

    def _say(self, states: list[int]) -> None:
        """A PHY that hears what is damaged may call it so."""
        on_wire, rng = self.damage(states), self.wire.rng
        if on_wire:
            is_known = on_wire != states and rng.random() < 0.3
            self.wire.say(on_wire, error_at=rng.randrange(1, len(on_wire) + 1) if is_known else None)

    def _begin(self) -> None:
        length = MICROFRAME if self.wire.fast else 8 * MICROFRAME
        left = self.frame_began + length - self.wire.cycle
        if left > (_LONGEST if self.wire.fast else 80 * 40):
            return
        self.wire.rest(max(0, left))
        self.frame += 1
        self.frame_began = self.wire.cycle
        number = self.frame >> 3 if self.wire.fast else self.frame
        self.wire.say(self.coding.token(Pid.SOF, number & 0x7F, number >> 7 & 0xF))

    def into(self, endpoint: int) -> Answer | None:
        answer = super().into(endpoint)
        assert answer is None or len(answer.data) <= (HIGH_SPEED_PACKET if self.wire.fast else FULL_SPEED_PACKET)
        return answer

    def ping(self, endpoint: int) -> Pid | None:
        self._begin()
        self._say(self.coding.token(Pid.PING, self.address, endpoint))
        self.pings += 1
        answer = self._hear()
        return answer and answer.pid

    def write(self, endpoint: int, data: bytes, *, pid: Pid = Pid.OUT, tries: int = TRIES) -> None:
        """As USB 2.0, 8.5.1 has it: where the last packet had no ACK, it asks first."""
        if not self.wire.fast:
            return super().write(endpoint, data, pid=pid, tries=tries)
        toggle = self.toggles.get((Pid.OUT, endpoint), 0)
        for _ in range(tries):
            if self.asks.get(endpoint) and pid != Pid.SETUP:
                answer = self.ping(endpoint)
                self.asks[endpoint] = answer != Pid.ACK
                self.naks += answer == Pid.NAK
                if answer != Pid.ACK:
                    continue
            answer = self.out(pid, endpoint, toggle, data)
            self.asks[endpoint] = answer != Pid.ACK
            if answer in (Pid.ACK, Pid.NYET):
                self.toggles[Pid.OUT, endpoint] = 1 - toggle
                return None
            if answer == Pid.STALL:
                raise StalledError
            self.naks += answer == Pid.NAK
        raise SilentError

    def reset(self) -> None:
        """A bus reset, with the handshake of chirps where host and device know it (USB 2.0, 7.1.7.5)."""
        wire = self.wire
        if not wire.fast:
            wire.report(SE0)
        wire.chirp()
        wire.report(SE0)
        wire.rest(50 * MICROSECOND)
        if self.high:
            for _ in range(6):
                for lines in (K, J):
                    wire.report(lines)
                    wire.rest(50 * MICROSECOND)
            wire.report(SE0)
        else:
            wire.rest(_RESET_US * MICROSECOND)
            wire.report(J)
        wire.rest(100)
        assert wire.fast == self.high
        self.address = 0
        self.toggles.clear()
        self.asks.clear()
        self.frame_began = wire.cycle


def attached(wire: UlpiWire) -> None:
    """The device shows its pull-up, and the PHY says so."""
    wire.rest(100)
    assert wire.function == 0x45
    wire.report(J)
    wire.rest(MICROSECOND)


def high_speed_connected(wire: UlpiWire, *, high: bool = True) -> HighSpeedHost:
    """A host that has configured the device, which has sent nothing yet."""
    host, offer, wire.offer = HighSpeedHost(wire, high=high), wire.offer, 0.0
    attached(wire)
    host.reset()
    host.configure()
    wire.offer = offer
    return host
