import math

import numpy as np
import pytest

from bnnhw.lowlight.quality import Quality, compare_pictures


def test_psnr_by_hand() -> None:
    target = np.full((20, 30, 3), 0.5, np.float32)
    assert compare_pictures(target + np.float32(0.1), target).psnr == pytest.approx(20, abs=1e-4)
    one_off = target.copy()
    one_off[3, 4, 1] += 0.3  # a mean square of 0.09 / 1800
    assert compare_pictures(one_off, target).psnr == pytest.approx(10 * math.log10(1800 / 0.09), abs=1e-3)
    assert compare_pictures(target, target) == Quality(psnr=math.inf, ssim=1.0)


def test_ssim_by_its_formula() -> None:
    rows, columns = np.indices((7, 7))
    target = np.repeat(((rows + columns) / 12)[..., None], 3, axis=2).astype(np.float32)
    picture = np.clip(0.2 + 0.5 * target[::-1], 0, 1)
    x, y = target[..., 0].astype(float).ravel(), picture[..., 0].astype(float).ravel()
    (a, b), (_, d) = np.cov(x, y)
    c1, c2 = 0.01**2, 0.03**2
    expected = (2 * x.mean() * y.mean() + c1) * (2 * b + c2) / ((x.mean() ** 2 + y.mean() ** 2 + c1) * (a + d + c2))
    assert compare_pictures(picture, target).ssim == pytest.approx(expected, rel=1e-5)


def test_cuts_what_cannot_be_shown() -> None:
    target = np.zeros((10, 10, 3), np.float32)
    target[:5] = 1
    assert compare_pictures(3 * target - 1, target).psnr == math.inf
