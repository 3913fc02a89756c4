"""Where a core stands still: the units that hold beats up when none moves any more.

Tests: tests/sim/batch/test_simulator.py
"""

import re

import numpy as np

from .engine import Engine
from .program import Program

__all__ = ["units_that_hold_up"]

_HANDSHAKE = re.compile(r"(\w+)\.([io])__(valid|ready)")


def units_that_hold_up(program: Program, engine: Engine, *, cycles: int) -> list[str]:
    """The units of lane 0 that are offered a beat, do not take it, and offer none, in the last of `cycles` cycles.

    program : with all of its signals
    engine : with a job of it that has just begun
    """
    handshakes = {
        match.groups(): nets[0] for name, nets in program.signals.items() if (match := _HANDSHAKE.fullmatch(name))
    }
    if not handshakes:
        return []
    engine.advance(cycles - 1)
    _, trace = engine.advance(1, traced=np.array(list(handshakes.values()), np.int32))
    values = dict(zip(handshakes, trace[-1].tolist(), strict=True))
    units = dict.fromkeys(unit for unit, _, _ in handshakes)
    stuck = {("i", "valid"): 1, ("i", "ready"): 0, ("o", "valid"): 0}
    return [unit for unit in units if all(values.get((unit, *port)) == value for port, value in stuck.items())]
