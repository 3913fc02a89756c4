"""A board's netlist with bytes in the place of its link's port.

Tests: tests/sim/board/test_byte_engine.py
"""

from dataclasses import replace

from bnnhw.sim.errors import SimulationError
from bnnhw.sim.netlist.netlist import Netlist

__all__ = ["BYTE", "BYTE_READY", "BYTE_VALID", "SAYS", "SAYS_VALID", "with_byte_ports"]

BYTE, BYTE_VALID = "byte", "byte_valid"
"""Inputs: what the link is offered, in the cycles in which it is valid."""
BYTE_READY = "byte_ready"
"""Output: it is taken."""
SAYS, SAYS_VALID = "says", "says_valid"
"""Outputs: what the link says; it is taken at once."""
_INVERTERS = ("$not", "$logic_not")


def with_byte_ports(board: Netlist, *, top: str = "", pads: str | None = None) -> Netlist:
    """The netlist without its link's port: what that brought is an input, and what it took an output.

    top: the module's name of a `bnnhw.hw.top.Top`, such as "component". pads: of what stands between port and pins.
    Raises SimulationError where there is no such top.
    """
    link, port = (f"{top}.{name}" if top else name for name in ("link", "port"))
    try:
        byte, says = (board.signals[f"{link}.{name}__payload"] for name in ("received", "sent"))
        valid, says_valid = (board.signals[f"{link}.{name}__valid"] for name in ("received", "sent"))
        ready, (says_ready,) = (board.signals[f"{link}.{name}__ready"] for name in ("received", "sent"))
        (damaged,) = board.signals[f"{link}.damaged"]
    except KeyError as missing:
        raise SimulationError(f"the design has no {missing.args[0]}, a part of its link") from missing
    constants = {damaged: 0, says_ready: 1}
    inverted = (cell.ports for cell in board.cells if cell.type in _INVERTERS)
    constants |= {ports["A"][0]: 0 for ports in inverted if ports["Y"] == [says_ready]}  # yosys may have taken that

    def known(bits: list[int]) -> list[int]:
        return [constants.get(bit, bit) for bit in bits]

    names = [port] if pads is None else [port, pads]
    modules = tuple("$flatten\\" + name.replace(".", ".\\") + "." for name in names)
    removed = {
        bit
        for cell in board.cells
        if cell.name.startswith(modules)
        for port in ("Q", "Y")
        for bit in cell.ports.get(port, ())
    }.difference(byte, valid, constants)
    cells = [
        replace(cell, ports={port: known(bits) for port, bits in cell.ports.items()})
        for cell in board.cells
        if not cell.name.startswith(modules)
    ]
    if any(bit in removed for cell in cells for bits in cell.ports.values() for bit in bits):
        raise SimulationError(f"the design has parts of {port} elsewhere; build it again")
    return Netlist(
        inputs={**board.inputs, BYTE: byte, BYTE_VALID: valid},
        outputs={name: bits for name, bits in board.outputs.items() if not removed & set(bits)}
        | {BYTE_READY: known(ready), SAYS: known(says), SAYS_VALID: known(says_valid)},
        cells=cells,
        signals=board.signals,
        initial=board.initial,
    )
