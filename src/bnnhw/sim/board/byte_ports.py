"""A board's netlist with bytes in the place of its link's port.

Tests: tests/sim/board/test_byte_engine.py
"""

from collections.abc import Sequence
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


def with_byte_ports(board: Netlist, *, top: str, others: Sequence[str] = ()) -> Netlist:
    """The netlist without its link's port: what that brought is an input, and what it took an output.

    top: the module that is a `bnnhw.hw.top.Top`, whose port was left a cell of the netlist. others: those that go with
    it. Raises SimulationError where there is no such cell.
    """
    port, link = f"{top}.port", f"{top}.link".removeprefix("top.")
    removed = [cell for cell in board.cells if cell.type in (port, *others)]
    found = next((cell.ports for cell in removed if cell.type == port), None)
    if found is None:
        raise SimulationError(f"the design has no {port}, the port of its link")
    constants = {found["sent__ready"][0]: 1}
    constants |= dict.fromkeys(found.get("damaged", ()), 0)

    def known(bits: list[int]) -> list[int]:
        return [constants.get(bit, bit) for bit in bits]

    pins = {bit for cell in removed for bits in cell.ports.values() for bit in bits if bit > 1}
    return Netlist(
        inputs={**board.inputs, BYTE: found["received__payload"], BYTE_VALID: found["received__valid"]},
        outputs={
            **{name: bits for name, bits in board.outputs.items() if not pins & set(bits)},
            BYTE_READY: known(board.signals[f"{link}.received__ready"]),
            SAYS: known(board.signals[f"{link}.sent__payload"]),
            SAYS_VALID: known(board.signals[f"{link}.sent__valid"]),
        },
        cells=[
            replace(cell, ports={name: known(bits) for name, bits in cell.ports.items()})
            for cell in board.cells
            if cell not in removed
        ],
        signals=board.signals,
        initial=board.initial,
    )
