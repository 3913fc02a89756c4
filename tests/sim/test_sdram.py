"""The SDRAM controller in Icarus Verilog, its chip in plain Python: nothing of the model and its gates has a part."""

import json
import random
from dataclasses import asdict, replace

import pytest

from bnnhw.hw.memory.controller import SdramController
from bnnhw.hw.memory.port import BURST
from bnnhw.hw.memory.timing import MT48LC16M16A2, SdramChip
from bnnhw.hw.targets import PORTABLE
from bnnhw.sim.icarus.runner import VerilogBuild
from bnnhw.sim.memory.faults import Fault
from bnnhw.sim.netlist.netlist import convert_component

CHIP = replace(MT48LC16M16A2, start_up_ns=1000)
COMMAND, WORD = 0, 1


def exchange(
    rng: random.Random, *, clock_hz: int, latency: int, stalls: tuple[float, float, float], wanted: SdramChip = CHIP
) -> tuple[list[int], list[int], Fault]:
    """The words of random commands all over the chip, what they must be, and what the chip says."""
    beats: list[tuple[int, int]] = []
    expected: list[int] = []
    memory: dict[int, int] = {}
    starts = [rng.randrange(1, 1 << CHIP.shape.address_bits) for _ in range(4)]
    for step in range(20):
        address, bursts, write = rng.choice(starts), rng.randint(1, 6), step < 4 or rng.random() < 0.5
        places = [(address * BURST + word) % (1 << CHIP.shape.address_bits + 3) for word in range(bursts * BURST)]
        beats.append((COMMAND, CHIP.shape.pack(address=address, bursts=bursts, write=write)))
        if write:
            memory.update((place, rng.getrandbits(16)) for place in places)
            beats.extend((WORD, memory[place]) for place in places)
        else:
            expected.extend(memory.get(place, 0) for place in places)
    controller = SdramController(chip=CHIP, clock_hz=clock_hz, target=PORTABLE)
    found = VerilogBuild(convert_component(controller)).run_bench(
        "sdram",
        beats=beats,
        reads=len(expected),
        latency=latency,
        stalls=stalls,
        seed=rng.randrange(1000),
        chip=json.dumps(asdict(wanted)),
        clock_hz=clock_hz,
        patience=10_000,
    )
    return found["words"].tolist(), expected, Fault(int(found["faults"]))


@pytest.mark.cocotb
@pytest.mark.parametrize(
    ("clock_hz", "latency", "stalls"),
    [(125_000_000, 2, (0, 0, 0)), (100_000_000, 5, (0.5, 0.3, 0.3)), (133_000_000, 0, (0, 0.7, 0.7))],
)
def test_random_commands(clock_hz: int, latency: int, stalls: tuple[float, float, float]):
    words, expected, faults = exchange(random.Random(clock_hz), clock_hz=clock_hz, latency=latency, stalls=stalls)
    assert words == expected
    assert faults == Fault(0)


@pytest.mark.cocotb
def test_a_chip_that_wants_more_says_so():
    slower = replace(CHIP, t_rcd_ns=25)
    *_, faults = exchange(random.Random(1), clock_hz=125_000_000, latency=1, stalls=(0, 0, 0), wanted=slower)
    assert faults == Fault.T_RCD
