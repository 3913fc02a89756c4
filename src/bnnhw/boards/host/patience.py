"""How long a link waits for its next answer.

Tests: tests/boards/host/test_talkative_line.py
"""

import time

__all__ = ["Patience"]

_FRAGMENT = 0.5  # time-outs that talk may last in any case: it may be the beginning of the answer


class Patience:
    """Runs out when for too long no request has been settled, whatever else comes.

    A silent line may have lost what was sent: it gets `retries` + 2 time-outs, the first wait and those of as many
    requests for INFO. A line that brings bytes which settle nothing is hardly the board's: it gets half of that, 2.5
    time-outs with 3 retries.

    Parameters
    ----------
    timeout_s : float
        The time for one answer.
    retries : int
        As BoardLink's.

    Attributes
    ----------
    heard : int
        The bytes that came since the last progress.
    """

    def __init__(self, timeout_s: float, *, retries: int):
        self.timeout_s = timeout_s
        self.retries = retries
        self.renew()

    def renew(self) -> None:
        """A request has been settled: everything begins anew."""
        self._progress = time.monotonic()
        self.forgive()

    def forgive(self) -> None:
        """What was heard so far made sense, but settled nothing: that is no progress, and no useless talk."""
        self.heard = 0
        self._talking_since = 0.0

    def hear(self, count: int) -> None:
        """So many bytes have come."""
        if count and not self.heard:
            self._talking_since = time.monotonic()
        self.heard += count

    @property
    def exhausted(self) -> bool:
        """Whether it is time to give up."""
        now = time.monotonic()
        silent_s = (self.retries + 2) * self.timeout_s
        talks_on = self.heard and now - self._talking_since > _FRAGMENT * self.timeout_s
        return now - self._progress > (silent_s / 2 if talks_on else silent_s)
