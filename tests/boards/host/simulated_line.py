"""A serial port whose other end is a function, in simulated time: hours of babble in no time, to the millisecond."""

import itertools
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest
import serial

from bnnhw.hw.protocol import Decoder, Frame, Info, Kind, encode

TICK_S = 0.005
FOREVER_S = 1000.0

Talk = Callable[[int, Frame | None], bytes]
"""What the line says in its n-th tick; the request heard last, if any, may be echoed."""


class HangError(AssertionError):
    """The host has waited for ever."""


class SimulatedLine:
    """Stands in for `serial.Serial`: a board that is sound up to a point, and what talks behind the port from then on.

    Parameters
    ----------
    info, outputs : Info, bytes
        What a sound board answers to INFO, and to every image.
    infos, answers : int
        So many requests for INFO and images are answered; it talks from the first on that is not.
    talk : Talk
    talks_at_once : bool
        It talks from the start, between its answers.
    takes : int
        Bytes that it takes, before writes block for ever.
    """

    def __init__(
        self,
        info: Info,
        outputs: bytes,
        *,
        infos: float,
        answers: float,
        talk: Talk,
        talks_at_once: bool = False,
        takes: float = float("inf"),
    ):
        self.info = info
        self.outputs = outputs
        self.infos = infos
        self.answers = answers
        self.talk = talk
        self.takes = takes
        self.talking = talks_at_once
        self.now = 0.0
        self.progress = 0.0
        self.closed = False
        self.write_timeout = 0.0
        self._ticks = itertools.count()
        self._decoder = Decoder()
        self._heard: Frame | None = None
        self._incoming = bytearray()

    def install(self, monkeypatch: pytest.MonkeyPatch) -> "SimulatedLine":
        """Makes every BoardLink open this line, live in its time, and number its INFOs alike in each run: what is
        said to nobody has numbers that it might draw."""

        def open_port(port: str, *, baud: int, read_timeout_s: float, write_timeout_s: float) -> Any:
            self.write_timeout = write_timeout_s
            return self

        for module in ("link", "patience"):
            monkeypatch.setattr(f"bnnhw.boards.host.{module}.time", self)
        monkeypatch.setattr("bnnhw.boards.host.serial_line.open_port", open_port)
        monkeypatch.setattr("bnnhw.boards.host.link.secrets.randbelow", Random(1).randrange)
        return self

    def monotonic(self) -> float:
        """As time.monotonic."""
        if self.now > FOREVER_S:
            raise HangError
        return self.now

    @property
    def in_waiting(self) -> int:
        return len(self._incoming)

    def read(self, size: int) -> bytes:
        if not self._incoming:
            self.now += TICK_S
            if self.talking:
                self._incoming += self.talk(next(self._ticks), self._heard)
        data = bytes(self._incoming[:size])
        del self._incoming[:size]
        return data

    def write(self, data: bytes) -> None:
        self.takes -= len(data)
        if self.takes < 0:
            self.talking = True
            self.now += self.write_timeout
            raise serial.SerialTimeoutException
        for frame in self._decoder.feed(data):
            assert isinstance(frame, Frame)
            self._heard = frame
            self._incoming += b"".join(map(encode, self._answers(frame)))

    def reset_output_buffer(self) -> None:
        self.takes = float("inf")

    def close(self) -> None:
        if self.takes < 0:  # a system waits for what has not been sent
            self.now += FOREVER_S
        self.closed = True

    def _answers(self, frame: Frame) -> Iterator[Frame]:
        if frame.kind == Kind.INFO and self.infos > 0:
            self.infos -= 1
            yield Frame(Kind.INFO_ANSWER, frame.sequence, self.info.to_bytes())
        elif frame.kind == Kind.INFER and self.answers > 0:
            self.answers -= 1
            self.progress = self.now
            yield Frame(Kind.INFER_ANSWER, frame.sequence, self.outputs + bytes([40, 0, 0, 0]))
        else:
            self.talking = True
