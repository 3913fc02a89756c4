"""The pad of a PLL, which nextpnr-ice40 takes as an SB_IO that leads nowhere else."""

from typing import Any

__all__ = ["plain_pll_pads"]


def plain_pll_pads(module: dict[str, Any]) -> None:
    """Makes an SB_IO of each SB_GB_IO, what Amaranth makes of a clock's pin, whose output is a PLL's PACKAGEPIN.

    `module` is one of a netlist by yosys' write_json, and is changed.
    """
    cells = module["cells"].values()
    pads = {bit for cell in cells for bit in cell["connections"].get("PACKAGEPIN", ())}
    for cell in cells:
        if cell["type"] == "SB_GB_IO" and pads.intersection(cell["connections"]["GLOBAL_BUFFER_OUTPUT"]):
            cell["type"] = "SB_IO"
            for ends in (cell["connections"], cell["port_directions"]):
                ends["D_IN_0"] = ends.pop("GLOBAL_BUFFER_OUTPUT")
