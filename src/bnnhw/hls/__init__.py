"""Operators written in Python: docs/your-own-operator.md.

Tests: tests/test_pointwise_operators.py
"""

from importlib import import_module
from typing import Any

from .chain import chain as chain
from .decorators import pixelwise as pixelwise
from .decorators import pointwise as pointwise
from .decorators import reduction as reduction
from .decorators import scan as scan
from .decorators import table as table
from .decorators import window as window
from .errors import OperatorError as OperatorError
from .operator import Operator as Operator
from .rearrange import crop as crop
from .rearrange import pixel_shuffle as pixel_shuffle
from .rearrange import space_to_depth as space_to_depth

__all__ = [
    "Operator",
    "OperatorError",
    "chain",
    "crop",
    "pixel_shuffle",
    "pixelwise",
    "pointwise",
    "reduction",
    "scan",
    "space_to_depth",
    "table",
    "window",
]


def __getattr__(name: str) -> Any:
    """`Layer` is torch's, which operators by themselves do without."""
    if name != "Layer":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module("bnnhw.model.layers.operator").OperatorLayer
