"""What the tools of a report's device call its cells.

Tests: tests/compiler/report/test_page.py
"""

from bnnhw.hw.targets import DEVICES, CellNames

from .data import BuildReport

__all__ = ["cell_names"]


def cell_names(report: BuildReport) -> CellNames:
    """The names of the device's family; those of any where the device is not known."""
    device = DEVICES.get(report.device.name)
    return CellNames() if device is None else device.target.cell_names
