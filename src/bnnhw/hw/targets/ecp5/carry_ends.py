"""Open ends of carry chains: nextpnr-ecp5 adds no cells to a chain whose first CIN and last COUT have no net.

It puts a carry cell in front of a chain whose CIN has a net, be it a constant, and one behind a chain whose COUT has
one, be it read or not; each is as large as two LUT4. Yosys ties every CIN and names every COUT.
"""

from itertools import product
from typing import Any

__all__ = ["open_carry_ends"]

_OPEN = ["x"]
"""No net. nextpnr does not read a CCU2C without the port itself; yosys refuses an output that is connected so."""


def open_carry_ends(module: dict[str, Any]) -> None:
    """Disconnects each COUT that nothing reads and each constant CIN that does not matter, in all CCU2C of `module`.

    `module` is one of a netlist by yosys' write_json, and is changed. A CIN does not matter where nothing reads S0 and
    the first half passes no carry on: its LUT4 is 0 for whatever its inputs are, as in a spacer of carry_chains.py.
    """
    cells = [cell for cell in module["cells"].values() if cell["type"] == "CCU2C"]
    read = {bit for port in module["ports"].values() for bit in port["bits"]}
    for cell in module["cells"].values():
        directions = cell["port_directions"]
        read.update(bit for port, bits in cell["connections"].items() if directions[port] != "output" for bit in bits)
    for cell in cells:
        ports = cell["connections"]
        if read.isdisjoint(ports.get("COUT", ())):
            ports["COUT"] = _OPEN
        if ports["CIN"][0] in ("0", "1") and read.isdisjoint(ports.get("S0", ())) and _first_half_is_zero(cell):
            ports["CIN"] = _OPEN


def _first_half_is_zero(cell: dict[str, Any]) -> bool:
    """Whether INIT0[A + 2 B + 4 C + 8 D] is 0 for all values of the inputs that are not constant."""
    init = int(cell["parameters"]["INIT0"], 2)
    inputs = [cell["connections"][f"{pin}0"][0] for pin in "ABCD"]
    choices = [(int(bit),) if bit in ("0", "1") else (0, 1) for bit in inputs]
    return not any(init >> sum(bit << n for n, bit in enumerate(values)) & 1 for values in product(*choices))
