"""Random distortion of training images, a batch at a time."""

from dataclasses import dataclass
from math import radians

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["Augmentation", "augment"]

_ELASTIC_GRID = 5  # control points along each side of the elastic distortion


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How far an image may be moved at random, each drawn anew for each image.

    Attributes
    ----------
    shift : float
        Largest shift along each axis, in pixels.
    rotation : float
        Largest angle, in degrees.
    scale, shear : float
        Largest change of size along each axis and of slant, as a fraction.
    elastic : float
        Standard deviation of the displacement of a coarse grid's points, in pixels (Simard et al. 2003).
    crop : int
        Largest shift along each axis, in whole pixels, without resampling: padding by so many and cropping at random.
    flip : bool
        Whether half of the images are mirrored left to right.
    """

    shift: float = 0.0
    rotation: float = 0.0
    scale: float = 0.0
    shear: float = 0.0
    elastic: float = 0.0
    crop: int = 0
    flip: bool = False


def augment(images: Tensor, strength: Augmentation, *, lo: int, hi: int) -> Tensor:
    """Distort `images`, float32 (N, H, W, C) of integers in [lo, hi]; what comes in from outside is lo.

    The result holds integers again, so that a network trains on what the sensor could have given. Randomness comes
    from torch's default generator of the device that the images lie on.
    """
    if strength.shift or strength.rotation or strength.scale or strength.shear or strength.elastic:
        images = _resample(images, strength, lo=lo, hi=hi)
    if strength.crop or strength.flip:
        images = _crop_and_flip(images, strength, lo=lo)
    return images


def _crop_and_flip(images: Tensor, strength: Augmentation, *, lo: int) -> Tensor:
    """The shift by whole pixels and the mirroring."""
    (n, height, width, _), device = images.shape, images.device
    margin = strength.crop
    padded = functional.pad(images, (0, 0, margin, margin, margin, margin), value=lo)
    offsets = torch.randint(0, 2 * margin + 1, (2, n, 1), device=device)
    rows = offsets[0] + torch.arange(height, device=device)
    columns = offsets[1] + torch.arange(width, device=device)
    if strength.flip:
        columns = torch.where(torch.rand(n, 1, device=device) < 0.5, columns.flip(1), columns)
    return padded[torch.arange(n, device=device)[:, None, None], rows[:, :, None], columns[:, None, :]]


def _resample(images: Tensor, strength: Augmentation, *, lo: int, hi: int) -> Tensor:
    """The continuous distortions, by bilinear resampling, rounded."""
    (n, height, width, _), device = images.shape, images.device
    size = torch.tensor([width, height], dtype=torch.float32, device=device)

    def uniform(reach: float, *shape: int) -> Tensor:
        return (torch.rand(n, *shape, device=device) * 2 - 1) * reach

    angle = uniform(radians(strength.rotation))
    cos, sin = torch.cos(angle), torch.sin(angle)
    rotation = torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2)
    stretch = torch.diag_embed(1 + uniform(strength.scale, 2))
    stretch[:, 0, 1] = uniform(strength.shear)
    theta = torch.cat([rotation @ stretch, (uniform(strength.shift, 2) * 2 / size)[..., None]], dim=2)
    grid = functional.affine_grid(theta, [n, 1, height, width], align_corners=False)
    if strength.elastic:
        bumps = torch.randn(n, 2, _ELASTIC_GRID, _ELASTIC_GRID, device=device) * strength.elastic
        field = functional.interpolate(bumps, size=(height, width), mode="bicubic", align_corners=True)
        grid = grid + field.permute(0, 2, 3, 1) * (2 / size)
    moved = functional.grid_sample((images - lo).permute(0, 3, 1, 2), grid, align_corners=False)
    return moved.permute(0, 2, 3, 1).round().clamp(0, hi - lo) + lo
