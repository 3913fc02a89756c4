"""The model of an SDRAM chip: each rule kept to the cycle and missed by one, and random pins against plain Python."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportGeneralTypeIssues=false
# (amaranth's types are loose)
import numpy as np
import pytest
from amaranth.hdl import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.memory.pins import ALL_BANKS, Operation, mode_of
from bnnhw.hw.memory.port import BURST
from bnnhw.hw.memory.timing import MT48LC16M16A2
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.sim.batch.simulator import BatchSimulator
from bnnhw.sim.memory.faults import Fault
from bnnhw.sim.memory.reference_chip import ReferenceChip
from bnnhw.sim.memory.sdram_model import SdramModel

CLOCK_HZ = 125_000_000
START_UP, INTERVAL = 20, 100  # cycles
CHIP = replace(
    MT48LC16M16A2,
    rows=16,
    columns=16,
    start_up_ns=START_UP * 8,
    refresh_ns=16 * INTERVAL * 8,
    postponed=2,
    t_rc_ns=80,  # more than what tRAS and tRP make of it
)
TIMING = CHIP.timing(CLOCK_HZ)
PINS = (3, 2, 11, 1, 16, 1)
"""Bits of operation, ba, a, dqm, dq_o, dq_oe."""


@dataclass(frozen=True)
class Pins:
    """What stands at the pins in a cycle."""

    operation: int = Operation.NOTHING
    ba: int = 0
    a: int = 0
    dqm: int = 0
    dq_o: int = 0
    dq_oe: int = 0

    def pack(self) -> int:
        beat = place = 0
        values = (self.operation, self.ba, self.a, self.dqm, self.dq_o, self.dq_oe)
        for value, bits in zip(values, PINS, strict=True):
            beat |= value << place
            place += bits
        return beat


class Behind(wiring.Component):
    """The model: each beat of `i` is a cycle of its pins, and what the chip gives in it a beat of `o`."""

    def __init__(self):
        self.model = SdramModel(chip=CHIP, timing=TIMING, words=CHIP.rows * CHIP.banks * CHIP.columns)
        super().__init__({"i": In(flat_stream(sum(PINS))), "o": Out(flat_stream(16 + len(Fault) + 32))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.model = model = self.model
        pins = model.pins
        m.d.comb += [
            self.i.ready.eq(1),
            self.o.valid.eq(self.i.valid),
            Cat(pins.ras, pins.cas, pins.we, pins.ba, pins.a, pins.dqm, pins.dq_o, pins.dq_oe).eq(self.i.payload),
            self.o.payload.eq(Cat(pins.dq_i, model.faults, model.bytes_read[:16], model.bytes_written[:16])),
        ]
        return m


@pytest.fixture(scope="module")
def simulator() -> BatchSimulator:
    return BatchSimulator(Behind())


def run(simulator: BatchSimulator, lanes: Sequence[Sequence[Pins]]) -> np.ndarray:
    """(lanes, cycles): what the chip gives; the shorter lanes go on with nothing."""
    longest = max(map(len, lanes)) + 2
    frames = np.zeros((len(lanes), longest, 1), np.uint64)
    for frame, lane in zip(frames, lanes, strict=True):
        frame[: len(lane), 0] = [pins.pack() for pins in lane]
    return simulator.run(frames, output_beats=longest).outputs[..., 0]


def faults_of(outputs: np.ndarray) -> list[Fault]:
    return [Fault(int(beat) >> 16 & ((1 << len(Fault)) - 1)) for beat in outputs]


def idle(cycles: int) -> list[Pins]:
    return [Pins()] * cycles


def do(operation: Operation, ba: int = 0, a: int = 0, *, then: int = 1) -> list[Pins]:
    """A command, the next one `then` cycles later."""
    return [Pins(operation, ba, a), *idle(then - 1)]


def write(ba: int, a: int, words: Sequence[int], *, then: int = BURST) -> list[Pins]:
    pins = [Pins(Operation.NOTHING, ba, a, 0, word, 1) for word in words]
    return [replace(pins[0], operation=Operation.WRITE), *pins[1:], *idle(then - len(words))]


BEGIN = [
    *idle(START_UP),
    *do(Operation.PRECHARGE, a=ALL_BANKS, then=TIMING.rp),
    *do(Operation.REFRESH, then=TIMING.rfc) * 2,
    *do(Operation.SET_MODE, a=mode_of(TIMING), then=2),
]
ROW = do(Operation.ACTIVATE, 1, 5, then=TIMING.rcd)
WORDS = list(range(100, 100 + BURST))


def with_gap(fault: Fault, gap: int) -> list[Pins]:
    """Commands that miss a rule where they are less than so many cycles apart, and keep all others."""
    t = TIMING
    activate = do(Operation.ACTIVATE, 1, 5, then=gap)
    match fault:
        case Fault.T_RCD:
            return [*activate, *do(Operation.READ, 1)]
        case Fault.T_RP:
            return [*do(Operation.ACTIVATE, 1, 5, then=t.rc), *do(Operation.PRECHARGE, 1, then=gap), *activate]
        case Fault.T_RAS:
            return [*activate, *do(Operation.PRECHARGE, 1)]
        case Fault.T_RC:
            return [
                *do(Operation.ACTIVATE, 1, 5, then=t.ras),
                *do(Operation.PRECHARGE, 1, then=gap - t.ras),
                *do(Operation.ACTIVATE, 1, 6),
            ]
        case Fault.T_RRD:
            return [*activate, *do(Operation.ACTIVATE, 2, 5)]
        case Fault.T_RFC:
            return [*do(Operation.REFRESH, then=gap), *do(Operation.ACTIVATE, 1, 5)]
        case Fault.T_WR:
            return [*ROW, *write(1, 0, WORDS, then=BURST - 1 + gap), *do(Operation.PRECHARGE, 1)]
        case Fault.REFRESH:
            return [*idle(gap), *do(Operation.REFRESH)]
        case Fault.BUS:  # the last word is there 7 + cas cycles after the read, and the bus turns in the next one
            return [*ROW, *do(Operation.READ, 1, then=BURST - 1 + t.cas + gap), *write(1, 0, WORDS)]
        case _:
            raise AssertionError(fault)


GAPS = {
    Fault.T_RCD: TIMING.rcd,
    Fault.T_RP: TIMING.rp,
    Fault.T_RAS: TIMING.ras,
    Fault.T_RC: TIMING.rc,
    Fault.T_RRD: TIMING.rrd,
    Fault.T_RFC: TIMING.rfc,
    Fault.T_WR: TIMING.wr,
    Fault.BUS: 2,
}


def test_each_gap_is_kept_or_missed_by_a_cycle(simulator: BatchSimulator):
    cases = [(fault, gap, late) for fault, gap in GAPS.items() for late in (0, 1)]
    outputs = run(simulator, [[*BEGIN, *with_gap(fault, gap - late)] for fault, gap, late in cases])
    for (fault, _, late), output in zip(cases, outputs, strict=True):
        assert faults_of(output)[-1] == (fault if late else 0), (fault, late)


@pytest.mark.parametrize("late", [0, 1])
def test_refreshes_may_be_late_so_often(simulator: BatchSimulator, late: int):
    wait = (CHIP.postponed + 1) * INTERVAL - 2 + late
    (output,) = run(simulator, [[*BEGIN, *with_gap(Fault.REFRESH, wait)]])
    assert faults_of(output)[-1] == (Fault.REFRESH if late else 0)


LEGAL_MODE = mode_of(TIMING)
BEGINS = {
    "whole": (BEGIN, Fault(0)),
    "too soon": (BEGIN[1:], Fault.START_UP),
    "no precharge": ([*idle(START_UP + TIMING.rp), *BEGIN[START_UP + TIMING.rp :]], Fault.START_UP),
    "one refresh": ([*BEGIN[: START_UP + TIMING.rp + TIMING.rfc], *BEGIN[-2:]], Fault.START_UP),
    "no mode": (BEGIN[:-2], Fault.START_UP),
    "bursts of 4": ([*BEGIN[:-2], *do(Operation.SET_MODE, a=LEGAL_MODE - 1, then=2)], Fault.MODE),
    "cas too short": ([*BEGIN[:-2], *do(Operation.SET_MODE, a=LEGAL_MODE - 16, then=2)], Fault.MODE),
    "cas too long": ([*BEGIN[:-2], *do(Operation.SET_MODE, a=LEGAL_MODE + 16, then=2)], Fault.MODE),
    "no rest": (BEGIN[:-1], Fault.MODE),
}


def test_the_chip_is_started_in_its_order(simulator: BatchSimulator):
    outputs = run(simulator, [[*begin, *do(Operation.ACTIVATE, 0, 1)] for begin, _ in BEGINS.values()])
    for (name, (_, fault)), output in zip(BEGINS.items(), outputs, strict=True):
        assert faults_of(output)[-1] == fault, name


WRONG = {
    "read of an idle bank": (do(Operation.READ, 2), Fault.IDLE),
    "write to an idle bank": (write(2, 0, WORDS), Fault.IDLE),
    "two rows": ([*do(Operation.ACTIVATE, 1, 5, then=TIMING.rc), *do(Operation.ACTIVATE, 1, 6)], Fault.OPEN),
    "refresh of an open bank": ([*do(Operation.ACTIVATE, 1, 5, then=20), *do(Operation.REFRESH)], Fault.OPEN),
    "nobody drives": ([*ROW, *do(Operation.WRITE, 1, then=BURST)], Fault.BUS),
    "both drive": ([*ROW, *do(Operation.READ, 1, then=5), Pins(dq_oe=1)], Fault.BUS),
}


def test_what_is_wrong_at_any_time(simulator: BatchSimulator):
    outputs = run(simulator, [[*BEGIN, *wrong] for wrong, _ in WRONG.values()])
    for (name, (_, fault)), output in zip(WRONG.items(), outputs, strict=True):
        assert faults_of(output)[-1] == fault, name


def test_words_and_bytes(simulator: BatchSimulator):
    """What is written comes back `cas` cycles after its place in the read, in the burst's order."""
    begin = [*BEGIN, *ROW, *write(1, 8, WORDS), *do(Operation.READ, 1, 8 + 3, then=20)]
    (output,) = run(simulator, [begin])
    first = len(begin) - 20 + TIMING.cas
    assert [int(beat) & 0xFFFF for beat in output[first : first + BURST]] == WORDS[3:] + WORDS[:3]
    assert not np.any(output[:first] & np.uint64(0xFFFF))
    assert faults_of(output)[-1] == 0
    counts = int(output[-1]) >> 16 + len(Fault)
    assert (counts & 0xFFFF, counts >> 16) == (2 * BURST, 2 * BURST)


