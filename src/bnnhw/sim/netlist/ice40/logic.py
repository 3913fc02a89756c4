"""The iCE40's LUT, its carry, and the logic cell that nextpnr-ice40 places, in simpler cells.

Tests: tests/sim/netlist/ice40/test_logic.py
"""

from collections.abc import Callable

from bnnhw.sim.netlist.cells import emit_lut
from bnnhw.sim.netlist.gates import MAJORITY, Cell, Gates

__all__ = ["emit_carry", "emit_lut4", "expand_logic_cell"]


def _pin(cell: Cell, name: str, default: int = 0) -> int:
    """The bit at an input."""
    return next(iter(cell.ports.get(name, ())), default)


def emit_lut4(gates: Gates, cell: Cell) -> None:
    """SB_LUT4: LUT_INIT[I0 + 2 I1 + 4 I2 + 8 I3]; an open input is 0."""
    inputs = [_pin(cell, f"I{n}") for n in range(4)]
    emit_lut(gates, inputs, cell.parameters["LUT_INIT"], cell.ports["O"][0])


def _depends(table: int, n: int) -> bool:
    """Whether a LUT of 4 inputs looks at input n."""
    return any((table >> index ^ table >> (index ^ 1 << n)) & 1 for index in range(16))


def emit_carry(gates: Gates, cell: Cell) -> None:
    """SB_CARRY: the majority of its inputs."""
    gates.add(MAJORITY, *(_pin(cell, name) for name in ("I0", "I1", "CI")), output=cell.ports["CO"][0])


def expand_logic_cell(cell: Cell, new_bit: Callable[[], int]) -> list[Cell]:
    """ICESTORM_LC: a LUT of I0..I3, a carry of I1, I2 and CIN, and a flip-flop behind the LUT.

    An open enable is 1, any other open input 0. CIN_CONST puts CIN_SET in the place of CIN.
    """
    parameters = cell.parameters
    parts: list[Cell] = []

    def emit(kind: str, ports: dict[str, list[int]], **values: int) -> None:
        parts.append(Cell(f"{cell.name}.{len(parts)}", kind, ports, {"A_SIGNED": 0, "B_SIGNED": 0, **values}))

    def mux(select: int, zero: int, one: int) -> int:
        bit = new_bit()
        emit("$mux", {"A": [zero], "B": [one], "S": [select], "Y": [bit]})
        return bit

    carry = parameters.get("CIN_SET", 0) if parameters.get("CIN_CONST") else _pin(cell, "CIN")
    if parameters.get("CARRY_ENABLE") and _pin(cell, "COUT"):
        emit("SB_CARRY", {"I0": [_pin(cell, "I1")], "I1": [_pin(cell, "I2")], "CI": [carry], "CO": cell.ports["COUT"]})
    output = _pin(cell, "O")
    kept = bool(parameters.get("DFF_ENABLE")) and output
    looked_up = new_bit() if kept or not output else output
    table = parameters.get("LUT_INIT", 0)
    # What the carry alone needs may depend on the LUT's own output.
    inputs = {f"I{n}": [_pin(cell, f"I{n}") if _depends(table, n) else 0] for n in range(4)}
    emit("SB_LUT4", {**inputs, "O": [looked_up]}, LUT_INIT=table)
    if _pin(cell, "LO"):
        emit("$pos", {"A": [looked_up], "Y": cell.ports["LO"]})
    if kept:
        reset, value = _pin(cell, "SR"), parameters.get("SET_NORESET", 0)
        following = mux(_pin(cell, "CEN", 1), output, looked_up)
        clock = {"CLK": [_pin(cell, "CLK")], "Q": [output]}
        polarity = int(not parameters.get("NEG_CLK"))
        if parameters.get("ASYNC_SR"):
            ports = {**clock, "D": [following], "ARST": [reset]}
            emit("$adff", ports, CLK_POLARITY=polarity, ARST_POLARITY=1, ARST_VALUE=value)
        else:
            # SB_DFFE with a synchronous reset resets only while it is enabled.
            reset_now = mux(reset, following, mux(_pin(cell, "CEN", 1), output, value))
            emit("$dff", {**clock, "D": [reset_now]}, CLK_POLARITY=polarity)
    return parts
