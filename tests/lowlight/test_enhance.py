import numpy as np
import pytest
import torch

from bnnhw.lowlight.enhance import by_integers, by_torch, enhance, fitting_ratio
from bnnhw.lowlight.mosaic import amplify, pack
from bnnhw.lowlight.tiles import Tiling

from .network.test_unet import network


def random_mosaic(height: int, width: int) -> np.ndarray:
    return (np.random.default_rng(0).random((height, width), np.float32) - 0.1) / 100


@pytest.mark.parametrize(("bases", "size"), [((0, 0), (300, 500)), ((2, 2), (340, 258)), ((1, 1), (256, 190))])
def test_tiles_fit_together(bases: tuple[int, int], size: tuple[int, int]) -> None:
    made = network(*bases).double()  # float32's rounding depends on the size and may tip a sign
    mosaic = random_mosaic(*size)
    whole = enhance(by_torch(made), mosaic, ratio=100)
    assert whole.shape == (*size, 3)
    for tile in (48, 112):
        np.testing.assert_allclose(
            enhance(by_torch(made), mosaic, ratio=100, tiling=Tiling(tile=tile)), whole, atol=1e-7
        )


def test_is_the_network_on_the_amplified_mosaic() -> None:
    made = network(0, 0)
    mosaic = random_mosaic(64, 96)
    with torch.inference_mode():
        expected = made(torch.from_numpy(pack(amplify(mosaic, 50))[None]))[0].permute(1, 2, 0).numpy()
    assert ((expected < 0) | (expected > 1)).any()
    made.train()
    np.testing.assert_allclose(enhance(by_torch(made), mosaic, ratio=50), expected.clip(0, 1), atol=1e-5)
    assert not made.training


def test_mirrors_what_is_missing_of_a_block() -> None:
    made = network(0, 0)
    mosaic = random_mosaic(60, 34)
    packed = np.pad(pack(amplify(mosaic, 50)), ((0, 0), (0, 2), (0, 15)), mode="reflect")
    with torch.inference_mode():
        expected = made(torch.from_numpy(packed[None]))[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(enhance(by_torch(made), mosaic, ratio=50), expected.clip(0, 1)[:60, :34], atol=1e-5)


@pytest.mark.parametrize("size", [(2, 2), (2, 40)])
def test_tiny_photos(size: tuple[int, int]) -> None:
    assert enhance(by_torch(network(1, 1)), random_mosaic(*size), ratio=10).shape == (*size, 3)


@pytest.mark.parametrize(
    ("lit", "dark", "ratio"), [(0.01, 0.001, 100), (0.5, 0.2, 2), (0.001, 0.0, 300), (0.0, -0.1, 300), (1.5, 0.1, 1)]
)
def test_ratios_that_fit(lit: float, dark: float, ratio: float) -> None:
    mosaic = np.full((100, 100), dark, np.float32)
    mosaic[:2] = lit
    mosaic[50, 50] = 5.0  # a hot pixel
    assert fitting_ratio(mosaic) == pytest.approx(ratio)


def test_integers_are_those_of_hardware() -> None:
    """Blocks of four numbers from 0 to 4095, channels last, in the order R, Gr, B, Gb."""
    seen = []

    def answers(integers: np.ndarray) -> np.ndarray:
        seen.append(integers)
        return np.full((len(integers), 32, 32, 3), 0.25)

    mosaic = np.zeros((32, 32), np.float32)
    mosaic[:2, :2] = [[0.001, 0.0052], [-1, 1]]
    picture = enhance(by_integers(answers), mosaic, ratio=100)
    (integers,) = seen
    assert integers.shape == (1, 16, 16, 4)
    assert integers[0, 0, 0].tolist() == [410, 2129, 4095, 0]
    assert (picture == np.float32(0.25)).all()
