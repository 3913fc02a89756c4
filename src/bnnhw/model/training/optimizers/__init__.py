"""The optimisers by the names that `--optimizer` takes; one file each (docs/training.md explains them).

Tests: tests/model/training/optimizers/test_base.py
"""

from collections.abc import Mapping, Sequence

from bnnhw.model.options import with_options

from .adam import Adam
from .base import Optimizer, Parts
from .bop import Bop
from .sgd import Sgd
from .shift_adamax import ShiftAdaMax

__all__ = ["OPTIMIZERS", "Optimizer", "Parts", "optimizer_named"]

OPTIMIZERS: Mapping[str, type[Optimizer]] = {kind.name: kind for kind in (Adam, Sgd, ShiftAdaMax, Bop)}


def optimizer_named(name: str, options: Sequence[str] = ()) -> Optimizer:
    """The optimiser called `name` with options such as `("momentum=0.8",)`; ValueError lists what there is."""
    if name not in OPTIMIZERS:
        raise ValueError(f"unknown optimizer {name!r}; known ones are {', '.join(OPTIMIZERS)}")
    return with_options(OPTIMIZERS[name], options, what=f"optimizer {name!r}")
