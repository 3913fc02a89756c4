"""Places in a memory for what is needed for some steps only, so that others may have the same words at other steps.

Tests: tests/compiler/engine/test_lifetimes.py
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bnnhw.compiler.errors import ScheduleError

__all__ = ["Lifetime", "place_lifetimes", "place_tightly"]


@dataclass(frozen=True)
class Lifetime:
    """Words that something named is given from step `first` to step `last`, both included, at a multiple of `align`."""

    name: str
    words: int
    first: int
    last: int
    align: int = 1

    def meets(self, other: "Lifetime") -> bool:
        """Whether both live at some step."""
        return self.first <= other.last and other.first <= self.last


def place_lifetimes(lives: Sequence[Lifetime], room: int, *, what: str, name: str, way_out: str) -> list[int]:
    """Where each begins in a memory of `room` words, so that none that meet overlap.

    Each comes to the first gap that it fits into, from both ends in turn: so lives of which each meets the one before
    it alone, given in that order, fit wherever any two neighbours do. Where that fails, all from the begin, the longest
    or the largest ones first.

    Raises ScheduleError: `what` (such as "maps") names the lives, `name` the memory's size; then the way out.
    """
    begins = _fitting(lives, room)
    if begins is not None:
        return begins
    most = _fullest(lives)
    count = sum(each.words for each in most)
    named = ", ".join(f"{each.name!r} of {each.words}" for each in most)
    why = f"{count} are more than" if count > room else "no way to place these and the others was found in"
    raise ScheduleError(f"{what} {named} words are needed at once: {why} the {name}={room} of this engine; {way_out}")


def place_tightly(lives: Sequence[Lifetime]) -> tuple[int, list[int]]:
    """(room, begins): the same in as little room as is found, at best the words that live at once."""
    room = sum(each.words for each in _fullest(lives))
    while (begins := _fitting(lives, room)) is None:
        room += max(1, room // 64)
    return room, begins


def _fitting(lives: Sequence[Lifetime], room: int) -> list[int] | None:
    """The begins by the first order in which all find a gap; None where there is none."""
    numbers = range(len(lives))
    tries = (
        (numbers, True),
        (numbers, False),
        (sorted(numbers, key=lambda number: lives[number].first - lives[number].last), False),
        (sorted(numbers, key=lambda number: -lives[number].words), False),
    )
    found = (_first_fit(lives, room, order, in_turn=in_turn) for order, in_turn in tries)
    return next((begins for begins in found if begins is not None), None)


def _fullest(lives: Sequence[Lifetime]) -> list[Lifetime]:
    """Those that live at the step with the most words."""
    alive = (_alive(lives, each.first) for each in lives)
    return max(alive, key=lambda some: sum(each.words for each in some), default=[])


def _alive(lives: Sequence[Lifetime], step: int) -> list[Lifetime]:
    return [each for each in lives if each.first <= step <= each.last]


def _first_fit(lives: Sequence[Lifetime], room: int, order: Sequence[int], *, in_turn: bool) -> list[int] | None:
    """The begins, where all have been placed in that order; None where one found no gap."""
    begins: dict[int, int] = {}
    for count, number in enumerate(order):
        life = lives[number]
        taken = [
            range(begin, begin + lives[other].words) for other, begin in begins.items() if lives[other].meets(life)
        ]
        from_the_end = in_turn and count % 2 == 1
        gaps = list(_gaps(taken, life, room))
        if not gaps:
            return None
        begins[number] = max(gaps) if from_the_end else min(gaps)
    return [begins[number] for number in range(len(lives))]


def _gaps(taken: Sequence[range], life: Lifetime, room: int) -> Iterator[int]:
    """Begins of free words, as near as can be to what is taken and to the ends of the room."""
    upwards = (0, *(each.stop for each in taken))
    downwards = (room, *(each.start for each in taken))
    begins = [-(-stop // life.align) * life.align for stop in upwards]
    begins += [(start - life.words) // life.align * life.align for start in downwards]
    for begin in begins:
        end = begin + life.words
        if begin >= 0 and end <= room and all(end <= each.start or each.stop <= begin for each in taken):
            yield begin
