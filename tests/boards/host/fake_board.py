"""A board in pure Python behind a pseudo-terminal: docs/link-protocol.md, and faults on request."""

import os
import select
import threading
import tty
from collections.abc import Callable, Iterator
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
        self._open: int | None = None
        self._image: list[bytes] = []
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
                for answer in () if self.mute else self.answers(frame):
                    os.write(self._master, self.damage_answer(self._answers, encode(answer)))
                    self._answers += 1

    def answers(self, frame: Frame | ErrorCode) -> Iterator[Frame]:
        """What the board says to a frame."""
        if isinstance(frame, ErrorCode):
            yield self._refuse(0, frame)
        elif frame.kind == Kind.INFO and not frame.payload:
            self._last = self._open = None
            yield Frame(Kind.INFO_ANSWER, frame.sequence, self.info.to_bytes())
        elif frame.kind not in (Kind.INFO, Kind.INFER):
            yield self._refuse(frame.sequence, ErrorCode.KIND)
        elif frame.sequence == self._last:
            yield self._refuse(frame.sequence, ErrorCode.REPEATED)
        elif frame.kind == Kind.INFER and not self._is_next(frame):
            yield self._refuse(frame.sequence, ErrorCode.ORDER)
        elif len(frame.payload) != self._wanted(frame):
            yield self._refuse(frame.sequence, ErrorCode.LENGTH)
        else:
            self._image = [*self._image, frame.payload] if frame.number else [frame.payload]
            whole = sum(map(len, self._image)) == self.info.input_bytes
            self._open = None if whole else frame.sequence
            if not whole:
                yield Frame(Kind.TAKEN, frame.sequence, b"", frame.number)
                return
            self._last = frame.sequence
            outputs, size = self.network(b"".join(self._image)), self.info.output_chunk
            chunks = [outputs[start : start + size] for start in range(0, len(outputs), size)]
            chunks[-1] += CYCLES.to_bytes(4, "little")
            for number, chunk in enumerate(chunks):
                yield Frame(Kind.INFER_ANSWER, frame.sequence, chunk, number)

    def _is_next(self, frame: Frame) -> bool:
        if self._open is None:
            return frame.number == 0
        return (frame.sequence, frame.number) == (self._open, len(self._image))

    def _wanted(self, frame: Frame) -> int:
        left = self.info.input_bytes - frame.number * self.info.input_chunk
        return min(self.info.input_chunk, left) if frame.kind == Kind.INFER else 0

    def _refuse(self, sequence: int, code: ErrorCode) -> Frame:
        sequence = sequence if self._open is None else self._open
        self._open = None
        return Frame(Kind.ERROR, sequence, bytes([code]))
