"""A tile of a photo as a model.pt."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnhw.compiler import load
from bnnhw.compiler.ir.types import IntType
from bnnhw.lowlight.network.file import LowlightFile
from bnnhw.lowlight.network.tile import save_tile

from .test_unet import network

MOSAICS = np.random.default_rng(0).integers(0, 4096, (2, 32, 32, 4)).astype(np.uint16)


def test_windows_are_a_tile_and_its_halo(tmp_path: Path) -> None:
    save_tile(LowlightFile(network(1, 1, width=1), {}, MOSAICS), tmp_path / "tile.pt", tile=16)
    graph = load(tmp_path / "tile.pt")
    (value,) = graph.inputs
    assert (value.type.shape, value.type.element) == ((208, 208, 4), IntType(0, 4095))


@pytest.mark.parametrize(
    ("change", "tile", "message"),
    [
        ({}, 24, r"^tile=24 must be a multiple of 16, and at least 16$"),
        ({}, 0, r"^tile=0 must be a multiple of 16, and at least 16$"),
        (
            {"mosaics": None},
            16,
            r"^the network's file holds no mosaics .*; train it again with this version of",
        ),
        (
            {"network": network(0, 0, width=1)},
            16,
            r"^weight_bases=0 and activation_bases=0 must both be ",
        ),
    ],
)
def test_tiles_that_cannot_be(tmp_path: Path, change: dict[str, Any], tile: int, message: str) -> None:
    given = LowlightFile(network(1, 1, width=1), {}, MOSAICS)._replace(**change)
    with pytest.raises(ValueError, match=message):
        save_tile(given, tmp_path / "tile.pt", tile=tile)
    assert not (tmp_path / "tile.pt").exists()
