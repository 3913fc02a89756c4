"""A board's netlist with bytes in the place of its UART.

Tests: tests/sim/board/test_byte_engine.py
"""

from dataclasses import replace

from bnnhw.sim.errors import SimulationError
from bnnhw.sim.netlist.netlist import Netlist

__all__ = ["BYTE", "BYTE_VALID", "SAYS", "SAYS_VALID", "with_byte_ports"]

BYTE, BYTE_VALID = "byte", "byte_valid"
"""Inputs: what the link hears, in the cycle in which it is valid."""
SAYS, SAYS_VALID = "says", "says_valid"
"""Outputs: what it says; it is taken at once."""


def with_byte_ports(board: Netlist, *, link: str) -> Netlist:
    """The netlist without its link's UART: what that received is an input, and what it sent an output.

    link: the signals' name of a `bnnhw.hw.link.Link`, such as "component.link". Raises SimulationError where there is
    no such link.
    """
    receiver, transmitter = f"{link}.uart_receiver", f"{link}.uart_transmitter"
    try:
        byte, valid, (error,) = (board.signals[f"{receiver}.{name}"] for name in ("data", "valid", "framing_error"))
        says, says_valid = (board.signals[f"{transmitter}.i__{name}"] for name in ("payload", "valid"))
        (ready,), (waiting,) = (board.signals[f"{transmitter}.{name}"] for name in ("i__ready", "waiting"))
    except KeyError as missing:
        raise SimulationError(f"the design has no {missing.args[0]}, a part of the UART of its link") from missing
    constants = {error: 0, ready: 1, waiting: 0}

    def known(bits: list[int]) -> list[int]:
        return [constants.get(bit, bit) for bit in bits]

    modules = tuple("$flatten\\" + module.replace(".", ".\\") + "." for module in (receiver, transmitter))
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
        raise SimulationError(f"the design has parts of the UART of {link} elsewhere; build it again")
    return Netlist(
        inputs={**board.inputs, BYTE: byte, BYTE_VALID: valid},
        outputs={name: bits for name, bits in board.outputs.items() if not removed & set(bits)}
        | {SAYS: known(says), SAYS_VALID: known(says_valid)},
        cells=cells,
        signals=board.signals,
        initial=board.initial,
    )
