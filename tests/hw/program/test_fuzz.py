"""Random programs of all kinds in hardware against their meaning; and faults, each of which this finds."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from bnnhw.hls.scheduling import delays, linear, reads
from bnnhw.hw.program import beat_loops, block_tables, drawing, lut_tables, pipeline

from .case import random_case

STALLS = [(0.0, 0.0), (0.3, 0.3), (0.0, 0.5)]
RESULTS = 8_500
"""Of each program."""


def fuzzed(seeds: range, results: int) -> int:
    """How many results are right; AssertionError names the first program with a wrong one."""
    found = 0
    for seed in seeds:
        case = random_case(seed)
        try:
            frames = -(-results // (case.beats * case.wiring.results))
            found += case.batch(frames=frames, seed=seed, stalls=STALLS[seed % 3])
        except Exception as error:
            raise AssertionError(f"{seed=}") from error
    return found


def test_random_programs():
    assert fuzzed(range(25), 500) >= 10_000


@pytest.mark.slow
@pytest.mark.parametrize("part", range(30))
def test_many_random_programs(part: int):
    """3,000 programs, 2 * 10^7 results."""
    found = fuzzed(range(1000 + 100 * part, 1100 + 100 * part), RESULTS)
    print(f"{found} results")
    assert found >= 640_000


FAULTS = {
    "a sign dropped": (drawing, "return bits.as_signed() if is_signed(span) else bits", "return bits"),
    "a register too few": (drawing, "self.at(number, stage - 1)", "self.at(number, stage - 2)"),
    "a shift without its sign": (drawing, "stage) >> distance", "stage).as_unsigned() >> distance"),
    "a state that does not begin anew": (drawing, "self.moves.advance & self.moves.ends[stage]", "Const(0)"),
    "a state that bubbles change": (drawing, "self.moves.advance & self.moves.beats[stage]", "self.moves.advance"),
    "a state that does not wait": (drawing, "self.moves.advance & self.moves.beats[stage]", "self.moves.beats[stage]"),
    "a choice the wrong way": (drawing, "Mux(condition, a, b)", "Mux(condition, b, a)"),
    "the next entry of a table": (lut_tables, "map(Const, entries))[index]", "map(Const, entries))[index + 1]"),
    "the other half of a table": (lut_tables, "if low == high:", "if True:"),
    "tables at each other's bits": (block_tables, "shift += width", "shift += width - 1"),
    "what is ahead at first": (drawing, "init=self.first[-stage][number]", "init=0"),
    "what is ahead moves without a beat": (drawing, "if stage > 0 else self.moves.step", ""),
    "counters that are not ahead": (beat_loops, "start=ahead % beats", "start=0"),
    "a block RAM that does not wait": (drawing, "read_enable.eq(self.moves.advance)", "read_enable.eq(1)"),
    "a multiplier that does not wait": (drawing, "multiplier.enable.eq(self.moves.advance)", "multiplier.enable.eq(1)"),
    "a factor too early": (reads, "ahead = cycles_of(each, ranged.spans[number])", "ahead = 0"),
    "signs compared as bits": (drawing, "Cat(a[:-1], b[-1]) >= Cat(b[:-1], a[-1])", "a >= b"),
    "a counter that goes on": (beat_loops, "m.If(step & self._ends[beats])", "m.If(0)"),
    "inputs the other way round": (pipeline, "reads[position]", "reads[-1 - position]"),
    "results too early": (pipeline, "o.valid.eq(leaving[latency])", "o.valid.eq(leaving[latency - 1])"),
    "results too early into the queue": (pipeline, "push.eq(leaving[latency])", "push.eq(leaving[latency - 1])"),
    "beats without a credit": (pipeline, "(Const(1, 1), step)", "(Const(1, 1), self.i.valid)"),
    "a term with the wrong sign": (linear, 'factor if each.op == "add" else -factor', "factor"),
    "offsets of too many bits": (delays, "hi < 2 * half", "hi < 4 * half"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_found(name: str, monkeypatch: pytest.MonkeyPatch):
    plant(monkeypatch, *FAULTS[name])
    with pytest.raises(AssertionError, match="seed="):
        fuzzed(range(100), 300)


def plant(monkeypatch: pytest.MonkeyPatch, module: ModuleType, right: str, wrong: str) -> None:
    """Puts a fault into a module, for all that use its functions and classes."""
    assert module.__file__
    source = Path(module.__file__).read_text()
    assert source.count(right) == 1
    faulty = ModuleType(module.__name__)
    faulty.__dict__.update(__package__=module.__package__, __file__=module.__file__)
    monkeypatch.setitem(sys.modules, module.__name__, faulty)  # where dataclasses look for their types
    exec(compile(source.replace(right, wrong), module.__file__, "exec"), faulty.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    made = {name: each for name, each in vars(module).items() if getattr(each, "__module__", None) == module.__name__}
    for user in [each for name, each in sys.modules.items() if name.startswith(("bnnhw.", "tests."))]:
        for name in [name for name, thing in vars(user).items() if made.get(name) is thing and name in made]:
            monkeypatch.setattr(user, name, faulty.__dict__[name])
