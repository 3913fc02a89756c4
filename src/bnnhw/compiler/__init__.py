"""From model.pt to a scheduled integer graph and its hardware."""

from bnnhw.compiler.dataflow.schedule import Schedule
from bnnhw.compiler.frontends.model_file import load
from bnnhw.compiler.ir.graph import Graph, Node, Value, evaluate, trace, verify
from bnnhw.compiler.ir.types import BinaryType, FloatType, IntType, TensorType
from bnnhw.compiler.passes.integerize import integerize
from bnnhw.compiler.search.scheduling import schedule

from .errors import FoldError, GraphError, ModelError, ScheduleError

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
