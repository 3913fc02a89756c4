"""The host's end of the link (docs/link-protocol.md): images to a board, answers back."""

import secrets
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType

import serial

from bnnhw.hw.protocol import (
    CRC_BYTES,
    HEADER_BYTES,
    MAX_PAYLOAD,
    VERSION,
    Decoder,
    ErrorCode,
    Frame,
    Info,
    Kind,
    encode,
)

from .serial_port import LinkError, open_port

__all__ = ["Answer", "BoardLink"]

_BITS_PER_BYTE = 10  # a start bit, eight data bits, a stop bit
_FRAME_OVERHEAD = 2  # every byte escaped
_POLL_S = 0.02
_WRITE_PATIENCE_S = 5.0  # beside the time on the wire, before a write that makes no progress is given up
_HOPELESS = (ErrorCode.LENGTH, ErrorCode.KIND)  # the same frame will be refused again


@dataclass(frozen=True)
class Answer:
    """What the board says about one image: the output's bytes, and the clock cycles from first beat in to last out."""

    outputs: bytes
    cycles: int


@dataclass
class _Request:
    index: int
    image: bytes
    tries: int = 0


class BoardLink:
    """A board behind the serial port `port`; a context manager.

    Parameters
    ----------
    port : str
        Its device, such as /dev/ttyUSB0 or COM3.
    baud : int
        Bits a second, as the board was built.
    network_id : bytes, optional
        The network that the board must hold; any where it is not given.
    timeout_s : float
        How long the board may be silent while it owes an answer, beside the time the bytes need on the wire.
    retries : int
        How often a request is sent again after a damaged or missing answer.

    Raises
    ------
    LinkError
        When the port cannot be opened; from the methods, when the board does not answer, refuses a request that
        cannot be mended by repeating it, or goes away.
    """

    def __init__(
        self, port: str, *, baud: int, network_id: bytes | None = None, timeout_s: float = 1.0, retries: int = 3
    ):
        if timeout_s <= 0:
            raise ValueError(f"timeout_s={timeout_s} must be positive")
        if retries < 0:
            raise ValueError(f"retries={retries} must not be negative")
        self.port = port
        self.baud = baud
        self.network_id = network_id
        self.timeout_s = timeout_s
        self.retries = retries
        largest = HEADER_BYTES + MAX_PAYLOAD + CRC_BYTES
        self._serial = open_port(
            port, baud=baud, read_timeout_s=_POLL_S, write_timeout_s=_WRITE_PATIENCE_S + self._wire_s(largest)
        )
        self._decoder = Decoder()
        self._sequence = 0
        self._info: Info | None = None

    def __enter__(self) -> "BoardLink":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Gives the port back."""
        self._serial.close()

    def info(self) -> Info:
        """What the board says about itself. Also makes board and host agree again on where frames begin."""
        self._sequence = 0
        numbers: set[int] = set()  # of all tries: a late answer to an early one is as good
        for _ in range(self.retries + 1):
            numbers.add(number := secrets.randbelow(256))
            self._send(Frame(Kind.INFO, number, b""))
            deadline = time.monotonic() + self.timeout_s
            while time.monotonic() < deadline:
                for frame in self._receive():
                    if isinstance(frame, Frame) and frame.kind == Kind.INFO_ANSWER and frame.sequence in numbers:
                        self._info = self._checked_info(frame.payload)
                        return self._info
        raise LinkError(
            f"the board at {self.port} does not answer at {self.baud} baud; "
            "is it flashed with this build, and is this its port?"
        )

    def infer(self, image: bytes) -> Answer:
        """The answer to one image, packed as docs/link-protocol.md says."""
        return next(self.infer_many([image]))

    def infer_many(self, images: Iterable[bytes]) -> Iterator[Answer]:
        """The answers to `images` in their order, with as many requests under way as the board holds."""
        info = self._info or self.info()
        waiting = enumerate(images)
        again: deque[_Request] = deque()
        pending: dict[int, _Request] = {}  # by sequence number, oldest first
        answers: dict[int, Answer] = {}
        wanted = 0
        patience_s = self.timeout_s + self._wire_s(info.window * (info.input_bytes + info.output_bytes))
        deadline = time.monotonic() + patience_s
        while True:
            while len(pending) < info.window:
                if again:
                    request = again.popleft()
                elif (following := next(waiting, None)) is not None:
                    request = _Request(following[0], _checked(following[1], info=info))
                else:
                    break
                if request.tries > self.retries:
                    raise LinkError(f"the board at {self.port} lost image {request.index} {request.tries} times")
                request.tries += 1
                pending[self._sequence] = request
                self._send(Frame(Kind.INFER, self._sequence, request.image))
                self._sequence = (self._sequence + 1) % 256
            if not pending:
                return
            for frame in self._receive():
                deadline = time.monotonic() + patience_s
                self._settle(frame, pending, again, answers, output_bytes=info.output_bytes)
            if time.monotonic() > deadline:
                self.info()
                again.extendleft(reversed(pending.values()))
                pending.clear()
                deadline = time.monotonic() + patience_s
            while wanted in answers:
                yield answers.pop(wanted)
                wanted += 1
                deadline = time.monotonic() + patience_s

    def _settle(
        self,
        frame: Frame | ErrorCode,
        pending: dict[int, _Request],
        again: deque[_Request],
        answers: dict[int, Answer],
        *,
        output_bytes: int,
    ) -> None:
        """Moves the requests that `frame` decides from `pending` to `answers`, or to `again`.

        Answers come in order, so one that overtakes an older request says that the older one is lost. A damaged
        answer decides nothing by itself: the next good one, or silence, does.
        """
        if isinstance(frame, ErrorCode) or frame.sequence not in pending:
            return
        oldest = next(iter(pending))
        if frame.kind == Kind.INFER_ANSWER:
            if len(frame.payload) != 4 + output_bytes:
                raise LinkError(f"the board answers with {len(frame.payload)} bytes, not {4 + output_bytes}")
            while oldest != frame.sequence:
                again.append(pending.pop(oldest))
                oldest = next(iter(pending))
            request = pending.pop(oldest)
            answers[request.index] = Answer(frame.payload[4:], int.from_bytes(frame.payload[:4], "little"))
        elif frame.kind == Kind.ERROR:
            request = pending.pop(frame.sequence)
            code = frame.payload[0] if frame.payload else 0
            if code in _HOPELESS:
                raise LinkError(f"the board at {self.port} refuses image {request.index}: {ErrorCode(code).name}")
            again.append(request)

    def _send(self, frame: Frame) -> None:
        try:
            self._serial.write(encode(frame))
        except serial.SerialTimeoutException as error:
            raise LinkError(f"the board at {self.port} takes no bytes") from error
        except serial.SerialException as error:
            raise LinkError(f"the board at {self.port} went away: {error}") from error

    def _receive(self) -> Iterator[Frame | ErrorCode]:
        """The frames among the bytes that have come, after waiting for at least one byte for a moment."""
        try:
            data = self._serial.read(max(1, self._serial.in_waiting))
        except OSError as error:
            raise LinkError(f"the board at {self.port} went away: {error}") from error
        yield from self._decoder.feed(data)

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

    def _wire_s(self, count: int) -> float:
        """The seconds that `count` bytes need on the wire at worst."""
        return count * _FRAME_OVERHEAD * _BITS_PER_BYTE / self.baud


def _checked(image: bytes, *, info: Info) -> bytes:
    if len(image) != info.input_bytes:
        raise ValueError(f"an image of this board's network has {info.input_bytes} bytes, not {len(image)}")
    return image
