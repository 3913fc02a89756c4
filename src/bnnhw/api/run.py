"""Images to the board, and what it says they show.

Tests: tests/api/test_examples.py
"""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bnnhw.boards.engines.program_folder import is_program
from bnnhw.boards.host.accelerator import Accelerator, Prediction, prediction_of
from bnnhw.boards.host.engine_board import EngineBoard
from bnnhw.boards.manifest import Manifest
from bnnhw.compiler.ir.types import IntType
from bnnhw.sim.board.virtual_board import VirtualBoard
from bnnhw.sim.memory.engine_with_chip import words_for

from .builds.engine_folder import engine_of
from .builds.program import BuiltProgram
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
    if simulate and port:
        raise ValueError("simulate and port exclude each other; give one of them")
    build = Path(build)
    if is_program(build):
        return _run_program(build, images, simulate=simulate, port=port, timeout_s=timeout_s, on_answer=on_answer)
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


def _run_program(
    folder: Path,
    images: Images,
    *,
    simulate: bool,
    port: str | None,
    timeout_s: float | None,
    on_answer: Callable[[Prediction], None],
) -> tuple[Prediction, ...]:
    """`run` of a program for an engine, which is loaded first."""
    built = BuiltProgram.read(folder)
    (value,) = built.graph.inputs
    element = value.type.element
    if not isinstance(element, IntType):
        raise ValueError(f"{folder} takes {element}, which no image holds")
    arrays = images_of(images, shape=value.type.shape, lo=element.lo, hi=element.hi)
    classes = tuple(built.graph.meta["classes"])
    answers = []
    with ExitStack() as stack:
        made, engine = stack.enter_context(engine_of(built.manifest, simulated=simulate))
        if simulate:
            port = stack.enter_context(VirtualBoard(made, memory_words=words_for(built.program))).port
        patience_s = timeout_s or (60.0 if simulate else 1.0)
        board = stack.enter_context(EngineBoard(built.program, engine, port=port, timeout_s=patience_s))
        for output, cycles in board.answers(arrays):
            answers.append(prediction_of({built.manifest.outputs: output}, cycles, classes=classes))
            on_answer(answers[-1])
    return tuple(answers)
