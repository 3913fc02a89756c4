"""Networks that were built, as images meet them, and the board that they run on.

Tests: tests/api/builds/test_opened.py
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from bnnhw.api.images.inputs import Images, images_of
from bnnhw.boards.engines.program_folder import is_program
from bnnhw.boards.host.accelerator import Accelerator, Prediction, prediction_of
from bnnhw.boards.host.accelerators import Accelerators
from bnnhw.boards.host.engine_board import EngineBoard
from bnnhw.boards.host.errors import LinkError
from bnnhw.boards.manifest import Manifest
from bnnhw.compiler.ir.types import IntType
from bnnhw.sim.board.read_build import LinkKind
from bnnhw.sim.board.virtual_board import VirtualBoard
from bnnhw.sim.memory.engine_with_chip import words_for

from .engine_folder import engine_of
from .program import BuiltProgram

__all__ = ["BuiltNetwork", "OpenBoard", "built_network", "check_side_by_side", "opened"]

_PATIENCE_S, _SIMULATED_PATIENCE_S = 1.0, 60.0


@dataclass(frozen=True, eq=False, kw_only=True)
class BuiltNetwork:
    """The network of a build, or of a program for an engine.

    Attributes
    ----------
    folder : Path
    board : str
        The name of the kind of board that it is for.
    clock_hz : float
        Of its core, or of its engine.
    shape, lo, hi
        Of an image (H, W, C), and the range of its integers.
    classes : tuple of str
        By their labels; none where no output is scores.
    made : Manifest or BuiltProgram
        The build, or the program.
    """

    folder: Path
    board: str
    clock_hz: float
    shape: tuple[int, ...]
    lo: int
    hi: int
    classes: tuple[str, ...]
    made: Manifest | BuiltProgram

    def images_of(self, images: Images) -> NDArray[Any]:
        """What is given as integers (N, H, W, C). Raises ValueError where the images are not for this network."""
        return images_of(images, shape=self.shape, lo=self.lo, hi=self.hi)


class OpenBoard(Protocol):
    """A board that answers."""

    def answers(self, network: BuiltNetwork, images: Iterable[NDArray[Any]]) -> Iterator[Prediction]:
        """The prediction for each image (H, W, C), in order. Raises LinkError."""
        ...


def built_network(folder: Path) -> BuiltNetwork:
    """The network in a folder. Raises ValueError where that is no build or program, or takes no images."""
    if is_program(folder):
        return _network_of_program(folder)
    manifest = Manifest.read(folder)
    return BuiltNetwork(
        folder=folder,
        board=manifest.board,
        clock_hz=manifest.clock_hz,
        shape=manifest.input_shape,
        lo=manifest.input_lo,
        hi=manifest.input_hi,
        classes=manifest.classes,
        made=manifest,
    )


def _network_of_program(folder: Path) -> BuiltNetwork:
    built = BuiltProgram.read(folder)
    (value,) = built.graph.inputs
    element = value.type.element
    if not isinstance(element, IntType):
        raise ValueError(f"{folder} takes {element}, which no image holds")
    return BuiltNetwork(
        folder=folder,
        board=built.manifest.board,
        clock_hz=built.manifest.clock_hz,
        shape=value.type.shape,
        lo=element.lo,
        hi=element.hi,
        classes=tuple(built.graph.meta["classes"]),
        made=built,
    )


def check_side_by_side(networks: Sequence[BuiltNetwork]) -> None:
    """Raises ValueError where no one board can hold all of `networks`: only programs of one engine are several."""
    first, *others = networks
    for other in others:
        for each in (first, other):
            if not isinstance(each.made, BuiltProgram):
                raise ValueError(f"{each.folder} fills the board alone; only programs of one engine run side by side")
        assert isinstance(first.made, BuiltProgram)
        assert isinstance(other.made, BuiltProgram)
        one, two = first.made.manifest, other.made.manifest
        if (one.board, one.sizes) != (two.board, two.sizes):
            raise ValueError(
                f"{first.folder} and {other.folder} are programs for two engines; build them for one and the same"
            )


@contextmanager
def opened(
    networks: Sequence[BuiltNetwork],
    *,
    simulate: bool = False,
    link: LinkKind = "uart",
    port: str | None = None,
    addresses: Sequence[str] = (),
    timeout_s: float | None = None,
    on_lost: Callable[[LinkError], None] = lambda error: None,
) -> Iterator[OpenBoard]:
    """The board that holds `networks`, or with `simulate` the virtual board, for as long as the block lasts.

    Further arguments: as of `run`. The programs of an engine, which `check_side_by_side` has seen, are loaded where
    they are asked for, the first one at once. Raises LinkError where the board does not answer, or holds something
    else.
    """
    patience_s = timeout_s or (_SIMULATED_PATIENCE_S if simulate else _PATIENCE_S)
    first = networks[0]
    with ExitStack() as stack:
        if isinstance(first.made, Manifest):
            if simulate:
                board = stack.enter_context(VirtualBoard(first.folder, link=link))
                port, addresses = board.port, [board.address] if board.address else []
            if addresses:
                boards = Accelerators.open(first.folder, addresses=addresses, timeout_s=patience_s, on_lost=on_lost)
            else:
                boards = Accelerator.open(first.folder, port=port, timeout_s=patience_s)
            accelerator = stack.enter_context(boards)
            if accelerator.manifest != first.made:
                raise ValueError(f"{first.folder} has become another build; start again")
            yield _Build(accelerator)
            return
        if len(addresses) > 1:
            raise ValueError(f"{first.folder} is a program, which runs on one board; name one address")
        folder, engine = stack.enter_context(engine_of(first.made.manifest, simulated=simulate))
        if simulate:
            words = words_for(*(each.made.program for each in networks if isinstance(each.made, BuiltProgram)))
            virtual = stack.enter_context(VirtualBoard(folder, link=link, memory_words=words))
            port, addresses = virtual.port, [virtual.address] if virtual.address else []
        address = addresses[0] if addresses else None
        board = EngineBoard(first.made.program, engine, port=port, address=address, timeout_s=patience_s)
        yield _Engine(stack.enter_context(board))


@dataclass(frozen=True)
class _Build:
    """The board of one network, or several."""

    accelerator: Accelerator | Accelerators

    def answers(self, network: BuiltNetwork, images: Iterable[NDArray[Any]]) -> Iterator[Prediction]:
        return self.accelerator.answers(images)


@dataclass(frozen=True)
class _Engine:
    """The board of an engine."""

    board: EngineBoard

    def answers(self, network: BuiltNetwork, images: Iterable[NDArray[Any]]) -> Iterator[Prediction]:
        built = network.made
        assert isinstance(built, BuiltProgram)
        if self.board.program is not built.program:
            self.board.load(built.program)
        for output, cycles in self.board.answers(images):
            yield prediction_of({built.manifest.outputs: output}, cycles, classes=network.classes)
