"""A UsbDevice at the lines of a socket, in simulated cycles of 48 MHz."""

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
from amaranth.hdl import DomainRenamer, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.targets import PORTABLE
from bnnhw.hw.usb.device import UsbDevice
from bnnhw.sim.batch.pin_engine import PinEngine
from bnnhw.sim.batch.simulator import compile_design
from bnnhw.sim.netlist.netlist import convert_component

from .coding import J

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportGeneralTypeIssues=false
# pyright: reportOperatorIssue=false
# (amaranth's types are loose)

SERIAL = "bench-7" * 6
CYCLES_PER_BIT = 4
TURNAROUND_BITS = 18  # that a host waits for an answer, at most (7.1.19)
_STEP = 8  # cycles between looks at whether the device is done


def sent_byte(number: int) -> int:
    """The byte that the bench sends as its n-th."""
    return (5 * number + (number >> 8)) & 0xFF


def sent(count: int, *, first: int = 0) -> bytes:
    return bytes(sent_byte(number) for number in range(first, first + count))


class AtSocket(wiring.Component):
    """A device with registers at its pads, as boards have them, and one clock for both domains; what stands behind it
    is `serve`'s. The ports from `ready` on are the Wire's to use."""

    def __init__(self):
        ports = ("host_p", "host_n", "ready", "offer"), ("line_p", "line_n", "driven", "pullup", "taken", "valid")
        super().__init__(
            {**dict.fromkeys(ports[0], In(1)), **dict.fromkeys(ports[1], Out(1)), "received": Out(8)},
        )

    def serve(self, m: Module) -> Any:
        """What has the device's lines, beside what it needs."""
        raise NotImplementedError

    def elaborate(self, platform) -> Module:
        m = Module()
        device = self.serve(m)
        p, n = Signal(), Signal()
        m.submodules.device = DomainRenamer({"usb": "sync"})(device)
        m.d.sync += [
            *(p.eq(device.dp_o), n.eq(device.dn_o), self.driven.eq(device.oe)),
            *(device.dp_i.eq(self.line_p), device.dn_i.eq(self.line_n)),
        ]
        m.d.comb += [
            self.line_p.eq(Mux(self.driven, p, self.host_p)),
            self.line_n.eq(Mux(self.driven, n, self.host_n)),
            self.pullup.eq(device.pullup),
        ]
        return m


class Bench(AtSocket):
    """What is received is taken when `ready`; what is sent is `sent_byte` of 0, 1, .., a new one when `offer`."""

    def serve(self, m: Module) -> UsbDevice:
        device = UsbDevice(serial=SERIAL, target=PORTABLE)
        number, offering = Signal(16), Signal()
        m.d.comb += [
            device.received.ready.eq(self.ready),
            self.valid.eq(device.received.valid & self.ready),
            self.received.eq(device.received.payload),
            device.sent.payload.eq(5 * number + (number >> 8)),
            device.sent.valid.eq(offering),
            self.taken.eq(offering & device.sent.ready),
        ]
        with m.If(~offering | self.taken):
            m.d.sync += offering.eq(self.offer)
        with m.If(self.taken):
            m.d.sync += number.eq(number + 1)
        return device


class Wire:
    """The cable between a host and the Bench.

    Parameters
    ----------
    bench, optional
        What is at its end, with the ports of a Bench; by default one.
    seed : int
    ready, offer : float
        Chances in a cycle that a received byte is taken, and that a new byte is offered.
    drift : float
        How much longer the host's bits are than the device's, as a fraction.

    Attributes
    ----------
    cycle : int
    received : bytearray
        What the device gave out.
    taken : int
        Bytes that it took to send.
    turnarounds : list of float
        Bits from the end of a packet, where its last J begins, to the device's answer, at its pins.
    """

    def __init__(self, bench: Any = None, *, seed: int = 0, ready: float = 1.0, offer: float = 0.0, drift: float = 0.0):
        program = compile_design(convert_component(bench or Bench()))
        self._engine = PinEngine(
            program,
            inputs=["host_p", "host_n", "ready", "offer"],
            outputs=["line_p", "line_n", "driven", "pullup", "taken", "valid", "received"],
        )
        self._random = np.random.default_rng(seed)
        self.rng = random.Random(seed)
        self.ready, self.offer, self.drift = ready, offer, drift
        self.cycle = self.taken = 0
        self.turnarounds: list[float] = []
        self.received = bytearray()

    def say(self, states: Sequence[int]) -> None:
        """The host drives the lines, a bit for each state; between the device's clock edges wherever they fall."""
        length = CYCLES_PER_BIT * (1 + self.drift)
        ends = (np.arange(1, len(states) + 1) * length + self.rng.random()).astype(int)
        found = self._run(np.repeat(states, np.diff(ends, prepend=0)))
        assert not (found >> 2 & 1).any(), "the device talks while the host does"

    def rest(self, bits: float) -> None:
        """Nobody talks."""
        self.say([J] * round(bits))

    def hear(self) -> list[int]:
        """The states that the device drives, from what it has to say at once; none where it stays silent."""
        waited = 0
        while waited < TURNAROUND_BITS * CYCLES_PER_BIT:
            found = self._run(np.full(_STEP, J))
            if (found >> 2 & 1).any():
                break
            waited += _STEP
        else:
            return []
        self.turnarounds.append(1 + (waited + int(np.argmax(found >> 2 & 1))) / CYCLES_PER_BIT)
        parts = [found]
        while parts[-1][-1] >> 2 & 1:
            parts.append(self._run(np.full(_STEP, J)))
        whole = np.concatenate(parts)
        lines = (whole[(whole >> 2 & 1).astype(bool)] & 3).reshape(-1, CYCLES_PER_BIT)
        assert (lines == lines[:, :1]).all(), "a bit of the device is not four cycles long"
        return lines[:, 0].tolist()

    def _run(self, lines: np.ndarray) -> np.ndarray:
        count = len(lines)
        ready, offer = (self._random.random(count) < chance for chance in (self.ready, self.offer))
        words = lines.astype(np.uint64) | ready.astype(np.uint64) << 2 | offer.astype(np.uint64) << 3
        found = self._engine.run(words)
        assert (found >> 3 & 1).all(), "the pull-up is off"
        self.received += (found >> 6)[(found >> 5 & 1).astype(bool)].astype(np.uint8).tobytes()
        self.taken += int((found >> 4 & 1).sum())
        self.cycle += count
        return found.astype(np.int64)
