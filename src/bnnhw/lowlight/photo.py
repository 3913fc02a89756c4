"""Ordinary photos, taken back to what a sensor would have seen."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bnnhw.pictures.reader import read_picture

from .filters import BAYER, ColourFilter

__all__ = ["WHITE_BALANCE", "linear_to_srgb", "load_photo", "photo_mosaic", "srgb_to_linear"]

WHITE_BALANCE = (2.0, 1.0, 1.6)
"""What a camera multiplies red, green and blue by in daylight, about: its filters let through that much less."""


def srgb_to_linear(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """IEC 61966-2-1: x/12.92 up to 0.04045, ((x + 0.055)/1.055)^2.4 above."""
    return np.where(picture <= 0.04045, picture / 12.92, ((picture + 0.055) / 1.055) ** 2.4).astype(np.float32)


def linear_to_srgb(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """The inverse of `srgb_to_linear`, for light of at least 0."""
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055).astype(np.float32)


def load_photo(path: Path, filters: ColourFilter = BAYER) -> NDArray[np.float32]:
    """A photo, JPEG, PNG or their kin, as (H, W, 3) sRGB in [0, 1], upright, cut to multiples of the filter's
    period.

    Raises as `pictures.reader.read_picture`.
    """
    picture = read_picture(path, channels=3)
    pixels = picture.pixels.astype(np.float32) / np.float32(picture.white)
    height, width = pixels.shape[:2]
    period = filters.period
    if min(height, width) < period:
        raise ValueError(f"{path} has {height}x{width} pixels; a {period}x{period} block of colours is needed")
    return pixels[: height - height % period, : width - width % period]


def photo_mosaic(picture: NDArray[np.float32], filters: ColourFilter = BAYER) -> NDArray[np.float32]:
    """The mosaic (H, W) that `picture`, (H, W, 3) sRGB of whole periods, would come from: linear light, divided by
    `WHITE_BALANCE`, one colour for each pixel.

    The first steps of Brooks et al., "Unprocessing Images for Learned Raw Denoising", arXiv:1811.11127; a camera's
    tone curve and colour matrix are left out.
    """
    light = srgb_to_linear(picture) / np.asarray(WHITE_BALANCE, np.float32)
    height, width = light.shape[:2]
    colours = np.tile(filters.colours, (height // filters.period, width // filters.period))
    return np.take_along_axis(light, colours[..., None], axis=2)[..., 0]
