"""A PLL's pad in a netlist."""

from typing import Any

from bnnhw.hw.targets.ice40.pads import plain_pll_pads


def pad(pin: int, clock: int) -> dict[str, Any]:
    return {
        "type": "SB_GB_IO",
        "connections": {"PACKAGE_PIN": [pin], "GLOBAL_BUFFER_OUTPUT": [clock]},
        "port_directions": {"PACKAGE_PIN": "inout", "GLOBAL_BUFFER_OUTPUT": "output"},
    }


def test_only_the_pad_of_a_pll_becomes_a_plain_one():
    pll = {"type": "SB_PLL40_PAD", "connections": {"PACKAGEPIN": [5]}, "port_directions": {"PACKAGEPIN": "input"}}
    module = {"cells": {"own": pad(2, 5), "other": pad(3, 6), "pll": pll}}
    plain_pll_pads(module)
    assert module["cells"] == {
        "own": {
            "type": "SB_IO",
            "connections": {"PACKAGE_PIN": [2], "D_IN_0": [5]},
            "port_directions": {"PACKAGE_PIN": "inout", "D_IN_0": "output"},
        },
        "other": pad(3, 6),
        "pll": pll,
    }
