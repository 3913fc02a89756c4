"""Images to the board, and what it says they show.

Tests: tests/api/test_examples.py
"""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bnnhw.boards.host.accelerator import Accelerator, Prediction
from bnnhw.boards.manifest import Manifest
from bnnhw.sim.board.virtual_board import VirtualBoard

from .images.inputs import Images, images_of

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
        The folder of the build that is on the board.
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
        Where the folder is no build, or the images are not for it.
    LinkError
        Where the board does not answer, or holds another build.
    """
    if simulate and port:
        raise ValueError("simulate and port exclude each other; give one of them")
    build = Path(build)
    manifest = Manifest.read(build)
    arrays = images_of(images, shape=manifest.input_shape, lo=manifest.input_lo, hi=manifest.input_hi)
    answers = []
    with ExitStack() as stack:
        if simulate:
            port = stack.enter_context(VirtualBoard(build)).port
        patience_s = timeout_s or (60.0 if simulate else 1.0)
        accelerator = stack.enter_context(Accelerator.open(build, port=port, timeout_s=patience_s))
        for answer in accelerator.answers(arrays):
            answers.append(answer)
            on_answer(answer)
    return tuple(answers)
