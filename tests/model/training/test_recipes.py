from typing import Any

import pytest

from bnnhw.model.data.datasets import DATA_SETS
from bnnhw.model.networks.catalogue import NETWORKS
from bnnhw.model.training.recipes import Recipe, default_recipe


@pytest.mark.parametrize("data_set", DATA_SETS)
@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_has_a_recipe_for_every_data_set(network: str, data_set: str) -> None:
    recipe = default_recipe(network, data_set)
    assert recipe.epochs >= 50
    assert recipe.optimizer == "adam"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs=0 must be at least 1"),
        ({"epochs": 1, "batch_size": -3}, "batch_size=-3 must be at least 1"),
        ({"epochs": 1, "learning_rate": 0.0}, "learning_rate=0.0 must lie in (0, 1e+30]"),
        ({"epochs": 1, "learning_rate": float("nan")}, "learning_rate=nan must lie in (0, 1e+30]"),
        ({"epochs": 1, "learning_rate": 1e31}, "learning_rate=1e+31 must lie in (0, 1e+30]"),
        ({"epochs": 1, "warmup": 1.0}, "warmup=1.0 must lie in [0, 1)"),
        ({"epochs": 1, "validation": -0.1}, "validation=-0.1 must lie in [0, 1)"),
        ({"epochs": 1, "weight_decay": 1.0}, "weight_decay=1.0 must lie in [0, 1)"),
        ({"epochs": 1, "schedule": "line"}, "schedule='line' must be 'cosine' or 'step'"),
        (
            {"epochs": 1, "optimizer_options": ("x=1",)},
            "optimizer 'adam' has no option 'x=1'; its options are glorot=yes|no (no)",
        ),
        ({"epochs": 1, "loss": "mse"}, "loss='mse' must be 'cross-entropy' or 'squared-hinge'"),
    ],
)
def test_errors(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 the whole message is compared
        Recipe(**options)
    assert str(caught.value) == message
