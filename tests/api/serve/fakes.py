"""A board without a network: it answers with the sum of an image, when it may."""

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from bnnhw.api.builds.opened import BuiltNetwork
from bnnhw.api.serve.waiting import Waiting
from bnnhw.api.serve.work import work
from bnnhw.boards.host.accelerator import Prediction
from bnnhw.boards.host.errors import LinkError

CLOCK_HZ = 1e6
SHAPE = (2, 3, 1)


def network_of(name: str) -> BuiltNetwork:
    """Of images (2, 3, 1) of bytes."""
    return BuiltNetwork(
        folder=Path(name), board="fake", clock_hz=CLOCK_HZ, shape=SHAPE, lo=0, hi=255, classes=(), made=cast(Any, None)
    )


def prediction(image: NDArray[Any]) -> Prediction:
    """What the board says of an image."""
    total = int(image.sum())
    return Prediction(index=total, label=str(total), scores=None, cycles=total, outputs={"y": np.array(total)})


class FakeBoard:
    """Dies of an image that begins with 13, and has a defect at 14.

    Attributes
    ----------
    may : Event
        Whether it answers.
    batches : list of (name, images)
        What it was given.
    opened, closed : int
    plugged : bool
        Whether it can be opened.
    """

    def __init__(self):
        self.may = threading.Event()
        self.may.set()
        self.batches: list[tuple[str, int]] = []
        self.opened = self.closed = 0
        self.plugged = True

    @contextmanager
    def open(self) -> Iterator["FakeBoard"]:
        if not self.plugged:
            raise LinkError("no board")
        self.opened += 1
        try:
            yield self
        finally:
            self.closed += 1

    def answers(self, network: BuiltNetwork, images: Iterable[NDArray[Any]]) -> Iterator[Prediction]:
        batch = list(images)
        self.batches.append((network.folder.name, len(batch)))
        for image in batch:
            assert self.may.wait(30)
            if image.flat[0] == 13:
                raise LinkError("the board at /dev/x went away")
            if image.flat[0] == 14:
                raise RuntimeError("a defect")
            yield prediction(image)


@contextmanager
def at_work(board: FakeBoard, waiting: Waiting, networks: Mapping[str, BuiltNetwork]) -> Iterator[None]:
    """A thread that answers with `board`."""
    is_open = threading.Event()
    thread = threading.Thread(target=work, args=(waiting, networks, board.open), kwargs={"on_open": is_open.set})
    thread.start()
    try:
        assert is_open.wait(30)
        yield
    finally:
        board.may.set()
        waiting.end()
        thread.join(30)
        assert not thread.is_alive()
