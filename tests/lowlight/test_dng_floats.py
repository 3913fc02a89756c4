"""DNGs of floats: LibRaw scales them by their peak and cuts them to 14 bits; here every bit counts."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnhw.lowlight.raw import develop_raw, load_raw

from .dng import BYTE, LONG, RATIONAL, SHORT, Order, float24, write_dng

HEIGHT, WIDTH = 40, 60
SCENE = np.random.default_rng(0).uniform(-0.1, 1.2, (HEIGHT, WIDTH)).astype(np.float32)
SCENE[0, :4] = (0.0, -0.0, 1.5 * 2.0**-16, -(2.0**-16))  # so small that 16 bits have no exponent for it
NONE = (0,) * 4


def kept(bits: int) -> np.ndarray:
    """What `bits` bits keep of the scene."""
    if bits == 24:  # 23 bits of fraction are cut to 16
        return (SCENE.view(np.uint32) & ~np.uint32(0x7F)).view(np.float32)
    return SCENE.astype(f"f{bits // 8}").astype(np.float32)


def write(path: Path, scene: np.ndarray, *, bits: int = 32, **options: Any) -> None:
    write_dng(
        path, scene.astype(np.float16) if bits == 16 else scene, bits=bits, **{"white": 1, "black": NONE, **options}
    )


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("predictor", [None, 1, 3, 34894, 34895])
@pytest.mark.parametrize("bits", [16, 24, 32])
def test_every_form_bit_by_bit(bits: int, predictor: int | None, order: Order, tmp_path: Path) -> None:
    path = tmp_path / "photo.dng"
    for form in ({}, {"tile": (16, 32)}, {"strip": 7}):
        write(path, SCENE, bits=bits, predictor=predictor, order=order, **form)
        np.testing.assert_array_equal(load_raw(path).mosaic, kept(bits))


@pytest.mark.parametrize("value", [1.0, 1.5, -2.5, 2.0**-62, 2.0**-63, -3 * 2.0**-78, 0.0, 2.0**63])
def test_24_bits_hold(value: float, tmp_path: Path) -> None:
    path = tmp_path / "photo.dng"
    write(path, np.full((HEIGHT, WIDTH), value, np.float32), bits=24)
    np.testing.assert_array_equal(load_raw(path).mosaic, np.float32(value))


def test_24_bits_by_hand() -> None:
    """1 is 0x3F0000, as 1 sign, 7 bits of exponent less 63 and 16 of fraction have it."""
    assert float24(np.array([1.0, -1.5, 2.0**-62])).tolist() == [[0x3F, 0, 0], [0xBF, 0x80, 0], [0x01, 0, 0]]


@pytest.mark.parametrize("peak", [0.001, 0.1, 1.0, 1.5, 40.0])
def test_a_peak_changes_nothing(peak: float, tmp_path: Path) -> None:
    path = tmp_path / "photo.dng"
    write(path, SCENE * np.float32(peak))
    np.testing.assert_array_equal(load_raw(path).mosaic, SCENE * np.float32(peak))


def test_levels_and_masked_border(tmp_path: Path) -> None:
    path = tmp_path / "photo.dng"
    write(path, SCENE, white=2, tags={50714: (RATIONAL, (0.25, 0.5, 0.25, 0.5))}, active=(2, 4, HEIGHT, WIDTH))
    black = np.tile(np.array([0.25, 0.5], np.float32), (WIDTH - 4) // 2)
    np.testing.assert_array_equal(load_raw(path).mosaic, (SCENE[2:, 4:] - black) / (2 - black))
    write(path, SCENE, tags={50717: None})
    np.testing.assert_array_equal(load_raw(path).mosaic, SCENE)  # white is 1 where no tag says so


@pytest.mark.parametrize("white", [1, 100_000])
@pytest.mark.parametrize("peak", [1638, 16383, 100_000])
def test_libraw_develops_the_same_as_of_integers(peak: int, white: int, tmp_path: Path) -> None:
    floats, integers = tmp_path / "floats.dng", tmp_path / "integers.dng"
    values = np.random.default_rng(1).integers(0, 1600, (HEIGHT, WIDTH))
    values[20, 30] = peak
    write_dng(integers, np.minimum(values, 16383).astype(np.uint16))
    write(floats, (values / 16383 * white).astype(np.float32), white=white)
    np.testing.assert_array_equal(develop_raw(floats), develop_raw(integers))


def test_libraw_develops_floats_rounded(tmp_path: Path) -> None:
    """Also between 4096 and 32767, where LibRaw does not scale them, but cuts."""
    floats, integers = tmp_path / "floats.dng", tmp_path / "integers.dng"
    values = np.random.default_rng(1).integers(0, 1600, (HEIGHT, WIDTH)).astype(np.uint16)
    write_dng(integers, values + np.uint16(1), white=10_000)
    write(floats, values + np.float32(0.7), white=10_000)
    np.testing.assert_array_equal(develop_raw(floats), develop_raw(integers))


CONVERT = "; convert it with Adobe DNG Converter$"
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "64 bits": ({"tags": {258: (SHORT, (64,))}}, r": its BitsPerSample \(tag 258\) is 64; .*" + CONVERT),
    "8 bits": (
        {"tags": {258: (SHORT, (8,))}},
        r": its BitsPerSample \(tag 258\) is 8; floats have 16, 24 or 32" + CONVERT,
    ),
    "LZW": (
        {"tags": {259: (SHORT, (5,))}},
        r": its Compression \(tag 259\) is 5; floats may be uncompressed \(1\) or deflated \(8\)" + CONVERT,
    ),
    "a predictor of integers": (
        {"predictor": 1, "tags": {317: (SHORT, (2,))}},
        r": its Predictor \(tag 317\) is 2; deflated floats may have 1, 3, 34894 or 34895" + CONVERT,
    ),
    "masked pixels instead of black": (
        {"tags": {50713: None, 50714: None, 50830: (LONG, (0, 0, 4, WIDTH))}},
        r": its MaskedAreas \(tag 50830\) is to be measured where floats have no BlackLevel \(tag 50714\)" + CONVERT,
    ),
    "a clear filter": (
        {"tags": {33422: (BYTE, (0, 6, 6, 2))}},
        r": its CFAPattern \(tag 33422\) has white; only red, green and blue are understood; give a photo .*",
    ),
    "fewer strips than rows": (
        {"strip": 10, "tags": {278: (LONG, (9,))}},
        " is damaged: not all of its pixels are there; copy it from the camera anew$",
    ),
    "tiles of no width": (
        {"tile": (16, 16), "tags": {322: (LONG, (0,))}},
        r": its TileWidth \(tag 322\) is 0; it must .*",
    ),
    "tiles beyond memory": (
        {"tile": (48, 64), "tags": {322: (LONG, (60000,)), 323: (LONG, (60000,))}},
        " is damaged: not all of its pixels are there; copy it from the camera anew$",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_by_name(name: str, tmp_path: Path) -> None:
    options, message = REFUSED[name]
    path = tmp_path / "photo.dng"
    write(path, SCENE, **options)
    with pytest.raises(ValueError, match=rf"photo\.dng{message}"):
        load_raw(path)


@pytest.mark.parametrize("bits", [16, 24, 32])
@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_refuses_what_is_not_finite(value: float, bits: int, tmp_path: Path) -> None:
    scene = SCENE.copy()
    path = tmp_path / "photo.dng"
    for bad in (value, np.nan) if bits != 24 else (value,):
        scene[20, 30] = bad
        write(path, scene, bits=bits)
        with pytest.raises(
            ValueError, match=r"photo\.dng has pixels that are infinite or no numbers; write it anew with"
        ):
            load_raw(path)


@pytest.mark.parametrize("predictor", [None, 1, 3])
def test_a_file_that_ends_early(predictor: int | None, tmp_path: Path) -> None:
    path = tmp_path / "photo.dng"
    write(path, SCENE, predictor=predictor)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"photo\.dng is damaged: not all of its pixels are there; copy it from the "):
        load_raw(path)
