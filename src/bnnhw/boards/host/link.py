"""The host's end of the link (docs/link-protocol.md): images to a board, answers back."""

import math
import secrets
import time
from collections.abc import Iterable, Iterator
from types import TracebackType

from bnnhw.hw.protocol import (
    CRC_BYTES,
    HEADER_BYTES,
    VERSION,
    Decoder,
    ErrorCode,
    Frame,
    Info,
    Kind,
    encode,
)

from .errors import LinkError
from .line import Line
from .patience import Patience
from .request_queue import Answer, RequestQueue

__all__ = ["Answer", "BoardLink"]

_FRAME_OVERHEAD = 2  # every byte escaped
_WRITE_PATIENCE_S = 5.0  # at most, beside the time on the wire, before a write is given up


class BoardLink:
    """A board behind a line; a context manager.

    Parameters
    ----------
    line : Line
        Open, and the link's from now on.
    network_id : bytes, optional
        The network that the board must hold; any where it is not given.
    timeout_s : float
        How long the board may be silent while it owes an answer, beside the time the bytes need on the wire.
    retries : int
        How often a request is sent again after a damaged or missing answer. See `Patience` for when a line that talks
        without answering is given up: with 3 retries after 2.5 time-outs.

    Raises
    ------
    LinkError
        From the methods, when the board does not answer, refuses a request that cannot be mended by repeating it, or
        goes away.
    """

    def __init__(self, line: Line, *, network_id: bytes | None = None, timeout_s: float = 1.0, retries: int = 3):
        if not 0 < timeout_s < math.inf:
            raise ValueError(f"timeout_s={timeout_s} must be positive and finite")
        if retries < 0:
            raise ValueError(f"retries={retries} must not be negative")
        self.network_id = network_id
        self.timeout_s = timeout_s
        self.retries = retries
        self._line = line
        line.set_write_timeout(self._write_s(HEADER_BYTES + CRC_BYTES))
        self._decoder = Decoder()
        self._sequence = 0
        self._info: Info | None = None

    def __enter__(self) -> "BoardLink":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def port(self) -> str:
        """Where the board is, for messages: a serial port, or an address."""
        return self._line.name

    def close(self) -> None:
        """Gives the line back. What was not sent yet never will be, so nothing is waited for."""
        self._line.close()

    def info(self) -> Info:
        """What the board says about itself. Also makes board and host agree again on where frames begin."""
        self._info = self._ask_info(Patience(self.timeout_s, retries=self.retries))
        self._line.set_write_timeout(self._write_s(self._info.window * self._info.input_chunk))
        return self._info

    def infer(self, image: bytes) -> Answer:
        """The answer to one image, packed as docs/link-protocol.md says."""
        return next(self.infer_many([image]))

    def infer_many(self, images: Iterable[bytes]) -> Iterator[Answer]:
        """The answers to `images` in their order, with as many requests under way as the board holds."""
        info = self._info or self.info()
        requests = RequestQueue(images, info=info, retries=self.retries, port=self.port)
        self._info = None
        try:
            yield from self._answers(requests, info)
        finally:
            if not requests:  # else the next call has to begin with INFO, lest it meet these answers
                self._info = info

    def _answers(self, requests: RequestQueue, info: Info) -> Iterator[Answer]:
        wait_s = self.timeout_s + self._wire_s(info.window * (info.input_chunk + info.output_chunk))
        patience = Patience(wait_s, retries=self.retries)
        deadline = math.inf
        progress = True
        while True:
            while (frame := requests.next_frame(self._sequence)) is not None:
                self._send(frame)
                self._sequence = (frame.sequence + 1) % 256
            self._line.flush()
            if not requests:
                return
            if progress:  # only now, as the caller's time between two images is not the board's
                patience.renew()
                deadline = time.monotonic() + wait_s
            progress = False
            for frame in self._receive(patience):
                progress |= requests.settle(frame)
                yield from requests.ready()
            if progress:
                continue
            if patience.exhausted:
                raise self._given_up(patience, f"image {requests.oldest}")
            if time.monotonic() > deadline:
                if self._ask_info(patience) != info:
                    raise LinkError(f"the board at {self.port} has become another one; start again")
                requests.lose_all()
                deadline = time.monotonic() + wait_s

    def _ask_info(self, patience: Patience) -> Info:
        self._line.begin()
        numbers: set[int] = set()  # of all tries: a late answer to an early one is as good
        for _ in range(self.retries + 1):
            numbers.add(number := secrets.randbelow(256))
            self._send(Frame(Kind.INFO, number, b""))
            self._line.flush()
            deadline = time.monotonic() + self.timeout_s
            while time.monotonic() < deadline:
                for frame in self._receive(patience):
                    if isinstance(frame, ErrorCode) or frame.sequence not in numbers:
                        continue
                    self._check_version(frame)
                    if frame.kind == Kind.INFO_ANSWER:
                        patience.forgive()
                        return self._checked_info(frame.payload)
                if patience.exhausted:
                    raise self._given_up(patience, "INFO")
        raise self._given_up(patience, "INFO")

    def _given_up(self, patience: Patience, unanswered: str) -> LinkError:
        line = self._line
        if patience.heard:
            return LinkError(
                f"{patience.heard} bytes came from {line.name}{line.rate}, but no answer to {unanswered}; "
                f"is this the board's {line.place}{', and its baud rate' if line.rate else ''}?"
            )
        return LinkError(
            f"the board at {line.name} does not answer{line.rate}; "
            f"is it flashed with this build, and is this its {line.place}?"
        )

    def _send(self, frame: Frame) -> None:
        self._line.send(encode(frame))

    def _receive(self, patience: Patience) -> Iterator[Frame | ErrorCode]:
        """The frames among the bytes that have come, after waiting for at least one byte for a moment."""
        data = self._line.receive()
        patience.hear(len(data))
        yield from self._decoder.feed(data)

    def _check_version(self, frame: Frame) -> None:
        """Raises LinkError where it is an ERROR of another version: so a board refuses what it does not know."""
        if frame.version != VERSION and frame.kind & 0xF == Kind.ERROR & 0xF:
            age = "an older" if frame.version < VERSION else "a newer"
            raise LinkError(
                f"the design on the board at {self.port} was built by {age} bnnhw: its link has version "
                f"{frame.version}, not {VERSION}; build it again, and flash that"
            )

    def _checked_info(self, payload: bytes) -> Info:
        try:
            info = Info.from_bytes(payload)
        except ValueError as error:
            raise LinkError(f"the board at {self.port} answers with another protocol: {error}") from error
        if info.version != VERSION:
            raise LinkError(f"the board at {self.port} speaks version {info.version} of the link, not {VERSION}")
        if self.network_id not in (None, info.network_id):
            raise LinkError(
                f"the board at {self.port} holds the network {info.network_id.hex()}, not {self.network_id.hex()}; "
                "flash this build, or name the build that is on the board"
            )
        return info

    def _write_s(self, count: int) -> float:
        """How long a write may take that finds `count` bytes, its own among them, on their way to the wire."""
        return min(self.timeout_s, _WRITE_PATIENCE_S) + self._wire_s(count)

    def _wire_s(self, count: int) -> float:
        """The seconds that `count` bytes need on the wire at worst."""
        return count * _FRAME_OVERHEAD / self._line.bytes_per_second
