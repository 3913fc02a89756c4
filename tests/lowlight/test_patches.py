import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bnnhw.lowlight.filters import XTRANS
from bnnhw.lowlight.mosaic import amplify, pack
from bnnhw.lowlight.pairs import Bright, Exposures, Source
from bnnhw.lowlight.patches import Patches, PatchOptions, cut_patches, grid, random_crop
from bnnhw.lowlight.raw import develop_raw, load_raw

from .dng import write_dng

OPTIONS = PatchOptions(size=16, overlap=4)


@pytest.mark.parametrize(
    ("length", "size", "overlap", "starts"),
    [
        (10, 16, 4, [0]),
        (16, 16, 4, [0]),
        (17, 16, 4, [0, 1]),
        (28, 16, 4, [0, 12]),
        (29, 16, 4, [0, 6, 13]),
        (1424, 512, 0, [0, 456, 912]),  # the article's 3 x 5 patches
        (2128, 512, 0, [0, 404, 808, 1212, 1616]),
    ],
)
def test_grid(length: int, size: int, overlap: int, starts: list[int]) -> None:
    assert grid(length, size=size, overlap=overlap) == starts


def photo(path: Path, *, light: int = 16384) -> Path:
    write_dng(path, np.random.default_rng(light).integers(0, light, (56, 80)).astype(np.uint16), pattern="GRBG")
    return path


def cut(source: Source, cache: Path, *, options: PatchOptions = OPTIONS) -> tuple[Patches, list[Source]]:
    """The patches, and which photos were decoded for them."""
    decoded: list[Source] = []
    return cut_patches(source, options=options, cache=cache, on_load=decoded.append), decoded


def test_patches_are_cut_once(tmp_path: Path) -> None:
    source = Bright(path=photo(tmp_path / "photo.dng"))
    first, decoded = cut(source, tmp_path / "cache" / "deep")
    again, decoded_again = cut(source, tmp_path / "cache" / "deep")
    assert (decoded, decoded_again) == ([source], [])
    assert isinstance(again.mosaics, np.memmap)
    assert first.bright
    assert again.bright
    np.testing.assert_array_equal(first.mosaics, again.mosaics)
    np.testing.assert_array_equal(first.pictures, again.pictures)
    mosaic = amplify(load_raw(source.path).mosaic, 1)
    assert first.mosaics.shape == (2 * 4, 32, 32)  # 28 x 41 packed pixels
    np.testing.assert_allclose(first.mosaics[5] / 65535, mosaic[24:56, 16:48], atol=1e-5)
    picture = load_raw(source.path).pad(develop_raw(source.path))
    np.testing.assert_allclose(first.pictures[5] / 65535, picture[24:56, 16:48], atol=1e-5)


def test_what_changes_is_cut_anew(tmp_path: Path) -> None:
    short, long = photo(tmp_path / "a_short.dng", light=200), photo(tmp_path / "a_long.dng")
    pair = Exposures(short=short, long=long, ratio=100.0)
    patches, decoded = cut(pair, tmp_path)
    assert decoded
    assert not patches.bright
    np.testing.assert_allclose(patches.mosaics[0] / 65535, amplify(load_raw(short).mosaic, 100)[:32, :32], atol=1e-5)
    assert cut(Exposures(short=short, long=long, ratio=50.0), tmp_path)[1]
    assert cut(pair, tmp_path, options=PatchOptions(size=16, overlap=3))[1]
    os.utime(long, (1, 1))
    assert cut(pair, tmp_path)[1]
    assert not cut(pair, tmp_path)[1]
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len([name for name in names if name.endswith(".npy")]) == 4
    assert not [name for name in names if name.endswith(".partial")]


def test_a_small_photo_is_one_patch(tmp_path: Path) -> None:
    Image.effect_noise((20, 10), 50).save(tmp_path / "photo.png")
    patches, _ = cut(Bright(path=tmp_path / "photo.png"), tmp_path)
    assert patches.mosaics.shape == (1, 10, 20)
    assert patches.pictures.shape == (1, 10, 20, 3)


