"""What `bnnhw accuracy` trains: small data, one entry a row of the table in docs/accuracy.md.

Tests: tests/accuracy/test_accuracy.py
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

__all__ = ["FLIP_ROWS", "ROWS", "AccuracyRow"]

_SHORT = 60
"""Epochs of every ResNet-20, so that the rows can be compared; published ones have 400 to 1,000."""


@dataclass(frozen=True, kw_only=True)
class AccuracyRow:
    """A training by name. input_bits: 1 or 8, by default the network's own. recipe: where it is another than
    `bnnhw train` takes. published: the article's test accuracy, in percent, after its own number of epochs."""

    name: str
    network: str
    dataset: str
    epochs: int
    method: str
    method_options: tuple[str, ...] = ()
    network_options: tuple[str, ...] = ()
    input_bits: int | None = None
    recipe: Mapping[str, Any] = field(default_factory=dict)
    published: float | None = None


def _resnet20(name: str, method: str, *options: str, published: float | None = None) -> AccuracyRow:
    """Shortcuts around each convolution, whatever the method, as in RBNN's ablation."""
    return AccuracyRow(
        name=f"resnet20-{name}", network="resnet20", dataset="cifar10", epochs=_SHORT, method=method,
        method_options=options, network_options=("shortcuts=bireal",), published=published,
    )  # fmt: skip


def _by_sgd(row: AccuracyRow) -> AccuracyRow:
    """As RBNN's authors train, and with the hardtanh of their code."""
    return replace(
        row, name=f"{row.name}-sgd", network_options=(*row.network_options, "squash=hardtanh"),
        recipe={"optimizer": "sgd", "learning_rate": 0.1, "weight_decay": 1e-4, "warmup": 0.1},
    )  # fmt: skip


_XNOR = _resnet20("b", "xnor", published=83.7)
_FILTER = "rotation=filter"  # as in the code that gave the published figures; the text has the whole layer
_RBNN = _resnet20("rbnn", "rbnn", _FILTER, published=87.8)

ROWS = (
    AccuracyRow(
        name="mnist-mlp-4096",
        network="mlp-4096",
        dataset="mnist",
        epochs=50,
        method="bnn",
        network_options=("dropout=no",),
        input_bits=8,
        published=99.04,
    ),  # arXiv:1602.02830, table 1, 1,000 epochs with dropout; its first layer reads the pixels' values
    AccuracyRow(name="cnv", network="cnv", dataset="cifar10", epochs=50, method="bnn", published=80.1),
    AccuracyRow(
        name="vgg-small-75",
        network="vgg-small",
        dataset="cifar10",
        epochs=200,
        method="bnn",
        network_options=("channels=75",),
    ),  # as wide as the memory of a ULX3S-85F allows, 2.6 Mbit of weights
    # arXiv:2009.13055, table 4: B is XNOR-Net, R the rotation, T the training-aware gradient, A the adjustable angle.
    _XNOR,
    _resnet20("b-t", "xnor", "gradient=rbnn", published=86.6),
    _resnet20("b-r", "rbnn", _FILTER, "gradient=ste", "adjust=no", published=86.4),
    _resnet20("b-t-r", "rbnn", _FILTER, "adjust=no", published=87.1),
    _RBNN,
    _resnet20("b-t-r-layer", "rbnn", "adjust=no"),
    _resnet20("rbnn-layer", "rbnn"),
    _resnet20("rbnn-ste", "rbnn", _FILTER, "gradient=ste", published=84.9),
    _resnet20("rbnn-ppf", "rbnn", _FILTER, "gradient=ppf", published=86.9),
    _resnet20("rbnn-ede", "rbnn", _FILTER, "gradient=ede", published=86.0),
    _resnet20("irnet", "irnet", "t_min=1e-3", published=86.5),
    _resnet20("bireal", "bireal"),
    _resnet20("bnn", "bnn"),
    _by_sgd(_XNOR),
    _by_sgd(_RBNN),
)

FLIP_ROWS = ("resnet20-b", "resnet20-rbnn", "resnet20-b-sgd", "resnet20-rbnn-sgd")
"""Whose flipped weights are compared, layer by layer, as in RBNN's figure 7."""
