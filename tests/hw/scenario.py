"""`run_ports` for components with streams `i` and `o`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .ports import PATIENCE, run_ports


@dataclass(frozen=True)
class Trace:
    """What crossed the ports: cycle k is the one before clock edge k, counted from the reset."""

    outputs: list[int]
    input_cycles: list[int]
    output_cycles: list[int]


def run_scenario(
    dut: Any,
    beats: Sequence[int],
    *,
    outputs: int,
    seed: int = 0,
    stalls: tuple[float, float] = (0.3, 0.3),
    patience: int = PATIENCE,
    input_cycles: Sequence[int] | None = None,
) -> Trace:
    """Offers `beats` to `dut.i` and collects `outputs` beats from `dut.o`, with all checks of `run_ports`."""
    cycles = None if input_cycles is None else {"i": input_cycles}
    ports = run_ports(
        dut, {"i": beats}, {"o": outputs}, seed=seed, stalls=stalls, patience=patience, input_cycles=cycles
    )
    return Trace(ports["o"].beats, ports["i"].cycles, ports["o"].cycles)


def pack(values: Sequence[int], width: int) -> int:
    """The beat of `values`, `width` bits each, value 0 lowest."""
    beat = 0
    for position, value in enumerate(values):
        beat |= (int(value) & ((1 << width) - 1)) << (position * width)
    return beat


def unpack(beat: int, width: int, count: int) -> list[int]:
    """The `count` unsigned values of `width` bits in `beat`, value 0 lowest."""
    return [beat >> (position * width) & ((1 << width) - 1) for position in range(count)]
