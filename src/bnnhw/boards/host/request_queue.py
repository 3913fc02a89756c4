"""The requests of a link for images, from the first chunk sent to the last one of the answer.

Tests: tests/boards/host/test_link.py
"""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bnnhw.hw.protocol import CYCLES_BYTES, ErrorCode, Frame, Info, Kind

from .errors import LinkError

__all__ = ["Answer", "RequestQueue"]

_HOPELESS = (ErrorCode.LENGTH, ErrorCode.KIND)  # the same frame will be refused again


@dataclass(frozen=True)
class Answer:
    """What the board says about one image: the output's bytes, and the clock cycles from first beat in to last out.

    tries: how often it was sent. latency_s: the seconds of the last time, from the first chunk to the answer.
    """

    outputs: bytes
    cycles: int
    tries: int
    latency_s: float


@dataclass
class _Request:
    """An image. Of the present try: when it began, chunks sent and taken, those of the answer, and whether one of them
    is missing."""

    index: int
    image: bytes
    tries: int = 0
    refusal: ErrorCode | None = None  # of the last try
    begun: float = 0.0
    sent: int = 0
    taken: int = 0
    answer: list[bytes] = field(default_factory=list)
    spoiled: bool = False

    def begin(self) -> None:
        """One more try."""
        self.tries += 1
        self.begun = time.perf_counter()
        self.refusal = None
        self.sent = self.taken = 0
        self.answer = []
        self.spoiled = False


class RequestQueue:
    """Images that wait, requests under way, and answers that wait for their turn.

    Parameters
    ----------
    images : iterable of bytes
        Taken one by one, as there is room for them.
    info : Info
        How many chunks the board holds, and the sizes of images, answers and chunks.
    retries : int
        How often a request is sent again.
    port : str
        For messages.
    """

    def __init__(self, images: Iterable[bytes], *, info: Info, retries: int, port: str):
        self._info = info
        self._image_chunks = -(-info.input_bytes // info.input_chunk)
        self._answer_chunks = -(-info.output_bytes // info.output_chunk)
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
        """The next chunk to be sent, of a new image under this number; None where there is none, or no room for it.

        Raises
        ------
        LinkError
            When its image has been sent too often.
        ValueError
            For an image of another size than the board's.
        """
        if sum(request.sent - request.taken for request in self._pending.values()) >= self._info.window:
            return None
        newest = next(reversed(self._pending), None)
        if newest is None or self._pending[newest].sent == self._image_chunks:
            if (request := self._next_request()) is None:
                return None
            self._pending[sequence] = request
            newest = sequence
        request, size = self._pending[newest], self._info.input_chunk
        number = request.sent
        request.sent += 1
        return Frame(Kind.INFER, newest, request.image[number * size : (number + 1) * size], number)

    def _next_request(self) -> _Request | None:
        if self._again:
            request = self._again.popleft()
        elif (following := next(self._waiting, None)) is not None:
            request = _Request(following[0], self._checked(following[1]))
        else:
            return None
        if request.tries > self._retries:
            why = f", the last time with {request.refusal.name}" if request.refusal else ""
            raise LinkError(f"the board at {self._port} lost image {request.index} {request.tries} times{why}")
        request.begin()
        return request

    def settle(self, frame: Frame | ErrorCode) -> bool:
        """Takes a frame from the board in; whether it says something new of a request that is under way.

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
        if frame.kind == Kind.TAKEN:
            return self._take(frame)
        return frame.kind == Kind.INFER_ANSWER and self._collect(frame)

    def _take(self, frame: Frame) -> bool:
        """The chunks up to this one have left the board's buffer; the last ones of images are answered otherwise."""
        request = self._pending[frame.sequence]
        if not request.taken <= frame.number < min(request.sent, self._image_chunks - 1):
            return False
        for older in self._pending.values():
            if older is request:
                break
            older.taken = self._image_chunks - 1
        request.taken = frame.number + 1
        return True

    def _collect(self, frame: Frame) -> bool:
        """A chunk of an answer. Where one before it is missing, the image is sent again once the last one has come."""
        size, last = self._info.output_chunk, self._answer_chunks - 1
        if frame.number > last:
            raise LinkError(f"the board at {self._port} answers with chunk {frame.number}, where it has {last + 1}")
        expected = size if frame.number < last else self._info.output_bytes - last * size + CYCLES_BYTES
        if len(frame.payload) != expected:
            raise LinkError(f"the board at {self._port} answers with {len(frame.payload)} bytes, not {expected}")
        request = self._pending[frame.sequence]
        received = len(request.answer)
        if frame.number < received or (frame.number == last and request.sent < self._image_chunks):
            return False
        while (oldest := next(iter(self._pending))) != frame.sequence:
            self._again.append(self._pending.pop(oldest))
        request.spoiled |= frame.number != received
        if request.spoiled:
            if frame.number == last:
                self._again.append(self._pending.pop(oldest))
            return False
        if frame.number < last:
            request.answer.append(frame.payload)
            return True
        del self._pending[oldest]
        outputs, cycles = frame.payload[:-CYCLES_BYTES], frame.payload[-CYCLES_BYTES:]
        self._answers[request.index] = Answer(
            outputs=b"".join([*request.answer, outputs]),
            cycles=int.from_bytes(cycles, "little"),
            tries=request.tries,
            latency_s=time.perf_counter() - request.begun,
        )
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
        if request.refusal in _HOPELESS and self._image_chunks == 1:  # else it may be another frame that was refused
            raise LinkError(f"{refused}: {request.refusal.name}")
        self._again.append(request)

    def _checked(self, image: bytes) -> bytes:
        if len(image) != self._info.input_bytes:
            raise ValueError(f"an image of this board's network has {self._info.input_bytes} bytes, not {len(image)}")
        return image
