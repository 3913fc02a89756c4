"""What the chips of the iCE40 UltraPlus family hold.

Source: Lattice FPGA-DS-02008, iCE40 UltraPlus Family Data Sheet, table 1.1.
"""

from bnnhw.hw.targets.device import Device

from .target import ICE40

__all__ = ["DEVICES"]

DEVICES: dict[str, Device] = {"iCE40UP5K": Device("iCE40UP5K", 5280, 30, 8, target=ICE40)}
"""The devices by name. They have no JTAG, and so no IDCODE."""
