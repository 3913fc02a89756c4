"""A simulated device behind a network that treats datagrams badly, both ways, in simulated time."""

import random
from typing import Any

import pytest

from bnnhw.boards.host.link import BoardLink
from bnnhw.boards.host.udp_line import UdpLine
from bnnhw.hw.datagrams import BoardEnd, pack, take_frames
from bnnhw.sim.board import event_engine
from tests.hw.link.chunked_top import CLOCK_HZ, Device

from .damaged_line import FOREVER_S, TICK_S, HangError
from .udp_board import Faults, Way

ROOM = 60  # bytes of the stream in a datagram: few, so that frames are in several


class SimulatedNetwork:
    """Stands in for a socket of the host's."""

    def __init__(self, device: Device, *, seed: int, faults: Faults):
        rng = random.Random(seed)
        self.out, self.back = Way(rng, faults), Way(rng, faults)
        self._engine = device.byte_engine()
        self._end = BoardEnd()
        self._waited_s = self._progress_s = 0.0
        self._outgoing, self._said = bytearray(), bytearray()
        self._incoming: list[bytes] = []

    def install(self, monkeypatch: pytest.MonkeyPatch) -> "SimulatedNetwork":
        """Makes every UdpLine open this network, and live in its time."""

        def connect(address: str) -> tuple[Any, int]:
            return self, ROOM

        for module in ("link", "patience"):
            monkeypatch.setattr(f"bnnhw.boards.host.{module}.time", self)
        monkeypatch.setattr("bnnhw.boards.host.udp_line.connect", connect)
        monkeypatch.setattr(event_engine, "_EVENTS", 5000)
        return self

    def open(self, **options: Any) -> BoardLink:
        """The host's end."""
        return BoardLink(UdpLine("board:7000"), timeout_s=0.05, retries=1000, **options)

    def monotonic(self) -> float:
        """As time.monotonic."""
        now = self._engine.cycle / CLOCK_HZ + self._waited_s
        if now - self._progress_s > FOREVER_S:
            raise HangError
        return now

    def progress(self) -> None:
        """An answer has come: patience begins anew."""
        self._progress_s = self._engine.cycle / CLOCK_HZ + self._waited_s

    def settimeout(self, seconds: float) -> None:
        pass

    def send(self, data: bytes) -> None:
        self._arrive(self.out.pass_on(data))

    def _arrive(self, datagrams: list[bytes]) -> None:
        for each in datagrams:
            self._outgoing += self._end.unwrap(each, "host")

    def recv(self, size: int) -> bytes:
        if not self._incoming:
            data, is_idle = self._engine.run(self._outgoing)
            self._said += data
            for payload in pack(take_frames(self._said), room=ROOM):
                self._incoming += self.back.pass_on(self._end.wrap(payload))
            if is_idle and not data:
                self._arrive(self.out.release())
                self._incoming += self.back.release()
                self._waited_s += TICK_S
        if not self._incoming:
            raise BlockingIOError
        return self._incoming.pop(0)

    def close(self) -> None:
        pass
