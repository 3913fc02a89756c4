"""The LUT and the carry cell of the ECP5 as gates.

Tests: tests/sim/netlist/ecp5/test_slices.py
"""

from bnnhw.sim.netlist.cells import emit_lut
from bnnhw.sim.netlist.gates import BUFFER, MUX, XOR, Cell, Gates

__all__ = ["emit_carry_cell", "emit_lut4"]


def _pin(cell: Cell, name: str) -> int:
    """The bit at an input; an open one is 0."""
    return next(iter(cell.ports.get(name, ())), 0)


def emit_lut4(gates: Gates, cell: Cell) -> None:
    """ECP5's LUT4: INIT[A + 2 B + 4 C + 8 D]; an open input is 0."""
    inputs = [_pin(cell, name) for name in "ABCD"]
    emit_lut(gates, inputs, cell.parameters["INIT"], cell.ports["Z"][0])


def emit_carry_cell(gates: Gates, cell: Cell) -> None:
    """ECP5's CCU2C: for each half, p = LUT4 and g = INIT[A + 2 B]; S = p ^ carry, next carry = p ? carry : g.

    INJECT1="YES" holds the half's carry of S, and g, at 0.
    """
    ports = cell.ports
    carry = _pin(cell, "CIN")
    for half in "01":
        inputs = [_pin(cell, name + half) for name in "ABCD"]
        init = cell.parameters[f"INIT{half}"]
        plain = cell.texts.get(f"INJECT1_{half}", "YES") != "YES"
        propagate, generate = gates.new_bit(), gates.new_bit()
        emit_lut(gates, inputs, init, propagate)
        emit_lut(gates, inputs[:2], init & 15 if plain else 0, generate)
        if ports.get(f"S{half}"):
            gates.add(XOR, propagate, carry if plain else 0, output=ports[f"S{half}"][0])
        carry = gates.add(MUX, generate, carry, propagate)
    if ports.get("COUT"):
        gates.add(BUFFER, carry, output=ports["COUT"][0])
