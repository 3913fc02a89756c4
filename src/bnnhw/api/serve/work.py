"""The one who has the board, and answers what waits.

Tests: tests/api/serve/test_work.py
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager

import numpy as np

from bnnhw.api.builds.opened import BuiltNetwork, OpenBoard

from .waiting import Place, Waiting

__all__ = ["work"]


def work(
    waiting: Waiting,
    networks: Mapping[str, BuiltNetwork],
    open_board: Callable[[], AbstractContextManager[OpenBoard]],
    *,
    on_open: Callable[[], None],
) -> None:
    """Opens the board, says so, and answers until the queue ends.

    What fails then is the answer to the images under way, and the board is opened again for those that come next.
    Raises what opening it fails with at first.
    """
    was_open = False
    places: Sequence[Place] | None = None
    while places is None or places:
        try:
            with open_board() as board:
                if not was_open:
                    was_open = True
                    on_open()
                places = places or waiting.take()
                while places:
                    _answer(places, waiting, networks, board)
                    places = waiting.take()
        except Exception as error:
            if not was_open:
                raise
            for place in places or ():
                if not place.answer.done():
                    place.answer.set_exception(error)
            places = waiting.take()


def _answer(places: Sequence[Place], waiting: Waiting, networks: Mapping[str, BuiltNetwork], board: OpenBoard) -> None:
    """Answers images of one network."""
    name = places[0].name
    images = np.stack([place.image for place in places if place.image is not None])
    for place, answer in zip(places, board.answers(networks[name], images), strict=True):
        waiting.answered[name] += 1
        place.answer.set_result(answer)
