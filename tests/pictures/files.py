"""Picture files of all kinds that are read, and what they show, computed from the samples that go into them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import png
import tifffile
from numpy.typing import NDArray
from PIL import Image

__all__ = ["FILES", "File"]

_RNG = np.random.default_rng(0)
GREY = _RNG.integers(0, 256, (4, 5), np.uint8)
GREY[0, :3] = 0, 255, 128
RGB = _RNG.integers(0, 256, (4, 5, 3), np.uint8)
RGB[0, :2] = (0, 0, 0), (255, 255, 255)
ALPHA = _RNG.integers(0, 256, (4, 5), np.uint8)
ALPHA[0, :3] = 0, 255, 0
GREY16, RGB16 = _RNG.integers(0, 65536, (4, 5), np.uint16), _RNG.integers(0, 65536, (4, 5, 3), np.uint16)
ALPHA16 = _RNG.integers(0, 65536, (4, 5), np.uint16)
ALPHA16[0, :2] = 0, 65535
GREY12 = _RNG.integers(0, 4096, (4, 6), np.uint16)  # two pixels are three bytes
OTHER = Image.new("L", (16, 16))
FEW = np.arange(20, dtype=np.uint8).reshape(4, 5) % 16
BITS = FEW % 2 == 0
PALETTE = _RNG.integers(0, 256, (16, 3), np.uint8)


@dataclass(frozen=True, eq=False)
class File:
    """A file called `name`; `write` makes it, and `pixels` (H, W) or (H, W, 3) up to `white` are what it shows.

    `note` is a word of what the reader says about it, if anything.
    """

    name: str
    write: Callable[[Path], Any]
    pixels: NDArray[Any]
    white: int = 255
    note: str | None = None


def over_white(colours: NDArray[Any], alpha: NDArray[Any], white: int = 255) -> NDArray[Any]:
    """In exact fractions, rounded to the nearest; white is odd, so nothing lies halfway."""
    share = (alpha.astype(float) if colours.ndim == 2 else alpha[..., None].astype(float)) / white
    return np.rint(colours * share + white * (1 - share)).astype(int)


def under(alpha: NDArray[Any], white: int = 255) -> NDArray[Any]:
    """What shows through it."""
    return white - alpha.astype(int)


def light(inks: NDArray[Any], white: int = 255) -> NDArray[Any]:
    return np.rint((white - inks[..., :3].astype(float)) * (white - inks[..., 3:].astype(float)) / white).astype(int)


def pillow(array: NDArray[Any], mode: str | None = None, **options: Any) -> Callable[[Path], Any]:
    def write(path: Path) -> None:
        image = Image.fromarray(array)
        if mode == "P":
            image.putpalette(PALETTE.tobytes())
        elif mode is not None:
            image = Image.frombytes(mode, array.shape[1::-1], array.tobytes())
        image.save(path, **options)

    return write


def pypng(array: NDArray[Any], **options: Any) -> Callable[[Path], Any]:
    def write(path: Path) -> None:
        with path.open("wb") as file:
            kind: dict[str, Any] = {"greyscale": array.ndim == 2} | options
            writer = png.Writer(array.shape[1], array.shape[0], **kind)
            writer.write(file, array.reshape(len(array), -1).tolist())

    return write


def tiff(array: NDArray[Any], **options: Any) -> Callable[[Path], Any]:
    return lambda path: tifffile.imwrite(path, array, **options)


def assoc(array: NDArray[Any], photometric: str) -> Callable[[Path], Any]:
    """The last channel is alpha, which the others are multiplied by."""
    return tiff(array, photometric=photometric, extrasamples=["assocalpha"])


def text(header: str, array: NDArray[Any]) -> Callable[[Path], Any]:
    return lambda path: path.write_bytes(header.encode() + array.tobytes())


def twelve_bits(path: Path) -> None:
    """A little-endian TIFF of 12 bits a pixel, of which two lie in three bytes, most significant bits first."""
    pairs = GREY12.reshape(-1, 2).astype(int)
    packed = np.stack([pairs[:, 0] >> 4, (pairs[:, 0] & 15) << 4 | pairs[:, 1] >> 8, pairs[:, 1] & 255], axis=1)
    tifffile.imwrite(path, np.zeros(GREY12.shape, np.uint16), photometric="minisblack")
    with tifffile.TiffFile(path, mode="r+") as file:
        tags = file.pages[0].aspage().tags
        tags[258].overwrite(12)
        tags[279].overwrite(packed.size)
        offset = tags[273].value[0]
    content = bytearray(path.read_bytes())
    content[offset : offset + packed.size] = packed.astype(np.uint8).tobytes()
    path.write_bytes(bytes(content))


LA, LA16 = np.dstack([GREY, ALPHA]), np.dstack([GREY16, ALPHA16])
RGBA, RGBA16 = np.dstack([RGB, ALPHA]), np.dstack([RGB16, ALPHA16])
LA_SEEN, RGBA_SEEN = over_white(GREY, ALPHA), over_white(RGB, ALPHA)
LA16_SEEN, RGBA16_SEEN = over_white(GREY16, ALPHA16, 65535), over_white(RGB16, ALPHA16, 65535)
FLAT, PAPER = np.full((16, 16), 77, np.uint8), np.full((16, 16, 3), 255, np.uint8)
SHADED = over_white(np.zeros((4, 5)), ALPHA)  # what black of that alpha looks like
DIM, DIM16 = np.minimum(GREY, ALPHA), np.minimum(RGB16, ALPHA16[..., None])  # premultiplied: at most their alpha
KEY, KEY16 = tuple(int(v) for v in RGB[2, 2]), tuple(int(v) for v in RGB16[2, 2])
KEYED, KEYED16 = RGB.copy(), RGB16.copy()
KEYED[2, 2], KEYED16[2, 2] = 255, 65535
SHOWN = PALETTE[FEW].copy()
SHOWN[FEW == 3] = 255
CMYK16 = np.dstack([RGB16, ALPHA16])

FILES = (
    File("grey.png", pillow(GREY), GREY),
    File("bits.png", pillow(BITS), BITS * 255),
    File("2bits.png", pypng(FEW % 4, bitdepth=2), FEW % 4 * 85),
    File("4bits.png", pypng(FEW, bitdepth=4), FEW * 17),
    File("grey16.png", pypng(GREY16, bitdepth=16), GREY16, 65535),
    File("grey16-interlaced.png", pypng(GREY16, bitdepth=16, interlace=True), GREY16, 65535),
    File("grey16-by-pillow.png", pillow(GREY16), GREY16, 65535),
    File("rgb.png", pillow(RGB), RGB),
    File("rgb16.png", pypng(RGB16, bitdepth=16), RGB16, 65535),
    File("la.png", pillow(LA, "LA"), LA_SEEN, note="white"),
    File("la16.png", pypng(LA16, bitdepth=16, greyscale=True, alpha=True), LA16_SEEN, 65535, "white"),
    File("rgba.png", pillow(RGBA), RGBA_SEEN, note="white"),
    File("rgba16.png", pypng(RGBA16, bitdepth=16, alpha=True), RGBA16_SEEN, 65535, "white"),
    File("opaque.png", pillow(np.dstack([RGB, np.full_like(ALPHA, 255)])), RGB),
    File("glyph.png", pillow(np.dstack([np.zeros_like(GREY), ALPHA]), "LA"), SHADED, note="white"),
    File("palette.png", pillow(FEW, "P"), PALETTE[FEW]),
    File("palette-hidden.png", pillow(FEW, "P", transparency=3), SHOWN, note="white"),
    File("grey-key.png", pypng(FEW, bitdepth=4, transparent=3), np.where(FEW == 3, 255, FEW * 17), note="white"),
    File("rgb-key.png", pypng(RGB, bitdepth=8, transparent=KEY), KEYED, note="white"),
    File("rgb16-key.png", pypng(RGB16, bitdepth=16, transparent=KEY16), KEYED16, 65535, "white"),
    File("gamma.png", pypng(GREY, bitdepth=8, gamma=0.3), GREY),
    File("profile.png", pillow(RGB, icc_profile=b"not looked at"), RGB),
    File("grey.tif", pillow(GREY), GREY),
    File("grey-lzw.tif", pillow(GREY, compression="tiff_lzw"), GREY),
    File("white-is-zero.tif", tiff(GREY, photometric="miniswhite"), 255 - GREY),
    File("bits.tif", pillow(BITS), BITS * 255),
    File("bits-white-is-zero.tif", tiff(BITS, photometric="miniswhite"), 255 - BITS * 255),
    File("grey12.tif", twelve_bits, GREY12, 4095),
    File("grey16.tif", pillow(GREY16), GREY16, 65535),
    File("grey16-lzw.tif", pillow(GREY16, compression="tiff_lzw"), GREY16, 65535),
    File("grey16-big-endian.tif", tiff(GREY16, byteorder=">", photometric="minisblack"), GREY16, 65535),
    File("grey16-white-is-zero.tif", tiff(GREY16, photometric="miniswhite"), 65535 - GREY16, 65535),
    File("rgb.tif", pillow(RGB), RGB),
    File("rgb-planes.tif", tiff(RGB.transpose(2, 0, 1), photometric="rgb", planarconfig="separate"), RGB),
    File("rgbx.tif", pillow(RGBA, "RGBX"), RGB),
    File("rgb16.tif", tiff(RGB16, photometric="rgb"), RGB16, 65535),
    File("rgb16-big-endian.tif", tiff(RGB16, photometric="rgb", byteorder=">"), RGB16, 65535),
    File("rgb16-deflated.tif", tiff(RGB16, photometric="rgb", compression="zlib", predictor=True), RGB16, 65535),
    File("rgb16-planes.tif", tiff(RGB16.transpose(2, 0, 1), photometric="rgb", planarconfig="separate"), RGB16, 65535),
    File("la.tif", pillow(LA, "LA"), LA_SEEN, note="white"),
    File("la-premultiplied.tif", assoc(np.dstack([DIM, ALPHA]), "minisblack"), DIM + under(ALPHA), note="white"),
    File("rgba.tif", pillow(RGBA), RGBA_SEEN, note="white"),
    File("rgba16.tif", tiff(RGBA16, photometric="rgb", extrasamples=["unassalpha"]), RGBA16_SEEN, 65535, "white"),
    File(
        "rgba16-premultiplied.tif",
        assoc(np.dstack([DIM16, ALPHA16]), "rgb"),
        DIM16 + under(ALPHA16, 65535)[..., None],
        65535,
        "white",
    ),
    File("palette.tif", pillow(FEW, "P"), PALETTE[FEW]),
    File("cmyk.tif", pillow(RGBA, "CMYK"), light(RGBA), note="CMYK"),
    File("cmyk16.tif", tiff(CMYK16, photometric="separated"), light(CMYK16, 65535), 65535, "CMYK"),
    File("ycbcr.tif", pillow(np.dstack([GREY, np.full_like(RGB[..., :2], 128)]), "YCbCr"), GREY),
    File("grey.bmp", pillow(GREY), GREY),
    File("rgb.bmp", pillow(RGB), RGB),
    File("palette.gif", pillow(FEW, "P"), PALETTE[FEW]),
    File("palette-hidden.gif", pillow(FEW, "P", transparency=3), SHOWN, note="white"),
    File("rgb.webp", pillow(RGB, lossless=True), RGB),
    File("rgba.webp", pillow(RGBA, lossless=True, exact=True), RGBA_SEEN, note="white"),
    File("flat.jpg", pillow(FLAT, quality=100), FLAT),
    File("flat-cmyk.jpg", pillow(np.dstack([PAPER, FLAT | 255]), "CMYK", quality=100), FLAT * 0, note="CMYK"),
    File("two.mpo", pillow(FLAT, format="MPO", save_all=True, append_images=[OTHER]), FLAT, note="first"),
    File("flat.avif", pillow(PAPER, quality=100), PAPER),
    File(
        "bits.pbm", text("P4 8 1\n", np.array([0b10110000], np.uint8)), np.array([[0, 255, 0, 0, 255, 255, 255, 255]])
    ),
    File("grey.pgm", text("P5 5 4 255\n", GREY), GREY),
    File("4bits.pgm", text("P5 5 4 15\n", FEW), FEW * 17),
    File("grey16.pgm", text("P5 5 4 65535\n", GREY16.astype(">u2")), GREY16, 65535),
    File("rgb.ppm", text("P6 5 4 255\n", RGB), RGB),
    File("rgb16.ppm", text("P6 5 4 65535\n", RGB16.astype(">u2")), np.rint(RGB16 / 257)),
    File("grey.tga", pillow(GREY), GREY),
    File("rgba.tga", pillow(RGBA), RGBA_SEEN, note="white"),
)
"""What is read, and as what."""
