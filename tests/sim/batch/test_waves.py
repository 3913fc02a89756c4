"""Waves of a core with forks and joins: each stream has its name in its unit's scope, and its beats in their cycles."""

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from vcd.reader import TokenKind, tokenize

from bnnhw.compiler.dataflow.timing import run_core
from bnnhw.hw.stream.connections import OUTSIDE
from bnnhw.sim.batch.simulator import BatchSimulator
from bnnhw.sim.batch.waves import CYCLE_NS, Waves
from bnnhw.sim.ladder.rungs import frames_of
from tests.core_rtl import folded
from tests.graphs.sketches import GRAPHS, Sketch


def signals_of(path: Path, cycles: int) -> dict[str, list[int]]:
    """The values of the core's own signals and of its units', cycle by cycle, by scope and name."""
    names: dict[str, str] = {}
    changes = defaultdict[str, dict[int, int]](dict)
    scope, time = list[str](), 0
    with path.open("rb") as file:
        for token in tokenize(file):
            match token.kind:
                case TokenKind.SCOPE:
                    scope.append(token.scope.ident)
                case TokenKind.UPSCOPE:
                    scope.pop()
                case TokenKind.VAR:
                    names[token.var.id_code] = ".".join([*scope[1:], token.var.reference])
                case TokenKind.CHANGE_TIME:
                    time = token.time_change
                case TokenKind.CHANGE_SCALAR:
                    change = token.scalar_change
                    changes[names[change.id_code]][time // CYCLE_NS] = int(change.value)
                case TokenKind.CHANGE_VECTOR:
                    change = token.vector_change
                    changes[names[change.id_code]][time // CYCLE_NS] = int(change.value)
    signals = {}
    for name, values in changes.items():
        if name.count(".") > 1:
            continue
        value, row = 0, []
        for cycle in range(cycles):
            value = values.get(cycle, value)
            row.append(value)
        signals[name] = row
    return signals


@pytest.mark.parametrize("name", ["dense_net", "residual"])
def test_every_stream_has_its_name_and_its_cycles(name: str, tmp_path: Path):
    sketch = Sketch(shape=(4, 4, 2))
    schedule = folded(sketch.graph(GRAPHS[name](sketch)), most=2, hardwired=False)
    images = np.random.default_rng(0).integers(0, 4, (3, *sketch.types["x"].shape))
    path, cycles, core = tmp_path / "waves.vcd", 2 * schedule.timing.latency, schedule.core()
    BatchSimulator(core).run(
        frames_of(schedule, images), output_beats=schedule.output_beats, lanes=1, waves=Waves(path, count=cycles)
    )
    signals = signals_of(path, cycles)
    ports = {f"{port}__{wire}" for port in "io" for wire in ("payload", "valid", "ready")}
    assert {signal for signal in signals if "." not in signal} == ports | {"clk", "rst"}

    def taken(scope: str, port: str) -> list[int]:
        """The cycles of a port's handshakes."""
        valid, ready = (signals[f"{scope}{port}__{wire}"] for wire in ("valid", "ready"))
        return [cycle for cycle in range(cycles) if valid[cycle] and ready[cycle]]

    scopes = {number: f"unit{number}_{called}." for number, called in enumerate(core.names)} | {OUTSIDE: ""}
    _, channels = run_core(schedule.dataflow)
    entry = next(channel for ((source, _), _), channel in channels.items() if source == OUTSIDE)
    late = taken("", "i")[0] - entry.takes[0]
    for ((source, output), (target, into)), channel in channels.items():
        found = taken(scopes[target], into)
        assert found == taken(scopes[source], output)
        assert len(found) > 5 or target == OUTSIDE
        given, got = (signals[f"{scopes[unit]}{port}__payload"] for unit, port in ((source, output), (target, into)))
        assert given == got
        both = min(len(found), len(channel.takes))
        assert found[:both] == [late + cycle for cycle in channel.takes[:both]]
