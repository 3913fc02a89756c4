"""A device behind a PHY with ULPI, in simulated cycles of 60 MHz: the bus between both, and the time on the cable."""

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
from amaranth.hdl import DomainRenamer, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.targets import PORTABLE
from bnnhw.hw.usb.high_speed_device import UsbHighSpeedDevice
from bnnhw.sim.batch.pin_engine import PinEngine
from bnnhw.sim.batch.simulator import compile_design
from bnnhw.sim.netlist.netlist import convert_component

from .coding import SE0, J, K
from .phy_model import PhyModel
from .wire import SERIAL

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportGeneralTypeIssues=false
# pyright: reportOperatorIssue=false
# (amaranth's types are loose)

MICROSECOND = 60  # cycles
GAP = 11  # byte times between packets of the host: 88 bits (USB 2.0, 7.1.18.2)
SYNC, END = 4, 1  # byte times of both at high speed
SENT_LATE, HEARD_LATE = 2, 6  # cycles that the PHY takes to begin a packet, and to pass on one that it hears
_ANSWER = 14 + 20  # cycles until an answer has to begin, and a little more
_STEP = 8  # cycles between looks at whether the device is done
_VBUS, _ACTIVE, _ERROR = 0x0C, 0x10, 0x30  # in a report of the PHY
_CHIRPS = 0x14  # the PHY's register: at high speed, with the pull-up, raw bits
_INPUTS = ("dir", "nxt", "bus", "pace", "awake", "ready", "offer")
_OUTPUTS = ("byte", "taken", "begins", "ends", "function", "fault", "accepted", "valid", "received")


class AtPhy(wiring.Component):
    """A device with registers at its pads, its PHY, and one clock for both domains; what stands behind it is
    `serve`'s. The ports from `ready` on are the UlpiWire's to use."""

    def __init__(self):
        wide = {"bus": In(8), **dict.fromkeys(("byte", "function", "received"), Out(8))}
        ins = {name: In(1) for name in _INPUTS if name not in wide}
        super().__init__({**ins, **{name: Out(1) for name in _OUTPUTS if name not in wide}, **wide})

    def serve(self, m: Module) -> Any:
        """What has the device's signals, beside what it needs."""
        raise NotImplementedError

    def elaborate(self, platform) -> Module:
        m = Module()
        device = self.serve(m)
        m.submodules.device = DomainRenamer({"usb": "sync"})(device)
        m.submodules.phy = phy = PhyModel()
        m.d.sync += [phy.data.eq(device.data_o), phy.stp.eq(device.stp)]
        m.d.comb += [
            *(phy.dir.eq(self.dir), phy.nxt_in.eq(self.nxt), phy.pace.eq(self.pace)),
            *(device.dir.eq(self.dir), device.nxt.eq(phy.nxt), device.awake.eq(self.awake)),
            device.data_i.eq(Mux(self.dir, self.bus, phy.data)),
            *(getattr(self, name).eq(getattr(phy, name)) for name in ("byte", "taken", "begins", "ends", "function")),
            self.fault.eq(phy.fault),
        ]
        return m


class PhyBench(AtPhy):
    """What is received is taken when `ready`; what is sent is `wire.sent_byte` of 0, 1, .., a new one when `offer`."""

    def serve(self, m: Module) -> UsbHighSpeedDevice:
        device = UsbHighSpeedDevice(serial=SERIAL, target=PORTABLE)
        number, offering = Signal(16), Signal()
        m.d.comb += [
            device.received.ready.eq(self.ready),
            self.valid.eq(device.received.valid & self.ready),
            self.received.eq(device.received.payload),
            device.sent.payload.eq(5 * number + (number >> 8)),
            device.sent.valid.eq(offering),
            self.accepted.eq(offering & device.sent.ready),
        ]
        with m.If(~offering | self.accepted):
            m.d.sync += offering.eq(self.offer)
        with m.If(self.accepted):
            m.d.sync += number.eq(number + 1)
        return device


