"""The requests of a link for images, from the first send to the answer.

Tests: tests/boards/host/test_link.py
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bnnhw.hw.protocol import ErrorCode, Frame, Info, Kind

from .serial_port import LinkError

__all__ = ["Answer", "RequestQueue"]

_CYCLES_BYTES = 4
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
    refusal: ErrorCode | None = None  # of the last try


class RequestQueue:
    """Images that wait, requests under way, and answers that wait for their turn.

    Parameters
    ----------
    images : iterable of bytes
        Taken one by one, as there is room for them.
    info : Info
        How many requests the board holds, and the sizes of images and answers.
    retries : int
        How often a request is sent again.
    port : str
        For messages.
    """

    def __init__(self, images: Iterable[bytes], *, info: Info, retries: int, port: str):
        self._info = info
        self._retries = retries
        self._port = port
        self._waiting = enumerate(images)
        self._again: deque[_Request] = deque()
        self._pending: dict[int, _Request] = {}  # by sequence number, oldest first
        self._answers: dict[int, Answer] = {}
        self._wanted = 0

    def __bool__(self) -> bool:
        """Whether requests are under way."""
        return bool(self._pending)

    @property
    def oldest(self) -> int:
        """The number of the image that has been under way for the longest time."""
        return next(iter(self._pending.values())).index

    def next_frame(self, sequence: int) -> Frame | None:
        """The next request to be sent, under this number; None where there is none, or no room for it.

        Raises
        ------
        LinkError
            When it has been sent too often.
        ValueError
            For an image of another size than the board's.
        """
        if len(self._pending) == self._info.window:
            return None
        if self._again:
            request = self._again.popleft()
        elif (following := next(self._waiting, None)) is not None:
            request = _Request(following[0], self._checked(following[1]))
        else:
            return None
        if request.tries > self._retries:
            why = f", the last time with {request.refusal.name}" if request.refusal else ""
            raise LinkError(f"the board at {self._port} lost image {request.index} {request.tries} times{why}")
        request.tries += 1
        request.refusal = None
        self._pending[sequence] = request
        return Frame(Kind.INFER, sequence, request.image)

    def settle(self, frame: Frame | ErrorCode) -> bool:
        """Takes a frame from the board in; whether it answers a request that is under way.

        Answers come in order, so one that overtakes an older request says that the older one is lost. A damaged
        answer decides nothing by itself: the next good one, or silence, does. A refused request will be sent again.

        Raises
        ------
        LinkError
            When sending it again cannot help.
        """
        if isinstance(frame, ErrorCode) or frame.sequence not in self._pending:
            return False
        if frame.kind == Kind.ERROR:
            self._refuse(self._pending.pop(frame.sequence), frame.payload)
        if frame.kind != Kind.INFER_ANSWER:
            return False
        expected = _CYCLES_BYTES + self._info.output_bytes
        if len(frame.payload) != expected:
            raise LinkError(f"the board at {self._port} answers with {len(frame.payload)} bytes, not {expected}")
        while (oldest := next(iter(self._pending))) != frame.sequence:
            self._again.append(self._pending.pop(oldest))
        request = self._pending.pop(oldest)
        cycles, outputs = frame.payload[:_CYCLES_BYTES], frame.payload[_CYCLES_BYTES:]
        self._answers[request.index] = Answer(outputs, int.from_bytes(cycles, "little"))
        return True

    def lose_all(self) -> None:
        """No request that is under way will be answered any more: all will be sent again."""
        self._again.extendleft(reversed(self._pending.values()))
        self._pending.clear()

    def ready(self) -> Iterator[Answer]:
        """The answers whose turn it is."""
        while self._wanted in self._answers:
            yield self._answers.pop(self._wanted)
            self._wanted += 1

    def _refuse(self, request: _Request, payload: bytes) -> None:
        refused = f"the board at {self._port} refuses image {request.index}"
        try:
            (number,) = payload
            request.refusal = ErrorCode(number)
        except ValueError as error:
            raise LinkError(
                f"{refused} with an error of which bnnhw knows nothing: {payload[:8].hex(' ') or 'no code'}; "
                "flash this build again"
            ) from error
        if request.refusal in _HOPELESS:
            raise LinkError(f"{refused}: {request.refusal.name}")
        self._again.append(request)

    def _checked(self, image: bytes) -> bytes:
        if len(image) != self._info.input_bytes:
            raise ValueError(f"an image of this board's network has {self._info.input_bytes} bytes, not {len(image)}")
        return image
