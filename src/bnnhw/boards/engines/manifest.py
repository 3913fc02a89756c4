"""What the folder of an engine's bitstream says of it.

Tests: tests/cli/test_engine.py
"""

from dataclasses import dataclass
from pathlib import Path

from bnnhw.boards.board import get_board
from bnnhw.boards.link_choice import LinkChoice
from bnnhw.hw.engine.boot.flash_reader import FlashReader
from bnnhw.hw.engine.engine_shape import WORD, EngineShape

from .sizes import EngineSizes
from .stored import read_stored, write_stored

__all__ = ["EngineManifest"]

FORMAT = "bnnhw-engine"
VERSION = 3


@dataclass(frozen=True, kw_only=True)
class EngineManifest:
    """An engine's bitstream: for which board, of which sizes, and how the host talks to it.

    Attributes
    ----------
    board : str
    sizes : EngineSizes
    clock_hz : float
        Its clock, exactly.
    fmax_hz : float or None
        What the routed design reaches; None where it was not routed.
    baud, address : int, str
        Of its link, as `LinkChoice` has them: one of both.
    seed : int
    versions : dict
        Program -> the version that made the files.
    flash_at : int, optional
        Where it finds programs in the board's flash when it starts, in bytes. None: it does not look there.
    """

    board: str
    sizes: EngineSizes
    clock_hz: float
    fmax_hz: float | None
    baud: int | None
    address: str | None = None
    seed: int
    versions: dict[str, str]
    flash_at: int | None = None

    @property
    def shape(self) -> EngineShape:
        """The engine's, in its board's primitives."""
        return self.sizes.shape(get_board(self.board).target)

    @property
    def link_choice(self) -> LinkChoice:
        """What its link goes over."""
        return LinkChoice(baud=self.baud, address=self.address)

    @property
    def start_s(self) -> float:
        """Seconds in which it has taken all that the board's flash can hold."""
        flash = get_board(self.board).flash
        return 0.0 if self.flash_at is None or flash is None else self.seconds_for(flash.size - self.flash_at)

    def seconds_for(self, size: int) -> float:
        """Seconds in which it takes so many bytes of the board's flash."""
        reader = FlashReader(offset=self.flash_at or 0, clock_hz=round(self.clock_hz))
        return size / (WORD // 8) / reader.words_per_second

    def __post_init__(self):
        _ = self.shape, self.link_choice  # they are checked

    def write(self, folder: Path) -> None:
        """Writes the folder's manifest.json."""
        write_stored(folder, self, form=FORMAT, version=VERSION)

    @classmethod
    def read(cls, folder: Path) -> "EngineManifest":
        """The manifest of the engine in `folder`. Raises ManifestError where there is none, or it is damaged."""
        return read_stored(cls, folder, form=FORMAT, version=VERSION, what="engine", maker="`bnnhw engine`")