class UlpiWire:
    """The cable between a host and a PHY, at whatever speed the PHY's registers say.

    Parameters
    ----------
    bench, optional
        What is at its end, with the ports of an AtPhy; by default a PhyBench.
    seed : int
    ready, offer : float
        Chances in a cycle that a received byte is taken, and that a new byte is offered.
    stuffed : float
        The chance that a bit is stuffed into a byte's eight, so that the PHY waits for a cycle.

    Attributes
    ----------
    cycle : int
    received : bytearray
        What the device gave out.
    taken : int
        Bytes that it took to send.
    turnarounds : list of int
        Cycles from the end of a packet, at full speed from the J behind it, to the command of the device's answer.
    function : int
        The PHY's register.
    """

    def __init__(
        self, bench: Any = None, *, seed: int = 0, ready: float = 1.0, offer: float = 0.0, stuffed: float = 0.02
    ):
        program = compile_design(convert_component(bench or PhyBench()))
        self._engine = PinEngine(program, inputs=_INPUTS, outputs=_OUTPUTS)
        self._random = np.random.default_rng(seed)
        self.rng = random.Random(seed)
        self.ready, self.offer, self.stuffed = ready, offer, stuffed
        self.cycle = self.taken = 0
        self.turnarounds: list[int] = []
        self.received = bytearray()
        self.function, self.awake, self.lines = 0x41, 1, SE0
        self._ended = 0
        self._due = 0  # the cycle from which on the next packet may reach the device

    @property
    def fast(self) -> bool:
        """At high speed, beyond chirps."""
        return self.function & 0x1F == 0

    def rest(self, cycles: float) -> None:
        """Nobody talks."""
        count = round(cycles)
        self._run([(0, 0, 0)] * count if count < 100 else np.zeros((count, 3), int))

    def report(self, lines: int) -> None:
        """The PHY says how the lines are."""
        self.lines = lines
        self._run([(1, 0, self.rng.randrange(256)), (1, 0, _VBUS | lines), (0, 0, 0)])

    def say(self, packet: Sequence[int], *, error_at: int | None = None) -> None:
        """The host talks; behind so many bytes the PHY calls it damaged."""
        self.rest(max(0, self._due - self.cycle))
        fast = self.fast
        active = _VBUS | _ACTIVE | (J if fast else K)
        steps = [(1, self.rng.randrange(2), self.rng.randrange(256)), (1, 0, active)]
        for number, byte in enumerate(packet):
            waits = self.rng.random() < self.stuffed if fast else 39
            steps += [*[(1, 0, active)] * (waits * (number > 0)), (1, 1, byte)]
            if number + 1 == error_at:
                steps.append((1, 0, active | _ERROR))
        ends = self.rng.random() < 0.5  # at full speed the packet is over with SE0, or a little behind J
        if fast:
            steps += [(1, 0, _VBUS | SE0)] * ends + [(0, 0, 0)]
        else:
            steps += [
                *[(1, 0, _VBUS | SE0 | ends * _ACTIVE)] * 10,
                *[(1, 0, _VBUS | J | ends * _ACTIVE)] * 4,
                (0, 0, 0),
            ]
        found = self._run(steps)
        assert not found["begins"].any(), "the device talks while the host does"
        self._ended = self.cycle - (1 + ends if fast else 5)
        self._due = self.cycle + (END + GAP + SYNC - 3 if fast else 15)

    def hear(self) -> list[int]:
        """The bytes that the device says; none where it stays silent."""
        waited = 0
        while True:
            found = self._run([(0, 0, 0)] * _STEP)
            if found["begins"].any():
                break
            waited += _STEP
            if waited > _ANSWER:
                return []
        begun = self.cycle - _STEP + int(np.argmax(found["begins"]))
        self.turnarounds.append(begun - self._ended)
        said: list[int] = []
        while True:
            said += found["byte"][found["taken"].astype(bool)].tolist()
            if found["ends"].any():
                break
            found = self._run([(0, 0, 0)] * _STEP)
        pid = said[0] & 0xF
        if self.fast:
            end = begun + SENT_LATE + SYNC + len(said) + END  # on the cable
            self._due = end + GAP + SYNC + HEARD_LATE - 2
        else:
            self._due = self.cycle + 40
        return [pid | (15 - pid) << 4, *said[1:]]

    def chirp(self) -> None:
        """The device says K, for at least a millisecond, and at most 7 (USB 2.0, 7.1.7.5)."""
        waited = 0
        while not (found := self._run(np.zeros((MICROSECOND, 3), int)))["begins"].any():
            waited += 1
            assert waited < 7000, "no chirp"
        assert self.function & 0x1F == _CHIRPS
        began, said = self.cycle, found["byte"][found["taken"].astype(bool)]
        while not (found := self._run(np.zeros((MICROSECOND, 3), int)))["ends"].any():
            said = np.concatenate([said, found["byte"][found["taken"].astype(bool)]])
            assert self.cycle - began < 7000 * MICROSECOND
        assert self.cycle - began > 1000 * MICROSECOND
        assert set(said.tolist()) == {0x40, 0}

    def _run(self, steps: Any) -> dict[str, np.ndarray]:
        """What comes of dir, nxt and bus, a triple for each cycle."""
        given = np.asarray(steps, np.uint64).reshape(-1, 3)
        count = len(given)
        ready, offer, pace = (
            self._random.random(count) < chance for chance in (self.ready, self.offer, 1 - self.stuffed)
        )
        words = given[:, 0] | given[:, 1] << 1 | given[:, 2] << 2
        for place, bits in enumerate((pace, np.full(count, self.awake), ready, offer)):
            words |= bits.astype(np.uint64) << (10 + place)
        out = self._engine.run(words)
        found, place = {}, 0
        for name in _OUTPUTS:
            width = 8 if name in ("byte", "function", "received") else 1
            found[name] = (out >> place & ((1 << width) - 1)).astype(np.int64)
            place += width
        assert not found["fault"].any(), "the device breaks a rule of ULPI"
        self.received += found["received"][found["valid"].astype(bool)].astype(np.uint8).tobytes()
        self.taken += int(found["accepted"].sum())
        if count:
            self.function = int(found["function"][-1])
        self.cycle += count
        return found
