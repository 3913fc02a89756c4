import threading

import numpy as np
import pytest

from bnnhw.api.serve.waiting import EndedError, FullError, Place, Waiting

IMAGE = np.zeros((2, 3, 1))


def bring(waiting: Waiting, name: str, count: int) -> list[Place]:
    """So many images of a network that wait now."""
    places = [waiting.join(name) for _ in range(count)]
    for place in places:
        waiting.bring(place, IMAGE)
    return places


def test_has_no_more_places_than_it_was_given() -> None:
    """Those whose image is not there yet are taken, too; places of images that are under way are free."""
    waiting = Waiting({"a": 2, "b": 2}, places=3)
    bring(waiting, "a", 2)
    late = waiting.join("b")
    for name in ("a", "b"):
        with pytest.raises(FullError, match=r"^3 images wait already; send it again later$"):
            waiting.join(name)
    assert (waiting.count("a"), waiting.count("b")) == (2, 1)
    waiting.leave(late)
    waiting.leave(late)
    waiting.join("a")
    with pytest.raises(FullError):
        waiting.join("a")
    waiting.take()
    waiting.join("a")
    waiting.join("a")
    with pytest.raises(FullError):
        waiting.join("a")


def test_networks_take_turns_and_images_stay_in_their_order() -> None:
    waiting = Waiting({"a": 2, "b": 3, "c": 1}, places=64)
    brought = {"a": bring(waiting, "a", 7), "b": bring(waiting, "b", 4)}
    taken = [waiting.take() for _ in range(6)]
    assert [(places[0].name, len(places)) for places in taken] == [
        ("a", 2), ("b", 3), ("a", 2), ("b", 1), ("a", 2), ("a", 1),
    ]  # fmt: skip
    for name, places in brought.items():
        assert [place for batch in taken for place in batch if place.name == name] == places


def test_who_leaves_is_not_taken_and_who_was_taken_stays() -> None:
    waiting = Waiting({"a": 2}, places=64)
    first, second, third = bring(waiting, "a", 3)
    waiting.leave(first)
    third.answer.cancel()
    assert waiting.take() == [second]
    assert not second.answer.cancel()
    waiting.leave(second)
    assert waiting.count("a") == 0


def test_waits_for_an_image() -> None:
    waiting = Waiting({"a": 2}, places=1)
    found: list[list[Place]] = []
    thread = threading.Thread(target=lambda: found.extend((waiting.take(), waiting.take())))
    thread.start()
    places = bring(waiting, "a", 1)
    while waiting.count("a"):
        pass
    waiting.end()
    thread.join(30)
    assert found == [places, []]


def test_all_without_an_answer_are_told_of_the_end() -> None:
    waiting = Waiting({"a": 1}, places=64)
    done, under_way, left = bring(waiting, "a", 3)
    late = waiting.join("a")
    assert waiting.take() == [done]
    done.answer.set_exception(ValueError())
    assert waiting.take() == [under_way]
    waiting.end()
    waiting.bring(late, IMAGE)
    for place in (under_way, left, late):
        assert isinstance(place.answer.exception(0), EndedError)
    assert isinstance(done.answer.exception(0), ValueError)
    assert waiting.take() == []
    with pytest.raises(EndedError):
        waiting.join("a")
