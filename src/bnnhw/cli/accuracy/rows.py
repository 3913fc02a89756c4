"""What `bnnhw accuracy` trains: small data, one entry a row of the table in docs/accuracy.md."""

from dataclasses import dataclass

__all__ = ["ROWS", "AccuracyRow"]

_SHORT = 60
"""Epochs of every ResNet-20, so that the rows can be compared; published ones have 400 to 1,000."""


@dataclass(frozen=True, kw_only=True)
class AccuracyRow:
    """A training by name. input_bits: 1 or 8, by default the network's own. published: the article's test accuracy, in
    percent, after its own number of epochs."""

    name: str
    network: str
    dataset: str
    epochs: int
    method: str
    method_options: tuple[str, ...] = ()
    network_options: tuple[str, ...] = ()
    input_bits: int | None = None
    published: float | None = None


def _resnet20(name: str, method: str, *options: str, published: float | None = None) -> AccuracyRow:
    """Shortcuts around each convolution, whatever the method, as in RBNN's ablation."""
    return AccuracyRow(
        name=f"resnet20-{name}", network="resnet20", dataset="cifar10", epochs=_SHORT, method=method,
        method_options=options, network_options=("shortcuts=bireal",), published=published,
    )  # fmt: skip


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
    # arXiv:2009.13055, table 4: B is XNOR-Net, R the rotation, T the training-aware gradient, A the adjustable angle.
    _resnet20("b", "xnor", published=83.7),
    _resnet20("b-t", "xnor", "gradient=rbnn", published=86.6),
    _resnet20("b-r", "rbnn", "gradient=ste", "adjust=no", published=86.4),
    _resnet20("b-t-r", "rbnn", "adjust=no", published=87.1),
    _resnet20("rbnn", "rbnn", published=87.8),
    _resnet20("rbnn-ste", "rbnn", "gradient=ste", published=84.9),
    _resnet20("rbnn-ppf", "rbnn", "gradient=ppf", published=86.9),
    _resnet20("rbnn-ede", "rbnn", "gradient=ede", published=86.0),
    _resnet20("irnet", "irnet", "t_min=1e-3", published=86.5),
    _resnet20("bireal", "bireal"),
    _resnet20("bnn", "bnn"),
)
