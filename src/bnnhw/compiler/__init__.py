"""From model.pt to a scheduled integer graph and its hardware."""

from .errors import FoldError, GraphError, ModelError, ScheduleError
from .integerize import integerize
from .ir import Graph, Node, Value, evaluate, trace, verify
from .load import load
from .schedule import Schedule
from .scheduling import schedule
from .types import BinaryType, FloatType, IntType, TensorType

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
