"""A board's netlist and those of the chips at its pins as one.

Tests: tests/sim/board/test_join_chip.py
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bnnhw.sim.batch.program import Program
from bnnhw.sim.errors import SimulationError
from bnnhw.sim.netlist.gates import Cell
from bnnhw.sim.netlist.netlist import Netlist

__all__ = ["BUSY", "FAULTS", "FLASH_FAULTS", "join_chip", "join_flash", "with_rows"]

FAULTS, FLASH_FAULTS = "faults", "flash_faults"
"""The outputs that tell the faults of the memory chip and of the flash."""

BUSY = "busy"
"""The output that tells whether the board works."""

_PINS = ("clk_en", "cs", "ras", "cas", "we", "ba", "a", "dqm")
_DATA = "dq"
_FLASH_PINS = ("cs", "copi", "wp", "hold", "cipo")


def join_chip(board: Netlist, chip: Netlist, *, resource: str, busy: str) -> Netlist:
    """The board with a `ChipAtPads` at the pins of its resource, all in the board's clock.

    The ports that lead to the chip are ports no more; its faults, and the board's signal `busy`, are outputs. Where
    neither drives a pin of the data, it is 0. The chip's memory has a word; `with_rows` gives it more.

    Raises SimulationError where the board has not the chip's pins.
    """
    pins = _pins(board, resource, (*_PINS, _DATA), what="memory chip")
    drivers = {cell.ports["Y"][0]: cell for cell in board.cells if cell.type == "$tribuf"}
    met = {pin: pins[pin] for pin in _PINS} | {"dq_i": pins[_DATA]}
    met["dq_o"] = [drivers[bit].ports["A"][0] for bit in pins[_DATA]]
    met["dq_oe"] = drivers[pins[_DATA][0]].ports["EN"]
    driven = replace(board, cells=[cell for cell in board.cells if cell.type != "$tribuf"])
    joined = _joined(driven, chip, met, name="chip", faults=FAULTS, resource=resource)
    return replace(joined, outputs=joined.outputs | {BUSY: board.signals[busy]})


def join_flash(board: Netlist, flash: Netlist, *, resource: str, clock: str) -> Netlist:
    """The board with a `FlashAtPads` at the pins of its resource; the flash's clock is the board's signal of that name.

    Its faults are an output. Its memory has a byte, as that of `join_chip` has a word.

    Raises SimulationError where the board has not the flash's pins.
    """
    pins = _pins(board, resource, _FLASH_PINS, what="flash")
    met = pins | {"sck": board.signals[clock]}
    return _joined(board, flash, met, name="flash", faults=FLASH_FAULTS, resource=resource)


def _pins(board: Netlist, resource: str, names: tuple[str, ...], *, what: str) -> dict[str, list[int]]:
    ports = {**board.inputs, **board.outputs}
    full = {pin: f"{resource}__{pin}__io" for pin in names}
    if missing := sorted(name for name in full.values() if name not in ports):
        raise SimulationError(f"the design has no pins {missing}, where its {what} is; build it again")
    return {pin: ports[name] for pin, name in full.items()}


def _joined(
    board: Netlist, model: Netlist, met: dict[str, list[int]], *, name: str, faults: str, resource: str
) -> Netlist:
    """The board with a model whose ports meet these bits of it, and the model's memory."""
    clock = next(cell.ports["CLK"] for cell in board.cells if "CLK" in cell.ports)
    ports = {**model.inputs, **model.outputs}
    first = 1 + max(
        *(bit for cell in board.cells for bits in cell.ports.values() for bit in bits),
        *(bit for bits in (*board.inputs.values(), *board.outputs.values()) for bit in bits),
    )
    of_board = {
        bit: bits[n] for port, bits in (met | {"clk": clock}).items() for n, bit in enumerate(ports.get(port, ()))
    }

    def moved(bits: list[int]) -> list[int]:
        return [bit if bit <= 1 else of_board.get(bit, first + bit) for bit in bits]

    cells = [
        replace(cell, name=f"{name}.{cell.name}", ports={port: moved(bits) for port, bits in cell.ports.items()})
        for cell in model.cells
    ]
    memory = _memory_of(name, {port: moved(bits) for port, bits in ports.items()}, clock)
    ends = f"{resource}__"
    return Netlist(
        inputs={port: bits for port, bits in board.inputs.items() if not port.startswith(ends)},
        outputs={port: bits for port, bits in board.outputs.items() if not port.startswith(ends)}
        | {faults: moved(model.outputs["faults"])},
        cells=[*board.cells, *cells, memory],
        signals=board.signals | {f"{name}.{signal}": moved(bits) for signal, bits in model.signals.items()},
        initial=board.initial | {moved([bit])[0]: value for bit, value in model.initial.items()},
    )


def _memory_of(name: str, ports: dict[str, list[int]], clock: list[int]) -> Cell:
    """A model's memory, behind its ports."""
    address, width = ports["address"], len(ports["read_data"])
    cell = {"RD_ADDR": address, "RD_DATA": ports["read_data"]}
    if "write" in ports:
        enable = ports["write"] * width
        cell |= {"WR_CLK": clock, "WR_ADDR": address, "WR_DATA": ports["write_data"], "WR_EN": enable}
    sizes = {"WIDTH": width, "SIZE": 1, "OFFSET": 0, "ABITS": len(address), "INIT": 0}
    writes = {"WR_PORTS": int("write" in ports), "WR_CLK_POLARITY": 1}
    return Cell(f"{name}.memory", "$mem_v2", cell, {**sizes, "RD_PORTS": 1, **writes})


def with_rows(program: Program, rows: NDArray[np.uint64], *, width: int) -> Program:
    """The program of a joined netlist with rows (n, 1) of so many bits in its chip's memory, from address 0 on; the
    others are 0 for ever."""
    memories = list(program.memories)
    (chip,) = (n for n, each in enumerate(memories) if (each.width, len(each.rows)) == (width, 1))
    memories[chip] = replace(memories[chip], rows=rows)
    return replace(program, memories=memories)
