"""A simulated device behind a line that damages, loses, doubles and swaps frames, and adds noise, both ways."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from bnnhw.boards.host.link import BoardLink
from bnnhw.boards.host.serial_line import SerialLine
from bnnhw.hw.protocol import FLAG, Kind
from bnnhw.sim.board import event_engine
from tests.hw.link.chunked_top import CLOCK_HZ, Device

TICK_S = 0.002
FOREVER_S = 20.0


class HangError(AssertionError):
    """The host has waited for ever."""


def flip(rng: random.Random, wire: bytes) -> bytes:
    at = rng.randrange(len(wire))
    return wire[:at] + bytes([wire[at] ^ 1 << rng.randrange(8)]) + wire[at + 1 :]


def lose_a_byte(rng: random.Random, wire: bytes) -> bytes:
    at = rng.randrange(len(wire))
    return wire[:at] + wire[at + 1 :]


def cut(rng: random.Random, wire: bytes) -> bytes:
    return wire[: rng.randrange(len(wire))]


def lose(rng: random.Random, wire: bytes) -> bytes:
    return b""


def add_noise(rng: random.Random, wire: bytes) -> bytes:
    at = rng.randrange(len(wire) + 1)
    return wire[:at] + rng.randbytes(rng.randrange(1, 30)) + wire[at:]


def double(rng: random.Random, wire: bytes) -> bytes:
    return wire * 2


FAULTS: dict[str, Callable[[random.Random, bytes], bytes]] = {
    fault.__name__: fault for fault in (flip, lose_a_byte, cut, lose, add_noise, double)
}


class Faults:
    """One way of the line: of the frames that go in, a part `rate` comes out otherwise; some change places."""

    def __init__(self, rng: random.Random, rate: float):
        self.rng = rng
        self.rate = rate
        self.frames = 0
        self.counts = dict.fromkeys([*FAULTS, "swap"], 0)
        self._held = b""

    def pass_on(self, wire: bytes) -> bytes:
        """What comes out for a frame."""
        self.frames += 1
        if self.rng.random() >= self.rate:
            held, self._held = self._held, b""
            return wire + held
        name = self.rng.choice(list(self.counts))
        self.counts[name] += 1
        if name == "swap":
            held, self._held = self._held, wire
            return held
        return FAULTS[name](self.rng, wire)

    def release(self) -> bytes:
        """What was held back; a frame waits for the next one, but not for ever."""
        held, self._held = self._held, b""
        return held


class DamagedLine:
    """Stands in for `serial.Serial`, with a device behind it, in simulated time."""

    def __init__(self, device: Device, *, seed: int, rate: float):
        rng = random.Random(seed)
        self.requests, self.answers = Faults(rng, rate), Faults(rng, rate)
        self.write_timeout = 0.0
        self.chunks = 0  # that went in, of both ways
        self._engine = device.engine()
        self._waited_s = 0.0
        self._progress_s = 0.0
        self._outgoing, self._incoming, self._frame = bytearray(), bytearray(), bytearray()

    def install(self, monkeypatch: pytest.MonkeyPatch) -> "DamagedLine":
        """Makes every BoardLink open this line, and live in its time."""

        def open_port(port: str, *, baud: int, read_timeout_s: float, write_timeout_s: float) -> Any:
            return self

        for module in ("link", "patience"):
            monkeypatch.setattr(f"bnnhw.boards.host.{module}.time", self)
        monkeypatch.setattr("bnnhw.boards.host.serial_line.open_port", open_port)
        monkeypatch.setattr(event_engine, "_EVENTS", 5000)  # of a read: it ends soon after bytes have come
        return self

    def open(self, **options: Any) -> BoardLink:
        """The host's end."""
        return BoardLink(SerialLine("/dev/tty0", baud=CLOCK_HZ // 4), timeout_s=0.05, retries=1000, **options)

    def monotonic(self) -> float:
        """As time.monotonic."""
        now = self._engine.cycle / CLOCK_HZ + self._waited_s
        if now - self._progress_s > FOREVER_S:
            raise HangError
        return now

    def progress(self) -> None:
        """An answer has come: patience begins anew."""
        self._progress_s = self._engine.cycle / CLOCK_HZ + self._waited_s

    @property
    def in_waiting(self) -> int:
        return len(self._incoming)

    def read(self, size: int) -> bytes:
        if not self._incoming:
            data, idle = self._engine.run(self._outgoing)
            for byte in data:
                self._frame.append(byte)
                if byte == FLAG and len(self._frame) > 2:
                    self.chunks += self._frame[1] == Kind.INFER_ANSWER
                    self._incoming += self.answers.pass_on(bytes(self._frame))
                    self._frame.clear()
            if idle and not data:
                self._outgoing += self.requests.release()
                self._incoming += self.answers.release()
                self._waited_s += TICK_S
        data = bytes(self._incoming[:size])
        del self._incoming[:size]
        return data

    def write(self, data: bytes) -> None:
        self.chunks += data[1] == Kind.INFER
        self._outgoing += self.requests.pass_on(data)

    def reset_output_buffer(self) -> None:
        self._outgoing.clear()

    def close(self) -> None:
        pass
