"""What the folder of an engine's bitstream says of it.

Tests: tests/cli/test_engine.py
"""

import json
from dataclasses import dataclass
from pathlib import Path

from bnnhw.boards.board import get_board
from bnnhw.boards.manifest import MANIFEST, ManifestError
from bnnhw.compiler.codec import from_plain, to_plain
from bnnhw.hw.engine.engine_shape import EngineShape

from .sizes import EngineSizes

__all__ = ["EngineManifest"]

FORMAT = "bnnhw-engine"
VERSION = 1


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
    baud, seed : int
    versions : dict
        Program -> the version that made the files.
    """

    board: str
    sizes: EngineSizes
    clock_hz: float
    fmax_hz: float | None
    baud: int
    seed: int
    versions: dict[str, str]

    @property
    def shape(self) -> EngineShape:
        """The engine's, in its board's primitives."""
        return self.sizes.shape(get_board(self.board).target)

    def write(self, folder: Path) -> None:
        """Writes the folder's manifest.json."""
        plain = {"format": FORMAT, "version": VERSION, **to_plain(self)}
        (folder / MANIFEST).write_text(json.dumps(plain, indent=2) + "\n")

    @classmethod
    def read(cls, folder: Path) -> "EngineManifest":
        """The manifest of the engine in `folder`. Raises ManifestError where there is none, or it is damaged."""
        path = folder / MANIFEST
        try:
            plain = json.loads(path.read_text())
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ManifestError(f"{folder} is no engine: it has no {MANIFEST}; `bnnhw engine` makes one") from error
        except ValueError as error:
            raise ManifestError(f"{path} is no JSON: {error}") from error
        if not isinstance(plain, dict) or plain.pop("format", None) != FORMAT:
            raise ManifestError(f"{path} is no manifest of a bnnhw engine")
        if (version := plain.pop("version", None)) != VERSION:
            raise ManifestError(f"{path} is of version {version}; this bnnhw reads version {VERSION}; make it again")
        try:
            manifest = from_plain(cls, plain, "manifest")
            manifest.shape  # noqa: B018 its sizes are checked
        except ValueError as error:
            raise ManifestError(f"{path}: {error}; make it again") from error
        return manifest
