"""How near a picture comes to another one."""

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

__all__ = ["Quality", "compare_pictures"]


@dataclass(frozen=True, kw_only=True)
class Quality:
    """The peak signal-to-noise ratio in dB, and the structural similarity, at most 1."""

    psnr: float
    ssim: float

    def __str__(self) -> str:
        return f"PSNR {self.psnr:.2f} dB, SSIM {self.ssim:.4f}"


def compare_pictures(picture: NDArray[np.float32], target: NDArray[np.float32]) -> Quality:
    """The quality of `picture` (H, W, 3), both being sRGB in [0, 1]; H and W at least 7.

    As scikit-image's defaults have it, and with them "Learning to See in the Dark": PSNR = -10 log10 of the mean square
    difference of all colours (infinite where there is none), SSIM the mean over 7x7 windows and colours with K1 = 0.01,
    K2 = 0.03 and sample covariances (Wang et al. 2004). Values of `picture` beyond [0, 1] are cut.
    """
    shown = np.clip(picture, 0, 1)
    with np.errstate(divide="ignore"):
        psnr = peak_signal_noise_ratio(target, shown, data_range=1)
    ssim = cast(float, structural_similarity(target, shown, data_range=1, channel_axis=2))
    return Quality(psnr=float(psnr), ssim=float(ssim))
