"""Where a core stands still: the units that hold beats up when none moves any more.

Tests: tests/sim/batch/test_simulator.py
"""

import re
from collections.abc import Mapping

import numpy as np

from .engine import Engine
from .program import Program

__all__ = ["units_that_hold_up"]

_HANDSHAKE = re.compile(r"(\w+)\.([io]\d*)__(valid|ready)")


def units_that_hold_up(program: Program, engine: Engine, *, cycles: int) -> list[str]:
    """The units of lane 0 that are offered a beat, do not take it, and offer none, in the last of `cycles` cycles. A
    join that waits for another input is one of them.

    program : with all of its signals
    engine : with a job of it that has just begun
    """
    handshakes = {
        (match[1], match[2], match[3]): nets[0]
        for name, nets in program.signals.items()
        if (match := _HANDSHAKE.fullmatch(name))
    }
    if not handshakes:
        return []
    engine.advance(cycles - 1)
    _, trace = engine.advance(1, traced=np.array(list(handshakes.values()), np.int32))
    values = dict(zip(handshakes, trace[-1].tolist(), strict=True))
    held: dict[str, bool] = {}
    for (unit, port, signal), value in values.items():
        if signal == "valid" and port.startswith("o"):
            held[unit] = held.get(unit, True) and not value
    return [unit for unit in held if held[unit] and _is_offered(unit, values)]


def _is_offered(unit: str, values: Mapping[tuple[str, str, str], int]) -> bool:
    """Whether one of the unit's inputs is offered a beat that it does not take."""
    inputs = [port for other, port, signal in values if other == unit and signal == "valid" and port.startswith("i")]
    return any(values[unit, port, "valid"] and not values.get((unit, port, "ready"), 1) for port in inputs)
