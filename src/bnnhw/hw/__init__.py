"""Amaranth components of binary networks: streams, matrix units, labels, the link and the top.

They know ints, shapes and arrays, nothing of networks. Conventions of streams: docs/architecture.md.
"""

from .core import Core
from .fifo import Fifo
from .hardwired_plan import HardwiredPlan, plan_hardwired
from .hardwired_unit import HardwiredUnit
from .label_select import LabelSelect
from .matrix_shape import MatrixShape
from .matrix_unit import MatrixUnit
from .multi_threshold import MultiThreshold
from .popcount import XnorPopcount
from .score_table import ScoreTable
from .stream import StreamBuffer
from .width import WidthConverter

__all__ = [
    "Core",
    "Fifo",
    "HardwiredPlan",
    "HardwiredUnit",
    "LabelSelect",
    "MatrixShape",
    "MatrixUnit",
    "MultiThreshold",
    "ScoreTable",
    "StreamBuffer",
    "WidthConverter",
    "XnorPopcount",
    "plan_hardwired",
]
