"""What the chips of the ECP5 family hold.

Sources: Lattice FPGA-DS-02012, ECP5 and ECP5-5G Family Data Sheet, table 1.1; of the IDCODEs Lattice FPGA-TN-02039,
ECP5 and ECP5-5G sysCONFIG Usage Guide.
"""

from bnnhw.hw.targets.device import Device

from .target import ECP5

__all__ = ["DEVICES"]

# The 12F is sold as half of what it is: it has the 25F's die, and nextpnr places on all of it. So it counts as a 25F.
_DIES = {"12F": (24_288, 56, 28), "25F": (24_288, 56, 28), "45F": (43_848, 108, 72), "85F": (83_640, 208, 156)}
_IDCODES = {
    "LFE5U-12F": 0x21111043, "LFE5U-25F": 0x41111043, "LFE5U-45F": 0x41112043, "LFE5U-85F": 0x41113043,
    "LFE5UM-25F": 0x01111043, "LFE5UM-45F": 0x01112043, "LFE5UM-85F": 0x01113043,
    "LFE5UM5G-25F": 0x81111043, "LFE5UM5G-45F": 0x81112043, "LFE5UM5G-85F": 0x81113043,
}  # fmt: skip

DEVICES: dict[str, Device] = {
    name: Device(name, *_DIES[name.partition("-")[2]], target=ECP5, idcode=idcode) for name, idcode in _IDCODES.items()
}
"""The devices by name, such as LFE5U-85F; UM parts have transceivers, UM5G parts faster ones."""
