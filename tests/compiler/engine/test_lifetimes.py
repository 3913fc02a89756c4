"""Places by lifetime: none that meet overlap, chains fit wherever neighbours do, and errors name what does not fit."""

from itertools import pairwise

import numpy as np
import pytest

from bnnhw.compiler.engine.lifetimes import Lifetime, place_lifetimes, place_tightly
from bnnhw.compiler.errors import ScheduleError


def placed(lives: list[Lifetime], room: int) -> list[int]:
    return place_lifetimes(lives, room, what="maps", name="map_words", way_out="take one of larger banks")


def check(lives: list[Lifetime], begins: list[int], room: int) -> None:
    """All lie in the room, at their multiples, and apart from those that they meet."""
    for number, (life, begin) in enumerate(zip(lives, begins, strict=True)):
        assert 0 <= begin <= room - life.words
        assert begin % life.align == 0
        for other, at in zip(lives[:number], begins[:number], strict=True):
            apart = begin + life.words <= at or at + other.words <= begin
            assert apart or life.last < other.first or other.last < life.first, (life, other)


@pytest.mark.parametrize("seed", range(20))
def test_random_lives(seed):
    rng = np.random.default_rng(seed)
    lives = [
        Lifetime(f"m{step}", int(rng.integers(1, 40)), step, step + int(rng.integers(0, 6)), int(rng.choice([1, 1, 8])))
        for step in range(15)
    ]
    check(lives, placed(lives, 400), 400)
    room, begins = place_tightly(lives)
    check(lives, begins, room)
    most = max(sum(life.words for life in lives if life.first <= step <= life.last) for step in range(20))
    assert most <= room <= 1.5 * most


@pytest.mark.parametrize("seed", range(20))
def test_chains_fit_where_neighbours_do(seed):
    rng = np.random.default_rng(seed)
    words = [int(count) for count in rng.integers(1, 50, 12)]
    lives = [Lifetime(f"m{step}", count, max(0, step - 1), step) for step, count in enumerate(words)]
    room = max(a + b for a, b in pairwise(words))
    begins = placed(lives, room)
    assert begins == [0 if step % 2 == 0 else room - count for step, count in enumerate(words)]
    assert place_tightly(lives) == (room, begins)


@pytest.mark.parametrize(
    ("spans", "room"),
    [
        ([(4, 0, 2), (3, 2, 2), (4, 2, 3), (6, 3, 3)], 11),
        ([(2, 0, 2), (3, 0, 1), (3, 2, 3), (4, 3, 5)], 7),
        ([(2, 0, 2), (6, 2, 4), (6, 2, 3), (4, 3, 5)], 16),
    ],
    ids=["from the begin", "the longest first", "the largest first"],
)
def test_other_orders_fit_where_both_ends_in_turn_do_not(spans, room):
    """Each case by one of them alone."""
    lives = [Lifetime(f"m{number}", *span) for number, span in enumerate(spans)]
    check(lives, placed(lives, room), room)


def test_errors_name_what_is_needed_at_once():
    lives = [Lifetime("a", 10, 0, 1), Lifetime("b", 20, 0, 2), Lifetime("c", 15, 2, 2)]
    assert placed(lives, 35)
    with pytest.raises(
        ScheduleError,
        match=r"^maps 'b' of 20, 'c' of 15 words are needed at once: 35 are more than the map_words=34 of this engine; "
        r"take one of larger banks$",
    ):
        placed(lives, 34)


def test_errors_where_words_are_enough_but_in_pieces():
    lives = [Lifetime("a", 5, 0, 1, align=8), Lifetime("b", 5, 0, 1, align=8)]
    with pytest.raises(ScheduleError, match=r"no way to place these and the others was found in the map_words=12 of"):
        placed(lives, 12)