def test_a_failure_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: np.memmap) -> None:
        raise OSError(28, "No space left on device")

    source = Bright(path=photo(tmp_path / "photo.dng"))
    monkeypatch.setattr(np.memmap, "flush", full)
    with pytest.raises(OSError, match="No space left"):
        cut(source, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_damaged_cache(tmp_path: Path) -> None:
    source = Bright(path=photo(tmp_path / "photo.dng"))
    cut(source, tmp_path / "cache")
    (path,) = (tmp_path / "cache").iterdir()
    for content in (b"", path.read_bytes()[:200]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=rf"^{path} is damaged; delete it to have it made anew$"):
            cut(source, tmp_path / "cache")


def places(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """A mosaic and a picture whose pixels say where they are and, by their last two bits, of which colour."""
    rows, columns = np.indices((height, width))
    mosaic = (rows * 64 + columns) * 4 + rows % 2 * 2 + columns % 2
    return mosaic.astype(np.uint16), np.repeat(mosaic[..., None], 3, axis=2).astype(np.uint16)


def test_crops_keep_the_phase_and_stay_beside_the_picture() -> None:
    generator = np.random.default_rng(0)
    mosaic, picture = places(24, 30)
    seen = set()
    for _ in range(200):
        crop, beside = random_crop((mosaic, picture), size=8, generator=generator)
        numbers = np.rint(crop * 65535).astype(int)
        assert crop.dtype == np.float32
        assert [set((channel % 4).flat) for channel in pack(numbers)] == [{0}, {1}, {3}, {2}]
        np.testing.assert_array_equal(beside[..., 1], crop)
        rows, columns = numbers // 256, numbers // 4 % 64
        down, right = int(rows[1, 0] - rows[0, 0]), int(columns[0, 1] - columns[0, 0])
        np.testing.assert_array_equal(rows, rows[0, 0] + down * np.arange(16)[:, None] + np.zeros((16, 16)))
        np.testing.assert_array_equal(columns, columns[0, 0] + right * np.arange(16) + np.zeros((16, 16)))
        seen.add((down, right, int(rows[0, 0]), int(columns[0, 0])))
    assert {place[:2] for place in seen} == {(1, 1), (1, -1), (-1, 1), (-1, -1)}
    assert {place[2] for place in seen if place[0] == 1} == {0, 2, 4, 6, 8}
    assert {place[2] for place in seen if place[0] == -1} == {16, 18, 20, 22}
    assert {place[3] for place in seen if place[1] == 1} == set(range(0, 16, 2))


def test_a_crop_as_large_as_the_patch_is_not_mirrored() -> None:
    mosaic, picture = places(16, 16)
    for seed in range(5):
        crop, _ = random_crop((mosaic, picture), size=8, generator=np.random.default_rng(seed))
        np.testing.assert_array_equal(np.rint(crop * 65535), mosaic)
    with pytest.raises(ValueError, match=r"^a crop of 18 pixels does not fit into 16x16; choose a smaller one$"):
        random_crop((mosaic, picture), size=9, generator=np.random.default_rng(0))


@pytest.mark.parametrize(
    ("fields", "message"),
    [({"size": 0}, "size=0 must be at least 1"), ({"size": 8, "overlap": 8}, r"overlap=8 must lie in \[0, size=8\)")],
)
def test_options_that_cannot_be(fields: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        PatchOptions(**fields)


def test_patches_and_crops_of_x_trans_begin_as_the_filter_does(tmp_path: Path) -> None:
    """Each colour of a photo of one colour stays in its channels; from odd places of the grid as well."""
    Image.new("RGB", (72, 54), (250, 180, 90)).save(tmp_path / "photo.png")
    source = Bright(path=tmp_path / "photo.png", filters=XTRANS)
    patches, _ = cut(source, tmp_path, options=PatchOptions(size=10, overlap=3))
    assert patches.filters is XTRANS
    assert patches.mosaics.shape == (3 * 3, 30, 30)  # 18 x 24 packed pixels, from 0, 4, 8 and 0, 7, 14 on
    red, green, blue = (patches.mosaics[0][place] / np.float32(65535) for place in ((0, 0), (0, 2), (0, 1)))
    assert red > green > blue
    generator = np.random.default_rng(0)
    for patch, picture in zip(patches.mosaics, patches.pictures, strict=True):
        for _ in range(4):
            crop, beside = random_crop((patch, picture), size=8, generator=generator, filters=XTRANS)
            assert (crop.shape, beside.shape) == ((24, 24), (24, 24, 3))
            assert [set(channel.flat) for channel in pack(crop, XTRANS)] == [
                {red}, {green}, {blue}, {red}, {blue}, {green}, {green}, {green}, {green},
            ]  # fmt: skip
