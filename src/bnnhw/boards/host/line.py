"""What carries the link's bytes between host and board.

Tests: tests/boards/host/test_link.py
"""

from typing import Protocol

__all__ = ["POLL_S", "Line"]

POLL_S = 0.02
"""How long `receive` waits."""


class Line(Protocol):
    """Bytes both ways, in order; some may be lost or damaged. All methods but `close` may raise LinkError.

    Attributes
    ----------
    name, rate, place : str
        For messages: where the board is; " at .. baud", or nothing; and what one calls where it is.
    bytes_per_second : float
    """

    name: str
    rate: str
    place: str
    bytes_per_second: float

    def set_write_timeout(self, seconds: float) -> None:
        """How long a write may last."""
        ...

    def begin(self) -> None:
        """A conversation begins, with an INFO: where a line can tell what is of an earlier one, that is dropped."""
        ...

    def send(self, frame: bytes) -> None:
        """Sends the bytes of a frame, at the latest with `flush`."""
        ...

    def flush(self) -> None:
        """All that was given to `send` is under way."""
        ...

    def receive(self) -> bytes:
        """The bytes that have come, after waiting for some for a moment."""
        ...

    def close(self) -> None:
        """Gives the line back at once, whatever was not sent yet."""
        ...
