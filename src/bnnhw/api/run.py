"""Images to the board, and what it says they show.

Tests: tests/api/test_examples.py
"""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

from bnnhw.boards.host.accelerator import Prediction
from bnnhw.boards.host.errors import LinkError
from bnnhw.sim.board.read_build import LinkKind

from .builds.opened import built_network, opened
from .checks import check_count, check_place
from .images.inputs import Images

__all__ = ["run"]


def run(
    build: str | Path,
    images: Images,
    *,
    simulate: bool = False,
    link: LinkKind = "uart",
    port: str | None = None,
    address: str | Sequence[str] = (),
    timeout_s: float | None = None,
    repeat: int = 1,
    on_answer: Callable[[Prediction], None] = lambda answer: None,
    on_lost: Callable[[LinkError], None] = lambda error: None,
) -> tuple[Prediction, ...]:
    """Send images to the board and get what it says they show.

    For images that come one by one there is `bnnhw.boards.host.accelerator.Accelerator`.

    >>> import bnnhw
    >>> [answer.label for answer in bnnhw.run("build/digits", ["digit.png"], simulate=True)]
    ['2']

    Parameters
    ----------
    build : path
        The folder of the build that is on the board, or of a program for the engine that is there.
    images : array (N, H, W, C) of integers, or paths of PNG or .npy files
        Of the network's own size.
    simulate : bool
        Talk to the virtual board: the build's RTL behind a pseudo-terminal, or behind UDP.
    link : "uart" or "udp"
        Of the virtual board.
    port : str, optional
        The board's serial port; by default this computer's only one.
    address : str or sequence of str
        HOST:PORT of a board behind UDP instead, "usb" or "usb:NAME" of one on USB; several boards of one build share
        the images.
    timeout_s : float, optional
        Seconds for an answer; by default 1, and 60 of the virtual board.
    repeat : int
        How often all images are sent.
    on_answer : callable
        Is told each answer as it comes.
    on_lost : callable
        Is told of each board that fails, while others are left, which get its images.

    Raises
    ------
    ValueError
        Where the folder is no build or program, or the images are not for it.
    LinkError
        Where the board does not answer, or holds another build.
    """
    addresses = [address] if isinstance(address, str) else list(address)
    check_count("repeat", repeat)
    check_place(simulate=simulate, link=link, port=port, addresses=addresses)
    network = built_network(Path(build))
    arrays = network.images_of(images)
    answers = []
    place = opened(
        [network], simulate=simulate, link=link, port=port, addresses=addresses, timeout_s=timeout_s, on_lost=on_lost
    )
    with place as board:
        for answer in board.answers(network, itertools.chain.from_iterable(itertools.repeat(arrays, repeat))):
            answers.append(answer)
            on_answer(answer)
    return tuple(answers)
