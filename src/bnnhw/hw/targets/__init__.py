"""Targets: all that depends on a family of chips. Nothing outside of this package asks which one it is.

A family is a folder here: its primitives, its sizes and prices, its devices, and as data its tools and the names of its
simulation models. `table.py` lists the families.
"""

from .adders import ZERO, Addend, Adders
from .block_ram import BLOCK_RAM_LATENCY, BlockRam
from .cells import CellNames, Cells
from .device import LUT_BITS, Device
from .fabric import Fabric
from .models import SimulationModels
from .multiplier import Multiplier
from .portable import PORTABLE
from .table import DEVICES, TARGETS, check_target, get_device
from .target import Clock, ClockSettings, Target
from .toolchain import UNTIL_LUTS, Program, ToolChain

__all__ = [
    "BLOCK_RAM_LATENCY",
    "DEVICES",
    "LUT_BITS",
    "PORTABLE",
    "TARGETS",
    "UNTIL_LUTS",
    "ZERO",
    "Addend",
    "Adders",
    "BlockRam",
    "CellNames",
    "Cells",
    "Clock",
    "ClockSettings",
    "Device",
    "Fabric",
    "Multiplier",
    "Program",
    "SimulationModels",
    "Target",
    "ToolChain",
    "check_target",
    "get_device",
]
