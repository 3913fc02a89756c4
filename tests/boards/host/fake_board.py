"""A board in pure Python behind a pseudo-terminal: docs/link-protocol.md, and faults on request."""

import os
import select
import threading
import tty
from collections.abc import Callable
from types import TracebackType

from bnnhw.hw.protocol import Decoder, ErrorCode, Frame, Info, Kind, encode

CYCLES = 40


def no_fault(number: int, wire: bytes) -> bytes:
    """Leaves the `number`-th message as it is; a fault returns other bytes for some of them."""
    return wire


class FakeBoard:
    """Answers every request at once.

    Parameters
    ----------
    info : Info
        What it says of itself; requests of other lengths are refused.
    network : function of the image's bytes
        Gives the output's bytes.
    damage_answer, damage_request : function of (number, bytes)
        What arrives instead of the `number`-th message (from 0) sent by the board, or read from the host.
    mute : bool
        Never answers.
    """

    def __init__(
        self,
        info: Info,
        network: Callable[[bytes], bytes],
        *,
        damage_answer: Callable[[int, bytes], bytes] = no_fault,
        damage_request: Callable[[int, bytes], bytes] = no_fault,
        mute: bool = False,
    ):
        self.info = info
        self.network = network
        self.damage_answer = damage_answer
        self.damage_request = damage_request
        self.mute = mute
        self.received: list[Frame | ErrorCode] = []
        self._answers = 0
        self._reads = 0
        self._last: int | None = None
        self._decoder = Decoder()

    def __enter__(self) -> "FakeBoard":
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._stop_read, self._stop_write = os.pipe()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.write(self._stop_write, b"x")
        self._thread.join()
        for descriptor in (self._master, self._slave, self._stop_read, self._stop_write):
            os.close(descriptor)

    def _serve(self) -> None:
        while True:
            ready, _, _ = select.select([self._master, self._stop_read], [], [])
            if self._stop_read in ready:
                return
            data = self.damage_request(self._reads, os.read(self._master, 65536))
            self._reads += 1
            for frame in self._decoder.feed(data):
                self.received.append(frame)
                answer = self._answer(frame)
                if not self.mute:
                    os.write(self._master, self.damage_answer(self._answers, encode(answer)))
                    self._answers += 1

    def _answer(self, frame: Frame | ErrorCode) -> Frame:
        if isinstance(frame, ErrorCode):
            return Frame(Kind.ERROR, 0, bytes([frame]))
        if frame.kind == Kind.INFO and not frame.payload:
            self._last = None
            return Frame(Kind.INFO_ANSWER, frame.sequence, self.info.to_bytes())
        if frame.kind not in (Kind.INFO, Kind.INFER):
            return Frame(Kind.ERROR, frame.sequence, bytes([ErrorCode.KIND]))
        if frame.kind == Kind.INFO or len(frame.payload) != self.info.input_bytes:
            return Frame(Kind.ERROR, frame.sequence, bytes([ErrorCode.LENGTH]))
        if frame.sequence == self._last:
            return Frame(Kind.ERROR, frame.sequence, bytes([ErrorCode.REPEATED]))
        self._last = frame.sequence
        return Frame(Kind.INFER_ANSWER, frame.sequence, CYCLES.to_bytes(4, "little") + self.network(frame.payload))
