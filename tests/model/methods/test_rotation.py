import math
from itertools import pairwise

import pytest
import torch

from bnnhw.model.methods.rotation import cosine, learn_rotation, near_square, random_rotation, rotate


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        yield


@pytest.mark.parametrize(("n", "factors"), [(1, (1, 1)), (7, (1, 7)), (12, (3, 4)), (36, (6, 6)), (1152, (32, 36))])
def test_near_square(n: int, factors: tuple[int, int]) -> None:
    assert near_square(n) == factors


def assert_orthogonal(r: torch.Tensor) -> None:
    torch.testing.assert_close(r.mT @ r, torch.eye(len(r)), atol=1e-5, rtol=0)


@pytest.mark.parametrize("n", [1, 2, 9, 40])
def test_random_rotations_are_orthogonal_and_differ(n: int) -> None:
    first, second = random_rotation(n), random_rotation(n)
    assert_orthogonal(first)
    assert n == 1 or not torch.allclose(first, second)


def test_random_rotations_have_no_preferred_direction() -> None:
    entries = torch.stack([random_rotation(3) for _ in range(2000)])
    assert entries.mean(0).abs().max().item() < 0.06  # 1/sqrt(3 * 2000) is 0.013; QR alone gives a diagonal of -0.5


def test_two_small_rotations_are_their_kronecker_product() -> None:
    w, r1, r2 = torch.randn(1, 4, 6), random_rotation(4), random_rotation(6)
    expected = torch.kron(r1, r2).T @ w.flatten()
    torch.testing.assert_close(rotate(w, r1, r2).flatten(), expected)


def test_cosine_is_that_of_the_angle_between_weights_and_signs() -> None:
    w, r1, r2 = torch.randn(3, 4, 6), random_rotation(4), random_rotation(6)
    v = rotate(w, r1, r2).flatten()
    assert cosine(w, r1, r2) == pytest.approx(torch.cosine_similarity(v, v.sign(), dim=0).item())


@pytest.mark.parametrize("shape", [(1, 12, 12), (1, 5, 9), (1, 1, 7), (16, 6, 8)])
def test_every_cycle_raises_the_cosine_and_stays_orthogonal(shape: tuple[int, int, int]) -> None:
    w, r1, r2 = torch.randn(shape), random_rotation(shape[1]), random_rotation(shape[2])
    cosines = [cosine(w, r1, r2)]
    for _ in range(6):
        r1, r2 = learn_rotation(w, r1, r2, cycles=1)
        assert_orthogonal(r1)
        assert_orthogonal(r2)
        cosines.append(cosine(w, r1, r2))
    assert all(after >= before - 1e-6 for before, after in pairwise(cosines))
    assert cosines[-1] > cosines[0] + 0.02


@pytest.mark.parametrize(("filters", "cosine_at_last"), [(1, 0.976), (64, 0.813)])
def test_three_cycles_on_gaussian_weights(filters: int, cosine_at_last: float) -> None:
    """64 x 64 x 3 x 3 of them: one rotation for all of them goes much farther than one that the filters share."""
    w = torch.randn(filters, *near_square(64 * 64 * 9 // filters))
    r1, r2 = random_rotation(w.shape[1]), random_rotation(w.shape[2])
    assert cosine(w, r1, r2) == pytest.approx(math.sqrt(2 / math.pi), abs=0.005)
    assert cosine(w, *learn_rotation(w, r1, r2)) == pytest.approx(cosine_at_last, abs=0.004)
