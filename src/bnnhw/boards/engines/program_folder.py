"""A program's folder: what `build` makes of a network for a board's engine.

Tests: tests/cli/test_engine.py
"""

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from bnnhw.boards.board import get_board
from bnnhw.boards.link_choice import LinkChoice
from bnnhw.boards.manifest import MANIFEST, ManifestError
from bnnhw.compiler.engine.figures import LayerFigures, Moved
from bnnhw.compiler.engine.program import EngineProgram
from bnnhw.hw.engine.engine_shape import EngineShape
from bnnhw.hw.engine.program.packets import Memory

from .sizes import EngineSizes
from .stored import format_of, read_stored, write_stored

__all__ = ["PROGRAM", "ProgramManifest", "is_program", "read_contents", "write_contents"]

FORMAT = "bnnhw-program"
VERSION = 5
PROGRAM = "program.npz"


@dataclass(frozen=True, kw_only=True)
class ProgramManifest:
    """A program, for its users.

    Attributes
    ----------
    board : str
    sizes : EngineSizes
        Of the engine that it is for.
    clock_hz, baud, address : float, int, str
        The engine's and its link's, with which its frames a second are reckoned.
    labels : bool
        Its answers are labels; else scores.
    source_sha256, model_sha256, program_sha256 : str
        Of the file that was given, of the model.pt in the folder, which is that file or a tile of the low-light network
        in it, and of the program's words.
    tile : int, optional
        Of a low-light network: packed pixels along each side of what a frame adds to the picture.
    frames, cycles : int
        Frames that run at once, and the cycles of such a run.
    layers : tuple of LayerFigures
    lists : Moved
        What comes from the external memory of the program itself.
    words : dict
        Memory -> words of the bus that the program fills.
    """

    board: str
    sizes: EngineSizes
    clock_hz: float
    baud: int | None
    address: str | None
    labels: bool
    source_sha256: str
    model_sha256: str
    program_sha256: str
    tile: int | None
    frames: int
    cycles: int
    layers: tuple[LayerFigures, ...]
    lists: Moved
    words: dict[str, int]

    def __post_init__(self):
        if min(self.frames, self.cycles) < 1 or not self.clock_hz > 0:
            raise ValueError(
                f"frames={self.frames}, cycles={self.cycles} and clock_hz={self.clock_hz} must be positive"
            )
        _ = self.shape, self.link_choice  # they are checked

    @property
    def link_choice(self) -> LinkChoice:
        """What the engine's link goes over."""
        return LinkChoice(baud=self.baud, address=self.address)

    @property
    def outputs(self) -> Literal["label", "scores"]:
        """As `integerize` takes it."""
        return "label" if self.labels else "scores"

    @property
    def shape(self) -> EngineShape:
        """Of the engine that it is for."""
        return self.sizes.shape(get_board(self.board).target)

    @property
    def frames_per_second(self) -> float:
        """By the exact cycles, the link apart."""
        return self.frames * self.clock_hz / self.cycles

    def write(self, folder: Path) -> None:
        """Writes the folder's manifest.json."""
        write_stored(folder, self, form=FORMAT, version=VERSION)

    @classmethod
    def read(cls, folder: Path) -> "ProgramManifest":
        """The manifest of the program in `folder`. Raises ManifestError where there is none, or it is damaged."""
        return read_stored(
            cls, folder, form=FORMAT, version=VERSION, what="program for an engine", maker="`bnnhw build --engine`"
        )


def is_program(folder: Path) -> bool:
    """Whether `folder` says that it holds a program for an engine."""
    return format_of(folder) == FORMAT


def write_contents(folder: Path, program: EngineProgram) -> str:
    """Writes the program's words; their SHA-256."""
    arrays = {memory.name.lower(): words for memory, words in program.contents.items()}
    np.savez(folder / PROGRAM, allow_pickle=False, **arrays)
    return _sha256(program.contents)


def read_contents(folder: Path, *, sha256: str) -> dict[Memory, np.ndarray]:
    """The program's words. Raises ManifestError where they are not those whose SHA-256 is given."""
    path = folder / PROGRAM
    try:
        with np.load(path, allow_pickle=False) as arrays:
            names = {memory: memory.name.lower() for memory in _LOADED}
            contents = {memory: np.asarray(arrays[name], np.uint32) for memory, name in names.items() if name in arrays}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ManifestError(f"{path} is damaged or missing; build it again") from error
    if _sha256(contents) != sha256:
        raise ManifestError(f"{path} is not the program that {MANIFEST} tells of; build it again")
    return contents


_LOADED = tuple(memory for memory in Memory if memory not in (Memory.MAPS, Memory.WINDOWS))


def _sha256(contents) -> str:
    digest = hashlib.sha256()
    for memory in (each for each in _LOADED if each in contents):
        words = np.ascontiguousarray(contents[memory], "<u4")
        digest.update(f"{memory.name} {len(words)}".encode() + words.tobytes())
    return digest.hexdigest()
