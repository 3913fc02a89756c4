"""What the chips of the ECP5 family hold.

Source: Lattice FPGA-DS-02012, ECP5 and ECP5-5G Family Data Sheet, table 1.1.
"""

import difflib
from dataclasses import dataclass

EBR_BITS = 18 * 1024
"""Bits of a block RAM."""
LUT_BITS = 16
"""Bits of a LUT4's table."""


@dataclass(frozen=True)
class Device:
    """A chip: `luts` LUT4s, each with a flip-flop; `ebr` block RAMs of 18 kbit; `multipliers` of 18 x 18 bits."""

    name: str
    luts: int
    ebr: int
    multipliers: int

    @property
    def ffs(self) -> int:
        """Flip-flops: one beside each LUT4."""
        return self.luts

    @property
    def memory_bits(self) -> int:
        """Bits of all its block RAMs and LUTs: more weights cannot be stored."""
        return self.ebr * EBR_BITS + self.luts * LUT_BITS


# The 12F is sold as half of what it is: it has the 25F's die, and nextpnr places on all of it. So it counts as a 25F.
_DIES = {"12F": (24_288, 56, 28), "25F": (24_288, 56, 28), "45F": (43_848, 108, 72), "85F": (83_640, 208, 156)}
_SERIES = {"LFE5U": ("12F", "25F", "45F", "85F"), "LFE5UM": ("25F", "45F", "85F"), "LFE5UM5G": ("25F", "45F", "85F")}

DEVICES: dict[str, Device] = {
    f"{series}-{size}": Device(f"{series}-{size}", *_DIES[size]) for series, sizes in _SERIES.items() for size in sizes
}
"""The devices by name, such as LFE5U-85F; UM parts have transceivers, UM5G parts faster ones."""

IDCODES = {
    "LFE5U-12F": 0x21111043, "LFE5U-25F": 0x41111043, "LFE5U-45F": 0x41112043, "LFE5U-85F": 0x41113043,
    "LFE5UM-25F": 0x01111043, "LFE5UM-45F": 0x01112043, "LFE5UM-85F": 0x01113043,
    "LFE5UM5G-25F": 0x81111043, "LFE5UM5G-45F": 0x81112043, "LFE5UM5G-85F": 0x81113043,
}  # fmt: skip
"""What the devices call themselves over JTAG. Source: Lattice FPGA-TN-02039, ECP5 and ECP5-5G sysCONFIG Usage Guide."""


def get_device(name: str) -> Device:
    """The device of this name. Raises ValueError for an unknown one; the message lists the names, look-alikes first."""
    if name in DEVICES:
        return DEVICES[name]
    close = difflib.get_close_matches(name, DEVICES, n=3, cutoff=0.5)
    others = [other for other in DEVICES if other not in close]
    raise ValueError(f"device={name!r} is unknown; the devices are {', '.join(close + others)}")
