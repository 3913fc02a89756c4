"""What the chips of the ECP5 family hold.

Source: Lattice FPGA-DS-02012, ECP5 and ECP5-5G Family Data Sheet, table 1.1.
"""

from bnnhw.hw.targets.device import Device

from .target import ECP5

__all__ = ["DEVICES"]

# The 12F is sold as half of what it is: it has the 25F's die, and nextpnr places on all of it. So it counts as a 25F.
_DIES = {"12F": (24_288, 56, 28), "25F": (24_288, 56, 28), "45F": (43_848, 108, 72), "85F": (83_640, 208, 156)}
_SERIES = {"LFE5U": ("12F", "25F", "45F", "85F"), "LFE5UM": ("25F", "45F", "85F"), "LFE5UM5G": ("25F", "45F", "85F")}

DEVICES: dict[str, Device] = {
    f"{series}-{size}": Device(f"{series}-{size}", *_DIES[size], target=ECP5)
    for series, sizes in _SERIES.items()
    for size in sizes
}
"""The devices by name, such as LFE5U-85F; UM parts have transceivers, UM5G parts faster ones."""
