"""Amaranth components of binary networks: streams, matrix units, labels, the link and the top.

They know ints, shapes and arrays, nothing of networks. Conventions of streams: docs/hardware.md.
"""

from bnnhw.hw.hardwired.plan import HardwiredPlan, plan_hardwired
from bnnhw.hw.hardwired.unit import HardwiredUnit
from bnnhw.hw.join.add import Add
from bnnhw.hw.join.concat import Concat
from bnnhw.hw.join.fork import Fork
from bnnhw.hw.join.split import Split
from bnnhw.hw.mac.shape import MacShape
from bnnhw.hw.mac.unit import MacUnit
from bnnhw.hw.output.label_select import LabelSelect
from bnnhw.hw.output.score_table import ScoreTable
from bnnhw.hw.product.matrix_shape import MatrixShape
from bnnhw.hw.product.matrix_unit import MatrixUnit
from bnnhw.hw.product.popcount import XnorPopcount
from bnnhw.hw.stream.buffer import StreamBuffer
from bnnhw.hw.stream.fifo import Fifo
from bnnhw.hw.stream.width import WidthConverter
from bnnhw.hw.threshold.multi_threshold import MultiThreshold

from .core import Core

__all__ = [
    "Add",
    "Concat",
    "Core",
    "Fifo",
    "Fork",
    "HardwiredPlan",
    "HardwiredUnit",
    "LabelSelect",
    "MacShape",
    "MacUnit",
    "MatrixShape",
    "MatrixUnit",
    "MultiThreshold",
    "ScoreTable",
    "Split",
    "StreamBuffer",
    "WidthConverter",
    "XnorPopcount",
    "plan_hardwired",
]
