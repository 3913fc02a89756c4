"""Photos in tiles: what a window gives is what the whole would have given there."""

import numpy as np
import pytest

from bnnhw.lowlight.network.shape import HALO
from bnnhw.lowlight.tiles import Compute, Tiling, in_tiles


def blurred(radius: int) -> Compute:
    """What depends on `radius` packed pixels around each one, and sees zeros beyond a window: the greatest of column
    and of row, as colours."""

    def compute(packed: np.ndarray) -> np.ndarray:
        sides = ((0, 0), (0, 0), (radius, radius), (radius, radius))
        views = np.lib.stride_tricks.sliding_window_view(np.pad(packed, sides), (2 * radius + 1,) * 2, axis=(2, 3))
        made = views[..., :: radius or 1, :: radius or 1].max((-1, -2))[:, :3]
        return made.repeat(2, 2).repeat(2, 3).transpose(0, 2, 3, 1)

    return compute


@pytest.mark.parametrize("size", [(256, 512), (272, 304), (700, 208)])
@pytest.mark.parametrize("tiling", [Tiling(tile=16), Tiling(tile=16, fixed=True), Tiling(tile=16, fixed=True, batch=5)])
def test_tiles_fit_together(size: tuple[int, int], tiling: Tiling) -> None:
    packed = np.random.default_rng(0).random((4, *size), np.float32) ** 8
    padded = np.pad(packed, ((0, 0), (0, -size[0] % 16), (0, -size[1] % 16)), mode="reflect")
    compute, seen = blurred(HALO), []
    picture = in_tiles(packed, compute, tiling, on_tile=lambda done, count: seen.append((done, count)))
    whole = compute(padded[None])[0]
    np.testing.assert_array_equal(picture, whole[: 2 * size[0], : 2 * size[1]])
    dones, counts = zip(*seen, strict=True)
    assert dones[-1] == counts[0]
    assert len(seen) == -(-counts[0] // tiling.batch)


def test_fixed_windows_are_all_of_one_size_and_few() -> None:
    """At a photo's border a window gives its halo's pixels, too."""
    tiling = Tiling(tile=64, fixed=True)
    assert tiling.side == 256
    spans = list(tiling.spans(512))
    assert [(span.begin, span.end, span.window.start) for span in spans] == [
        (0, 160, 0), (160, 224, 64), (224, 288, 128), (288, 352, 192), (352, 512, 256),
    ]  # fmt: skip
    assert {span.window.stop - span.window.start for span in spans} == {256}


@pytest.mark.parametrize("size", [(3, 5), (100, 300)])
def test_photos_smaller_than_a_window_are_mirrored(size: tuple[int, int]) -> None:
    packed = np.random.default_rng(0).random((4, *size), np.float32)
    shapes = []

    def compute(windows: np.ndarray) -> np.ndarray:
        shapes.append(windows.shape[1:])
        return blurred(0)(windows)

    picture = in_tiles(packed, compute, Tiling(tile=16, fixed=True))
    np.testing.assert_array_equal(picture, packed[:3].repeat(2, 1).repeat(2, 2).transpose(1, 2, 0))
    assert set(shapes) == {(4, 208, 208)}


@pytest.mark.parametrize("tile", [0, -16, 24])
def test_tiles_that_cannot_be(tile: int) -> None:
    with pytest.raises(ValueError, match=rf"^tile={tile} must be a multiple of 16, and at least 16$"):
        Tiling(tile=tile)
