"""Images to the board, and what it says they show.

Tests: tests/api/test_examples.py
"""

from collections.abc import Callable
from pathlib import Path

from bnnhw.boards.host.accelerator import Prediction

from .builds.opened import built_network, opened
from .checks import check_port
from .images.inputs import Images

__all__ = ["run"]


def run(
    build: str | Path,
    images: Images,
    *,
    simulate: bool = False,
    port: str | None = None,
    timeout_s: float | None = None,
    on_answer: Callable[[Prediction], None] = lambda answer: None,
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
        Talk to the virtual board: the build's RTL behind a pseudo-terminal.
    port : str, optional
        The board's serial port; by default this computer's only one.
    timeout_s : float, optional
        Seconds for an answer; by default 1, and 60 of the virtual board.
    on_answer : callable
        Is told each answer as it comes.

    Raises
    ------
    ValueError
        Where the folder is no build or program, or the images are not for it.
    LinkError
        Where the board does not answer, or holds another build.
    """
    check_port(port, simulate=simulate)
    network = built_network(Path(build))
    arrays = network.images_of(images)
    answers = []
    with opened([network], simulate=simulate, port=port, timeout_s=timeout_s) as board:
        for answer in board.answers(network, arrays):
            answers.append(answer)
            on_answer(answer)
    return tuple(answers)
