"""A network of fixed-point numbers whose values, all or some, stay real.

Tests: tests/model/fixed_point/test_calibration.py
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from torch import nn

from bnnhw.model.layers.fixed_point import FixedPoint
from bnnhw.model.layers.integer_weights import IntegerWeights

__all__ = ["Rounding", "real_values", "roundings"]

Rounding = FixedPoint | IntegerWeights
"""Layers that round values or weights."""


def roundings(network: nn.Module) -> dict[str, Rounding]:
    """What rounds in `network`, each once, by the name of the layer whose values or weights it rounds."""
    return {_readable(name): module for name, module in network.named_modules() if isinstance(module, Rounding)}


@contextmanager
def real_values(network: nn.Module, *, but: Collection[nn.Module] = ()) -> Iterator[None]:
    """Nothing in `network` is rounded within, `but` what these layers round; and it is in eval mode."""
    before = {module: (module.training, getattr(module, "rounds", True)) for module in network.modules()}
    network.eval()
    for module in before:
        if isinstance(module, Rounding):
            module.rounds = module in but
    try:
        yield
    finally:
        for module, (training, rounds) in before.items():
            module.training = training
            if isinstance(module, Rounding):
                module.rounds = rounds


def _readable(name: str) -> str:
    if name.endswith("quantiser"):
        return f"{name.removesuffix('.quantiser').removesuffix('.layer')}, weights"
    return name.removesuffix(".fixed").removesuffix("_fixed")
