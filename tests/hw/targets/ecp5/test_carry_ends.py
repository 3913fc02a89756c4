"""Which ends of carry chains are opened, and that nextpnr then adds no cells."""

import pytest

from bnnhw.boards.toolchain.alone import route_alone
from bnnhw.hw.product.popcount import XnorPopcount
from bnnhw.hw.targets import get_device
from bnnhw.hw.targets.ecp5 import ECP5
from bnnhw.hw.targets.ecp5.carry_ends import open_carry_ends

SPACER = {"A0": "1", "B0": 2, "C0": "1", "D0": "1"}
"""The inputs of the first half of a chain whose carry input is net 2; INIT0 = 0x0005 makes LUT2 of it."""


def carry_cell(*, init0: int = 0x0005, cout: int | str = 9, s0: int | None = None, cin: int | str = "0", **inputs):
    """A CCU2C as write_json has it."""
    ports = {**SPACER, **inputs, "CIN": cin, "COUT": cout, **({} if s0 is None else {"S0": s0})}
    return {
        "type": "CCU2C",
        "parameters": {"INIT0": f"{init0:016b}"},
        "port_directions": {port: "output" if port in ("COUT", "S0") else "input" for port in ports},
        "connections": {port: [bit] for port, bit in ports.items()},
    }


@pytest.mark.parametrize(
    ("cell", "others", "ends"),
    [
        (carry_cell(), {}, ("x", "x")),
        (carry_cell(cin="1"), {}, ("x", "x")),
        (carry_cell(cin=5), {}, (5, "x")),  # inside a chain
        (carry_cell(), {"next": carry_cell(cin=9, cout=10)}, ("x", 9)),
        (carry_cell(cout=3), {}, ("x", 3)),  # an output of the module
        (carry_cell(s0=7), {}, ("x", "x")),  # a name that nothing reads
        (carry_cell(s0=7), {"next": carry_cell(A0=7)}, ("0", "x")),  # S0 is CIN
        (carry_cell(C0=4), {}, ("x", "x")),  # INIT0 is 0 wherever D0 is 1
        (carry_cell(init0=0x0A00, C0=4), {}, ("0", "x")),
        (carry_cell(init0=0x6666), {}, ("0", "x")),  # the lowest bit of a sum
    ],
)
def test_opens_what_does_not_matter(cell, others, ends):
    ports = {"clk": {"direction": "input", "bits": [2]}, "o": {"direction": "output", "bits": [3]}}
    open_carry_ends({"ports": ports, "cells": {"cell": cell, **others}})
    assert (cell["connections"]["CIN"], cell["connections"]["COUT"]) == ([ends[0]], [ends[1]])


@pytest.mark.toolchain
def test_nextpnr_adds_no_cells():
    routed = route_alone(XnorPopcount(inputs=7, target=ECP5), get_device("LFE5U-85F"), 1)
    assert routed.cells.carries == 4
    assert routed.cells.logic <= 2 * routed.cells.carries + 2  # and two constants