def random_pins(rng: random.Random, cycles: int) -> list[Pins]:
    """Commands of all kinds, mostly far enough apart to be legal now and then, and data at any time."""
    lane = [*BEGIN] if rng.random() < 0.9 else [*BEGIN[rng.randrange(4) :]]
    pause = rng.choice([2, 6, 12])
    while len(lane) < cycles:
        weights = {"ACTIVATE": 6, "READ": 5, "WRITE": 5, "PRECHARGE": 5, "REFRESH": 1, "STOP": 1, "SET_MODE": 0.1}
        operation = Operation[rng.choices(list(weights), list(weights.values()))[0]]
        a = rng.choice([rng.randrange(16), rng.randrange(16) | ALL_BANKS])
        if operation == Operation.SET_MODE:
            a = rng.choice([LEGAL_MODE, rng.randrange(128)])
        a &= ~ALL_BANKS if operation in (Operation.READ, Operation.WRITE) else -1
        drives = rng.random() < 0.95 if operation == Operation.WRITE else rng.random() < 0.05
        lane.append(Pins(operation, rng.randrange(4), a, int(rng.random() < 0.1), rng.getrandbits(16), int(drives)))
        for _ in range(rng.randrange(pause)):
            lane.append(Pins(dqm=int(rng.random() < 0.1), dq_o=rng.getrandbits(16), dq_oe=int(drives)))
    return lane[:cycles]


@pytest.mark.parametrize("seed", range(2))
def test_random_pins_against_plain_python(simulator: BatchSimulator, seed: int):
    """The same words and the same faults, to the cycle, until the mode is wrong."""
    rng = random.Random(seed)
    lanes = [random_pins(rng, rng.choice([60, 90, 200, 500])) for _ in range(128)]
    seen = Fault(0)
    for number, (lane, output) in enumerate(zip(lanes, run(simulator, lanes), strict=True)):
        reference = ReferenceChip(CHIP, CLOCK_HZ)
        before = Fault(0)
        for cycle, (pins, beat, faults) in enumerate(zip(lane, output, faults_of(output), strict=False)):
            where = f"seed={seed} lane={number} cycle={cycle}"
            assert faults == before, where
            word = reference.cycle(**vars(pins))
            before = reference.faults
            if before & Fault.MODE:
                break  # words of two latencies may meet
            assert int(beat) & 0xFFFF == (word or 0), where
        seen |= before
    assert seen == ~Fault(0), "each fault comes up"
