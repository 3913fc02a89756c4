"""Several boards share images: all are answered, in order, whichever boards fail on the way."""

import threading
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnhw.boards.host.accelerators import Accelerators
from bnnhw.boards.host.errors import LinkError
from bnnhw.boards.manifest import Manifest
from tests.boards.networks import make_schedule

from .test_accelerator import write_build
from .udp_board import UdpBoard, board_info

IMAGES = np.random.default_rng(3).integers(0, 256, (600, 4, 3, 1))


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("build")
    write_build(make_schedule(folder, seed=5), folder)
    return folder


def label_of(image: bytes) -> bytes:
    return bytes([sum(image) % 5])


@cache
def labels(build: Path) -> list[int]:
    """Those of IMAGES."""
    manifest = Manifest.read(build)
    return [label_of(manifest.encode_image(image))[0] for image in IMAGES]


class Boards:
    """Boards of a build, and what is told of those that are lost."""

    def __init__(self, build: Path, stack: ExitStack, *options: dict[str, Any], timeout_s: float = 2.0):
        info = board_info(Manifest.read(build))
        self.boards = [stack.enter_context(UdpBoard(info, label_of, **each)) for each in options]
        self.lost: list[str] = []
        self.opened = stack.enter_context(
            Accelerators.open(
                build,
                addresses=[board.address for board in self.boards],
                timeout_s=timeout_s,
                retries=1,
                on_lost=lambda error: self.lost.append(str(error)),
            )
        )


@pytest.mark.parametrize("count", [1, 2, 3])
def test_boards_share_the_images(build: Path, count: int):
    with ExitStack() as stack:
        boards = Boards(build, stack, *[{}] * count)
        for _ in range(2):
            assert [answer.index for answer in boards.opened.answers(IMAGES)] == labels(build)
        shares = [board.images() for board in boards.boards]
        assert sum(shares) == 2 * len(IMAGES)
        assert min(shares) > 0
        assert boards.lost == []


@pytest.mark.parametrize("dies_after", [2, 40])
def test_one_that_dies_loses_nothing(build: Path, dies_after: int):
    """And takes no part in what follows."""
    with ExitStack() as stack:
        boards = Boards(build, stack, {}, {"dies_after": dies_after})
        for _ in range(2):
            assert [answer.index for answer in boards.opened.answers(IMAGES)] == labels(build)
            assert len(boards.lost) == 1
        assert boards.lost[0].startswith(f"nothing answers at {boards.boards[1].address}")


def test_one_that_falls_silent_loses_nothing(build: Path):
    with ExitStack() as stack:
        boards = Boards(build, stack, {}, {}, timeout_s=0.4)
        answers = boards.opened.answers(IMAGES)
        first = [next(answers).index for _ in range(10)]
        boards.boards[0].mute = True
        assert first + [answer.index for answer in answers] == labels(build)
        assert [error.startswith(f"the board at {boards.boards[0].address} does not") for error in boards.lost] == [
            True
        ]


def test_when_all_have_failed_the_last_one_says_why(build: Path):
    with ExitStack() as stack:
        boards = Boards(build, stack, {"dies_after": 30}, {"dies_after": 50})
        found = []
        with pytest.raises(LinkError, match=r"^nothing answers at "):
            found.extend(answer.index for answer in boards.opened.answers(IMAGES))
        assert found == labels(build)[: len(found)]
        assert len(boards.lost) == 1
        with pytest.raises(LinkError, match=r"^no board is left; connect to them again$"):
            list(boards.opened.answers(IMAGES))


def test_an_error_of_the_images_is_the_callers(build: Path):
    def images() -> Iterator[np.ndarray]:
        yield from IMAGES[:100]
        raise RuntimeError("no more film")

    with ExitStack() as stack:
        boards = Boards(build, stack, {}, {})
        with pytest.raises(RuntimeError, match="no more film"):
            list(boards.opened.answers(images()))
        with pytest.raises(ValueError, match=r"has the shape \(4, 3, 1\), not \(1,\)"):
            list(boards.opened.answers([*IMAGES[:9], np.zeros(1, int)]))
        assert [answer.index for answer in boards.opened.answers(IMAGES)] == labels(build)


def test_images_are_taken_as_they_are_wanted(build: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bnnhw.boards.host.accelerators._AHEAD", 20)
    taken = []

    def images() -> Iterator[np.ndarray]:
        for image in IMAGES:
            taken.append(image)
            yield image

    with ExitStack() as stack:
        boards = Boards(build, stack, {}, {})
        answers = boards.opened.answers(images())
        assert [next(answers).index for _ in range(100)] == labels(build)[:100]
        assert len(taken) <= 120
        before = threading.active_count()
        assert isinstance(answers, Generator)
        answers.close()
        assert threading.active_count() == before - 2
        assert len(taken) <= 120


def test_a_board_is_named_once(build: Path):
    with pytest.raises(ValueError, match="must be of boards of their own; name each once"):
        Accelerators.open(build, addresses=["127.0.0.1:7000", "127.0.0.1:7000"])


def test_all_are_given_back_where_one_is_not_there(build: Path):
    with UdpBoard(board_info(Manifest.read(build)), label_of) as board:
        for other in ("127.0.0.1:1", "nowhere"):
            with pytest.raises(LinkError):
                Accelerators.open(build, addresses=[board.address, other], timeout_s=0.1)
