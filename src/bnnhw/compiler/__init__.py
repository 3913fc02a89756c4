"""From model.pt to a scheduled integer graph and its hardware. Each name is loaded when it is first asked for: who
wants graphs alone gets no hardware.

Tests: tests/test_package.py
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bnnhw.compiler.dataflow.schedule import Schedule
    from bnnhw.compiler.errors import FoldError, GraphError, ModelError, ScheduleError
    from bnnhw.compiler.frontends.model_file import load
    from bnnhw.compiler.ir.graph import Graph, Node, Value, evaluate, trace, verify
    from bnnhw.compiler.ir.types import BinaryType, FloatType, IntType, TensorType
    from bnnhw.compiler.passes.integerize import integerize
    from bnnhw.compiler.search.scheduling import schedule

__all__ = [
    "BinaryType",
    "FloatType",
    "FoldError",
    "Graph",
    "GraphError",
    "IntType",
    "ModelError",
    "Node",
    "Schedule",
    "ScheduleError",
    "TensorType",
    "Value",
    "evaluate",
    "integerize",
    "load",
    "schedule",
    "trace",
    "verify",
]

_PLACES = {
    "dataflow.schedule": ("Schedule",),
    "errors": ("FoldError", "GraphError", "ModelError", "ScheduleError"),
    "frontends.model_file": ("load",),
    "ir.graph": ("Graph", "Node", "Value", "evaluate", "trace", "verify"),
    "ir.types": ("BinaryType", "FloatType", "IntType", "TensorType"),
    "passes.integerize": ("integerize",),
    "search.scheduling": ("schedule",),
}


def __getattr__(name: str) -> Any:
    for place, names in _PLACES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{place}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
