"""What a build says of its tiles."""

from dataclasses import replace

import pytest

from bnnhw.api.builds.tile_note import block_rams, tile_note
from bnnhw.compiler.report import BuildReport, Unit
from bnnhw.compiler.report.data import Cells
from bnnhw.lowlight.tiles import Tiling
from tests.compiler.report.samples import complete


@pytest.fixture
def report() -> BuildReport:
    """A core of 292 frames/s whose rows take 6 block RAMs, and all else 10."""
    kinds = (("matrix unit", 10), ("queue", 5), ("sliding window", 1), ("fork", None))
    units = tuple(
        Unit(name=engine, engine=engine, cycles=1, estimated=None if ebr is None else Cells(logic=1, ebr=ebr))
        for engine, ebr in kinds
    )
    return replace(complete(), units=units)


def test_rows_grow_with_the_width_of_images(report: BuildReport) -> None:
    assert block_rams(report, 1) == 16
    assert block_rams(report, 1.5) == 10 + 8 + 2
    assert block_rams(report, 0.5) == 10 + 3 + 1


def test_a_photo_takes_as_many_windows_as_cover_it(report: BuildReport) -> None:
    """Windows of 256 give 160 packed pixels at a border and 64 between: 21 by 29 for 1504 by 2000."""
    assert tile_note(report, tiling=Tiling(tile=64, fixed=True)) == (
        "windows of 256x256 give tiles of 64x64 packed pixels: 2.92e+05 tiles/s, a photo of 12 megapixels in "
        "0.00209 s; 16 of 208 block RAMs, about 16 for tiles of 16 and 19 for tiles of 128 and 21 for tiles of 256"
    )


def test_windows_run_in_whole_batches(report: BuildReport) -> None:
    """609 windows as 800."""
    note = tile_note(report, tiling=Tiling(tile=64, fixed=True, batch=400))
    assert "2.92e+05 tiles/s, a photo of 12 megapixels in 0.00274 s;" in note
