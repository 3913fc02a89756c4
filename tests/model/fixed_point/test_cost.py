"""What fixed point costs: counts of pairs, their interval, and each rounding alone."""

import numpy as np
import pytest
import torch

from bnnhw.model.fixed_point.calibration import calibrate
from bnnhw.model.fixed_point.conversion import FixedPointOptions, in_fixed_point
from bnnhw.model.fixed_point.cost import Cost, cost_by_layer, cost_of, labels_of
from bnnhw.model.fixed_point.real_values import real_values

from .case import OwnResidual, images


def test_pairs_are_counted() -> None:
    truth = np.array([0, 1, 2, 0, 1, 2])
    real = np.array([0, 1, 0, 1, 1, 0])
    fixed = np.array([0, 2, 2, 1, 1, 1])
    cost = cost_of(real, fixed, truth)
    assert cost == Cost(images=6, real=3, fixed=3, only_real=1, only_fixed=1, different=3)


@pytest.mark.parametrize(
    ("only_real", "only_fixed", "difference", "half"),
    [(0, 0, 0, 0), (30, 50, 0.02, 0.01749), (100, 0, -0.1, 0.01859), (50, 50, 0, 0.01960)],
)
def test_the_interval_is_that_of_pairs(only_real: int, only_fixed: int, difference: float, half: float) -> None:
    """Of 1,000 pairs."""
    real = 600
    cost = Cost(
        images=1000, real=real, fixed=real + only_fixed - only_real, only_real=only_real, only_fixed=only_fixed,
        different=only_real + only_fixed,
    )  # fmt: skip
    assert cost.difference == pytest.approx(difference)
    assert cost.interval == pytest.approx((difference - half, difference + half), abs=1e-5)


def test_labels_are_the_first_of_the_greatest_scores() -> None:
    scores = torch.randint(0, 3, (600, 4), generator=torch.Generator().manual_seed(0))
    assert labels_of(torch.nn.Identity(), scores).tolist() == [row.index(max(row)) for row in scores.tolist()]


def test_each_rounding_alone() -> None:
    """Few bits in one place change labels there, and in no other."""
    torch.manual_seed(0)
    network = in_fixed_point(OwnResidual(), FixedPointOptions(bits=16, score_bits=3))
    for _ in range(20):  # batch norms need to know what comes
        network(images().float())
    calibrate(network, images())
    told = []
    costs = cost_by_layer(network, images(), progress=told.append)
    found = {cost.layer: cost for cost in costs}
    assert list(found) == [
        "stem, weights", "stem", "first", "second", "scores, weights", "scores", "add", "add_2", "pool",
    ]  # fmt: skip
    assert found["scores"].changed > 0.05
    assert found["scores"].bits == 3
    assert found["stem, weights"].exponent is None
    assert found["pool"].exponent == int(network.get_buffer("pool_fixed.exponent.value"))
    assert max(cost.changed for name, cost in found.items() if name in ("second", "pool", "add_2")) < 0.05
    assert told[-1] == 1
    with real_values(network):
        real = labels_of(network, images())
    with real_values(network, but=[network.get_submodule("scores.fixed")]):
        assert found["scores"].changed == (labels_of(network, images()) != real).mean()
