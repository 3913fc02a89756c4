"""Several boards of one build, which share the images.

Tests: tests/boards/host/test_accelerators.py
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from numpy.typing import NDArray

from .accelerator import Accelerator, Prediction
from .errors import LinkError

__all__ = ["Accelerators"]

_AHEAD = 4096
"""Images that may be taken before the first of them has been given back answered."""


class Accelerators:
    """Boards that hold the same build; a context manager.

    Each takes the next image as it has room. The images of one that fails go to the others, so none is lost; it gets
    no further ones.

    Parameters
    ----------
    boards : sequence of Accelerator
    on_lost : function of (LinkError), optional
        Is told of each board that fails, while others are left.
    """

    def __init__(self, boards: Sequence[Accelerator], *, on_lost: Callable[[LinkError], None] = lambda error: None):
        self.manifest = boards[0].manifest
        self.boards = list(boards)
        self.on_lost = on_lost

    @classmethod
    def open(
        cls,
        build_folder: str | Path,
        *,
        addresses: Sequence[str],
        timeout_s: float = 1.0,
        retries: int = 3,
        on_lost: Callable[[LinkError], None] = lambda error: None,
    ) -> "Accelerators":
        """Connects to the boards at these addresses, each as Accelerator.open has it. Raises as that, where one is not
        there, and ValueError where two are one."""
        if len(set(addresses)) < len(addresses):
            raise ValueError(f"addresses={', '.join(addresses)} must be of boards of their own; name each once")
        with ExitStack() as stack:
            boards = [
                stack.enter_context(
                    Accelerator.open(build_folder, address=address, timeout_s=timeout_s, retries=retries)
                )
                for address in addresses
            ]
            stack.pop_all()
        return cls(boards, on_lost=on_lost)

    def __enter__(self) -> "Accelerators":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Gives all lines back."""
        for board in self.boards:
            board.close()

    def answers(self, images: Iterable[NDArray[Any]]) -> Iterator[Prediction]:
        """As Accelerator.answers; `images` is read by several threads, one at a time. Raises LinkError from the first
        image on that no board is left for."""
        if not self.boards:
            raise LinkError("no board is left; connect to them again")
        shared = _Shared(images, boards=len(self.boards))
        threads = [threading.Thread(target=self._work, args=(board, shared), daemon=True) for board in self.boards]
        for thread in threads:
            thread.start()
        try:
            yield from shared.answers()
        finally:
            shared.close()
            for thread in threads:
                thread.join()

    def _work(self, board: Accelerator, shared: "_Shared") -> None:
        """One board's part, in a thread of its own."""
        taken: deque[tuple[int, NDArray[Any]]] = deque()
        try:
            while shared.wait():
                for answer in board.answers(shared.take(taken)):
                    shared.give(taken.popleft()[0], answer)
        except LinkError as error:
            self.boards.remove(board)
            board.close()
            if shared.lose(taken, error):
                self.on_lost(error)
        except BaseException as error:  # of the images: it is the caller's
            shared.fail(error)


class _Shared:
    """Images that wait, and answers that wait for their turn."""

    def __init__(self, images: Iterable[NDArray[Any]], *, boards: int):
        self._changed = threading.Condition()
        self._source = enumerate(images)
        self._reading = False
        self._is_exhausted = self._is_closed = False
        self._again: deque[tuple[int, NDArray[Any]]] = deque()
        self._answers: dict[int, Prediction] = {}
        self._taken = self._wanted = 0
        self._boards = boards
        self._error: BaseException | None = None

    def answers(self) -> Iterator[Prediction]:
        """All of them, in order."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._wanted in self._answers or self._error or self._is_done)
                if self._wanted not in self._answers:
                    if self._error is not None:
                        raise self._error
                    return
                answer = self._answers.pop(self._wanted)
                self._wanted += 1
                self._changed.notify_all()
            yield answer

    def wait(self) -> bool:
        """Waits for an image; whether one may be there. Another board may fail as long as answers are missing."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_over or self._again or self._may_read)
            return not self._is_over

    def take(self, taken: deque[tuple[int, NDArray[Any]]]) -> Iterator[NDArray[Any]]:
        """The images that wait now, each of them noted in `taken` with its number."""
        while (image := self._next()) is not None:
            taken.append(image)
            yield image[1]

    def _next(self) -> tuple[int, NDArray[Any]] | None:
        with self._changed:
            if self._is_over:
                return None
            if self._again:
                return self._again.popleft()
            if not self._may_read:
                return None
            self._reading = True
        image = next(self._source, None)  # which may last, while others answer
        with self._changed:
            self._reading = False
            self._is_exhausted = image is None
            self._taken += image is not None
            self._changed.notify_all()
        return image

    def give(self, number: int, answer: Prediction) -> None:
        """The answer to an image."""
        with self._changed:
            self._answers[number] = answer
            self._changed.notify_all()

    def lose(self, taken: Iterable[tuple[int, NDArray[Any]]], error: LinkError) -> bool:
        """A board has failed: its images wait again. Whether another one is left."""
        with self._changed:
            self._again.extendleft(list(taken)[::-1])
            self._boards -= 1
            if not self._boards:
                self._error = error
            self._changed.notify_all()
            return self._boards > 0

    def fail(self, error: BaseException) -> None:
        """Nothing goes on."""
        with self._changed:
            self._error = error
            self._changed.notify_all()

    def close(self) -> None:
        """No further image is wanted."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    @property
    def _is_done(self) -> bool:
        return self._is_exhausted and self._wanted + len(self._answers) == self._taken

    @property
    def _is_over(self) -> bool:
        return self._is_closed or self._error is not None or self._is_done

    @property
    def _may_read(self) -> bool:
        return not self._reading and not self._is_exhausted and self._taken - self._wanted < _AHEAD
