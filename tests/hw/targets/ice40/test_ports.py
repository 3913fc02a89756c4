"""Ports that are LUTs while a netlist is placed; with nextpnr: tests/sim/netlist/ice40/test_logic.py."""

from copy import deepcopy
from typing import Any

from bnnhw.hw.targets.ice40.ports import hide_ports, show_ports


def netlist() -> dict[str, Any]:
    ports = {"a": {"direction": "input", "bits": [2, 3]}, "o": {"direction": "output", "bits": [7, "1", 2]}}
    wires = {"a": {"bits": [2, 3]}, "b": {"bits": [7, "0"]}}
    return {"modules": {"top": {"ports": ports, "cells": {}, "netnames": wires}}}


def test_every_bit_of_a_port_is_at_a_lut():
    hidden = netlist()
    hide_ports(hidden)
    module = hidden["modules"]["top"]
    assert module["ports"] == {}
    ends = {name: each["connections"] for name, each in module["cells"].items()}
    assert ends == {
        "$port$a$0": {"I0": [8], "O": [2]},
        "$port$a$1": {"I0": [9], "O": [3]},
        "$port$o$0": {"I0": [7], "O": [10]},
        "$port$o$2": {"I0": [2], "O": [11]},
    }
    assert {each["parameters"]["LUT_INIT"] for each in module["cells"].values()} == {"0000000000000010"}


def test_ports_come_back_where_the_luts_are():
    placed = deepcopy(netlist())
    hide_ports(placed)
    cells = placed["modules"]["top"]["cells"]
    placed["modules"]["top"]["cells"] = {
        f"{name}_LC": {"connections": {"I0": [100 + cell["connections"]["I0"][0]]}} for name, cell in cells.items()
    }
    show_ports(placed, netlist())
    assert placed["modules"]["top"]["ports"] == {
        "a": {"direction": "input", "bits": [108, 109]},
        "o": {"direction": "output", "bits": [107, "1", 102]},
    }
