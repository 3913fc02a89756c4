"""Operators written in Python: docs/your-own-operator.md.

Tests: tests/test_pointwise_operators.py
"""

from importlib import import_module
from typing import Any

from .errors import OperatorError as OperatorError
from .operator import Pointwise as Pointwise
from .operator import pointwise as pointwise
from .operator import table as table

__all__ = ["OperatorError", "Pointwise", "pointwise", "table"]


def __getattr__(name: str) -> Any:
    """`Layer` is torch's, which operators by themselves do without."""
    if name != "Layer":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module("bnnhw.model.layers.operator").OperatorLayer
