import math

import pytest
import torch

from bnnhw.model.training.losses import LOSSES

SCORES = torch.tensor([[2.0, 0.5], [0.0, 0.0]])


@pytest.mark.parametrize(
    ("name", "mean"),
    [
        ("cross-entropy", (math.log(1 + math.exp(-1.5)) + math.log(2)) / 2),
        ("squared-hinge", (0 + 1.5**2 + 1 + 1) / 4),
    ],
)
def test_by_hand(name: str, mean: float) -> None:
    assert LOSSES[name](SCORES, torch.tensor([0, 1])).item() == pytest.approx(mean)
