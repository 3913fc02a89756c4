"""TRELLIS_COMB, the half of a slice that nextpnr-ecp5 places, as simple cells."""

from collections.abc import Callable

from bnnhw.sim.errors import SimulationError
from bnnhw.sim.netlist.gates import Cell

__all__ = ["expand_comb"]


def expand_comb(cell: Cell, new_bit: Callable[[], int]) -> list[Cell]:
    """F is a LUT4 (MODE "LOGIC"), half a CCU2C ("CCU2") or a bit of distributed RAM ("DPRAM"); OFX joins LUTs.

    An open input of a LUT is 1, as in the device.
    """
    parts: list[Cell] = []

    def emit(kind: str, ports: dict[str, list[int]], **parameters: int) -> None:
        parts.append(Cell(f"{cell.name}.{len(parts)}", kind, ports, {"A_SIGNED": 0, "B_SIGNED": 0, **parameters}))

    def pin(name: str, default: int = 0) -> int:
        return next(iter(cell.ports.get(name, ())), default)

    inputs = {name: [pin(name, 1)] for name in "ABCD"}
    init = cell.parameters.get("INITVAL", 0)
    f = pin("F") or new_bit()
    match cell.texts.get("MODE", "LOGIC"):
        case "LOGIC":
            emit("LUT4", {**inputs, "Z": [f]}, INIT=init)
        case "CCU2":
            plain = cell.texts.get("CCU2_INJECT1") != "YES"
            propagate, generate = new_bit(), new_bit()
            emit("LUT4", {**inputs, "Z": [propagate]}, INIT=init)
            emit("LUT4", {"A": inputs["A"], "B": inputs["B"], "Z": [generate]}, INIT=init & 15 if plain else 0)
            emit("$xor", {"A": [propagate], "B": [pin("FCI") if plain else 0], "Y": [f]})
            carry = {"A": [generate], "B": [pin("FCI")], "S": [propagate]}
            emit("$mux", {**carry, "Y": [pin("FCO") or new_bit()]})
        case "DPRAM":
            enable = _written(cell, pin("WRE", 1))
            if enable is None:
                enable = new_bit()
                emit("$not", {"A": [pin("WRE", 1)], "Y": [enable]})
            memory = {
                "RD_ADDR": [inputs[name][0] for name in "DBCA"],
                "RD_DATA": [f],
                "WR_CLK": [pin("WCK")],
                "WR_ADDR": [pin(f"WAD{n}") for n in range(4)],
                "WR_DATA": [pin("WD")],
                "WR_EN": [enable],
            }
            sizes = {"WIDTH": 1, "SIZE": 16, "OFFSET": 0, "ABITS": 4, "RD_PORTS": 1, "WR_PORTS": 1}
            rising = cell.texts.get("WCKMUX") != "INV"
            emit("$mem_v2", memory, **sizes, INIT=init, WR_CLK_POLARITY=int(rising))
        case "RAMW_BLOCK":
            return []  # its half slice wires the write port of distributed RAM
        case mode:
            raise SimulationError(f"{cell.name}: MODE={mode!r} of {cell.type} has no simulation model")
    if pin("OFX"):
        first, second = (pin("FXA"), pin("FXB")) if cell.parameters.get("IS_Z1") else (f, pin("F1"))
        emit("$mux", {"A": [first], "B": [second], "S": [pin("M")], "Y": [pin("OFX")]})
    return parts


def _written(cell: Cell, enable: int) -> int | None:
    """The write enable; None where it has to be inverted."""
    match cell.texts.get("WREMUX", "WRE"):
        case "0" | "1" as level:
            return int(level)
        case "INV":
            return None
        case _:
            return enable
