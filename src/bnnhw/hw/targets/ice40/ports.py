"""The ports of a netlist that is placed by itself: nextpnr-ice40 has pads for all of them or refuses."""

from typing import Any

__all__ = ["hide_ports", "show_ports"]

_PLACED = "_LC"  # nextpnr's ending of the names of logic cells


def _lut_name(port: str, index: int) -> str:
    return f"$port${port}${index}"


def hide_ports(netlist: dict[str, Any]) -> None:
    """Puts a LUT in the place of each port's bit; its I0 is where an input comes in, or an output leaves.

    `netlist` is one of a single module by yosys' write_json, and is changed.
    """
    (module,) = netlist["modules"].values()
    numbers = [bit for wire in module["netnames"].values() for bit in wire["bits"] if isinstance(bit, int)]
    free = max(numbers, default=1) + 1
    for port, each in module["ports"].items():
        for index, bit in enumerate(each["bits"]):
            if isinstance(bit, str):  # a constant
                continue
            outside, free = (free, free + 1)
            ends = (outside, bit) if each["direction"] == "input" else (bit, outside)
            name = _lut_name(port, index)
            module["cells"][name] = {
                "hide_name": 0,
                "type": "SB_LUT4",
                "parameters": {"LUT_INIT": f"{0b10:016b}"},
                "attributes": {},
                "port_directions": {"I0": "input", "O": "output"},
                "connections": {"I0": [ends[0]], "O": [ends[1]]},
            }
            module["netnames"][f"{name}$outside"] = {"hide_name": 0, "bits": [outside], "attributes": {}}
    module["ports"] = {}


def show_ports(placed: dict[str, Any], netlist: dict[str, Any]) -> None:
    """Gives the placed netlist, where the LUTs of `hide_ports` are, the ports that `netlist` had."""
    (module,), (before,) = placed["modules"].values(), netlist["modules"].values()

    def placed_bit(port: str, index: int, bit: int | str) -> int | str:
        return (
            bit if isinstance(bit, str) else module["cells"][_lut_name(port, index) + _PLACED]["connections"]["I0"][0]
        )

    module["ports"] = {
        port: {**each, "bits": [placed_bit(port, *numbered) for numbered in enumerate(each["bits"])]}
        for port, each in before["ports"].items()
    }
