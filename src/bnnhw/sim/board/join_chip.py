"""A board's netlist and that of the memory chip at its pins as one.

Tests: tests/sim/board/test_join_chip.py
"""

from dataclasses import replace

import numpy as np

from bnnhw.sim.batch.program import Program
from bnnhw.sim.errors import SimulationError
from bnnhw.sim.netlist.gates import Cell
from bnnhw.sim.netlist.netlist import Netlist

__all__ = ["BUSY", "FAULTS", "join_chip", "with_words"]

FAULTS = "faults"
"""The output that tells the chip's faults."""

BUSY = "busy"
"""The output that tells whether the board works."""

_PINS = ("clk_en", "cs", "ras", "cas", "we", "ba", "a", "dqm")
_DATA = "dq"


def join_chip(board: Netlist, chip: Netlist, *, resource: str, busy: str) -> Netlist:
    """The board with a `ChipAtPads` at the pins of its resource, all in the board's clock.

    The ports that lead to the chip are ports no more; its faults, and the board's signal `busy`, are outputs. Where
    neither drives a pin of the data, it is 0. The chip's memory has a word; `with_words` gives it more.

    Raises SimulationError where the board has not the chip's pins.
    """
    ports = {**board.inputs, **board.outputs}
    names = {pin: f"{resource}__{pin}__io" for pin in (*_PINS, _DATA)}
    if missing := sorted(name for name in names.values() if name not in ports):
        raise SimulationError(f"the design has no pins {missing}, where its memory chip is; build it again")
    pins = {pin: ports[name] for pin, name in names.items()}
    drivers = {cell.ports["Y"][0]: cell for cell in board.cells if cell.type == "$tribuf"}
    clock = next(cell.ports["CLK"] for cell in board.cells if "CLK" in cell.ports)
    met = {"clk": clock, **{pin: pins[pin] for pin in _PINS}}
    met["dq_o"] = [drivers[bit].ports["A"][0] for bit in pins[_DATA]]
    met["dq_oe"] = drivers[pins[_DATA][0]].ports["EN"]
    first = 1 + max(
        *(bit for cell in board.cells for bits in cell.ports.values() for bit in bits),
        *(bit for bits in ports.values() for bit in bits),
    )
    of_chip = {bit: met[name][n] for name, bits in chip.inputs.items() if name in met for n, bit in enumerate(bits)}
    of_chip |= dict(zip(chip.outputs["dq_i"], pins[_DATA], strict=True))

    def moved(bits: list[int]) -> list[int]:
        return [bit if bit <= 1 else of_chip.get(bit, first + bit) for bit in bits]

    cells = [cell for cell in board.cells if cell.type != "$tribuf"]
    cells += [
        replace(cell, name=f"chip.{cell.name}", ports={port: moved(bits) for port, bits in cell.ports.items()})
        for cell in chip.cells
    ]
    cells.append(_memory_of({name: moved(bits) for name, bits in {**chip.inputs, **chip.outputs}.items()}, clock))
    outer = set(names.values())
    return Netlist(
        inputs={name: bits for name, bits in board.inputs.items() if name not in outer},
        outputs={name: bits for name, bits in board.outputs.items() if name not in outer}
        | {FAULTS: moved(chip.outputs[FAULTS]), BUSY: board.signals[busy]},
        cells=cells,
        signals=board.signals | {f"chip.{name}": moved(bits) for name, bits in chip.signals.items()},
        initial=board.initial | {moved([bit])[0]: value for bit, value in chip.initial.items()},
    )


def _memory_of(chip: dict[str, list[int]], clock: list[int]) -> Cell:
    """The chip's memory, behind its ports."""
    address, width = chip["address"], len(chip["read_data"])
    ports = {
        "RD_ADDR": address,
        "RD_DATA": chip["read_data"],
        "WR_CLK": clock,
        "WR_ADDR": address,
        "WR_DATA": chip["write_data"],
        "WR_EN": chip["write"] * width,
    }
    sizes = {"WIDTH": width, "SIZE": 1, "OFFSET": 0, "ABITS": len(address), "INIT": 0}
    return Cell("chip.memory", "$mem_v2", ports, {**sizes, "RD_PORTS": 1, "WR_PORTS": 1, "WR_CLK_POLARITY": 1})


def with_words(program: Program, words: int) -> Program:
    """The program of a joined netlist with so many words in its chip, from address 0 on; the others are 0 for ever."""
    *others, chip = program.memories
    return replace(program, memories=[*others, replace(chip, rows=np.zeros((words, 1), np.uint64))])
