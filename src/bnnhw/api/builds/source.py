"""The model.pt that a design is made of: the file that is given, or a tile of the low-light network in it.

Tests: tests/cli/test_lowlight_hardware.py
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bnnhw.lowlight.network.file import is_network, load_network
from bnnhw.lowlight.network.tile import save_tile

__all__ = ["DEFAULT_TILE", "model_file", "tile_of"]

DEFAULT_TILE = 64
"""Where no tile is asked for."""


def tile_of(model: Path, *, tile: int | None) -> int | None:
    """The tile that is built where `tile` is asked for; None where `model` has none.

    Raises ValueError where `tile` is given and there are no tiles.
    """
    if is_network(model):
        return DEFAULT_TILE if tile is None else tile
    if tile is not None:
        raise ValueError(f"tile={tile} is for networks of bnnhw lowlight train; {model} is none, leave it out")
    return None


@contextmanager
def model_file(model: Path, *, tile: int | None) -> Iterator[Path]:
    """`model` itself, or, where it is a network of `bnnhw lowlight train`, a model.pt of its tiles of `tile` packed
    pixels, as long as the context lasts.

    Raises ValueError where `tile` is given and there are no tiles, or none of this size.
    """
    if (built := tile_of(model, tile=tile)) is None:
        yield model
        return
    with TemporaryDirectory(prefix="bnnhw-") as folder:
        path = Path(folder) / model.name
        save_tile(load_network(model), path, tile=built)
        yield path
