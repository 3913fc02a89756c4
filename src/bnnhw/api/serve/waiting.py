"""Images that wait for the board: a queue with so many places, and a line for each network.

Tests: tests/api/serve/test_waiting.py
"""

from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Condition
from typing import Any

from numpy.typing import NDArray

from bnnhw.boards.host.accelerator import Prediction

__all__ = ["EndedError", "FullError", "Place", "Waiting"]


class FullError(Exception):
    """All places are taken."""


class EndedError(Exception):
    """There will be no answers any more."""


@dataclass(eq=False)
class Place:
    """A place in the queue: of which network, its image once that is there, and the answer to come."""

    name: str
    image: NDArray[Any] | None = None
    answer: Future[Prediction] = field(default_factory=Future)


class Waiting:
    """The queue. Threads may share it: those that bring images, and one that takes them.

    Parameters
    ----------
    at_once : mapping
        Of each network's name the most images that are taken together.
    places : int
        Images that wait, those included that are still on their way from their sender.

    Attributes
    ----------
    answered : dict
        Of each network's name the images that were answered, which who takes them counts.
    """

    def __init__(self, at_once: Mapping[str, int], *, places: int):
        self.answered = dict.fromkeys(at_once, 0)
        self._at_once = at_once
        self._places = places
        self._held: set[Place] = set()
        self._lines: dict[str, deque[Place]] = {name: deque() for name in at_once}
        self._turns = deque(at_once)
        self._under_way: list[Place] = []
        self._ended = False
        self._changed = Condition()

    def join(self, name: str) -> Place:
        """Takes a place for an image of that network. Raises FullError where there is none, EndedError after `end`."""
        with self._changed:
            if self._ended:
                raise EndedError("the server ends")
            if len(self._held) >= self._places:
                raise FullError(f"{self._places} images wait already; send it again later")
            place = Place(name)
            self._held.add(place)
            return place

    def bring(self, place: Place, image: NDArray[Any]) -> Future[Prediction]:
        """Puts the image into its line; the answer to come."""
        with self._changed:
            if place in self._held:  # else the queue has ended, and the answer says so
                place.image = image
                self._lines[place.name].append(place)
                self._changed.notify()
        return place.answer

    def leave(self, place: Place) -> None:
        """Gives the place back, and with it what waits there; what was taken already stays so."""
        with self._changed:
            if place in self._held:
                self._held.remove(place)
                if place.image is not None:
                    self._lines[place.name].remove(place)

    def take(self) -> list[Place]:
        """The images that have waited longest of the network whose turn it is, as many as are taken at once.

        Waits for one; nothing after `end`. Networks take turns as long as they have images.
        """
        with self._changed:
            while not self._ended:
                for _ in range(len(self._turns)):
                    name = self._turns[0]
                    self._turns.rotate(-1)
                    if taken := self._take(name):
                        self._under_way = taken
                        return taken
                self._changed.wait()
            return []

    def _take(self, name: str) -> list[Place]:
        line = self._lines[name]
        taken = [line.popleft() for _ in range(min(len(line), self._at_once[name]))]
        self._held -= set(taken)
        return [place for place in taken if place.answer.set_running_or_notify_cancel()]

    def count(self, name: str) -> int:
        """The images of that network that wait."""
        with self._changed:
            return sum(place.name == name for place in self._held)

    def end(self) -> None:
        """Nothing is taken any more, and what has no answer gets an EndedError."""
        with self._changed:
            self._ended = True
            left = [*self._held, *self._under_way]
            self._held.clear()
            for line in self._lines.values():
                line.clear()
            self._changed.notify_all()
        for place in left:
            if not place.answer.done():
                place.answer.set_exception(EndedError("the server ends"))
