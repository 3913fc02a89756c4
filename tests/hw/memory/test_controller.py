"""SdramController with a model of its chip: random commands against a dict, rates, start-up, and planted faults."""

import random
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

from bnnhw.hw.memory.calibration import PATTERN_BURSTS, Calibration
from bnnhw.hw.memory.controller import SdramController
from bnnhw.hw.memory.port import BURST
from bnnhw.hw.memory.read_path import LATENCIES
from bnnhw.hw.memory.timing import MT48LC16M16A2, SdramChip
from bnnhw.hw.targets import PORTABLE
from bnnhw.sim.memory.faults import Fault

from .bench import Answer, Bench, Lane

CHIP = replace(MT48LC16M16A2, start_up_ns=2000)
WIDE = replace(CHIP, rows=4096, columns=256, width=32)
SHAPE = CHIP.shape
CLOCKS_HZ = [100_000_000, 125_000_000, 133_000_000]
MHZ_125 = 125_000_000
RUN_AHEAD = 24  # words that may be there before their command


@cache
def bench(chip: SdramChip = CHIP, clock_hz: int = MHZ_125, **options) -> Bench:
    return Bench(chip, clock_hz, **options)


def random_lane(bench: Bench, rng: random.Random, *, words: int) -> tuple[Lane, list[int]]:
    """Commands for about so many words, and what is to be read. The memory begins with the pattern, which is
    overwritten first."""
    lane = bench.lane(delay=rng.randrange(LATENCIES))
    memory: dict[int, int] = {}
    expected: list[int] = []
    most = (1 << bench.chip.shape.address_bits) - 1
    per_bank = bench.chip.columns // BURST
    address, done = 0, 0
    longest = rng.choice([1, 4, 20])
    rows = [rng.randrange(most + 1) for _ in range(3)]

    def do(address: int, bursts: int, write: bool) -> None:
        places = [
            ((address + burst) & most) % bench.bursts * BURST + word for burst in range(bursts) for word in range(BURST)
        ]
        if not write:
            lane.command(address, bursts, write=False)
            expected.extend(memory.get(place, 0) for place in places)
            return
        data = [rng.getrandbits(bench.chip.width) for _ in places]
        memory.update(zip(places, data, strict=True))
        ahead = rng.choice([0, min(len(data), RUN_AHEAD)])
        lane.words(data[:ahead])
        lane.command(address, bursts, write=True)
        lane.words(data[ahead:])

    do(0, PATTERN_BURSTS, True)
    while done < words:
        bursts = rng.randint(1, longest)
        kind = rng.randrange(5)
        if kind == 0:  # a bank's other row, or the same
            address = (address + per_bank * bench.chip.banks * rng.randint(-1, 1)) & most
        elif kind == 1:
            address = rng.randrange(most + 1)
        elif kind == 2:  # over the memory's end
            address = most - rng.randrange(3)
        elif kind == 3:  # what was written before, with luck
            address = rng.choice(rows)
        do(address, rng.choice([bursts] * 9 + [0]), rng.random() < 0.5)
        address = (address + bursts) & most
        done += bursts * BURST
    return lane, expected


@pytest.mark.parametrize("clock_hz", CLOCKS_HZ)
@pytest.mark.parametrize(("stalls", "seed"), [((0, 0), 0), ((0.3, 0.3), 1), ((0, 0.6), 2), ((0.6, 0), 3)])
def test_random_commands(clock_hz: int, stalls: tuple[float, float], seed: int):
    """32 lanes of about 1,500 words each: no wrong word, no fault."""
    check_random(bench(clock_hz=clock_hz), stalls, seed)


@pytest.mark.parametrize("options", [{"chip": WIDE}, {"batch": 1}, {"batch": 3}], ids=str)
def test_random_commands_in_other_shapes(options):
    check_random(bench(**options), (0.2, 0.2), 4)


def check_random(bench: Bench, stalls: tuple[float, float], seed: int) -> None:
    rng = random.Random(seed)
    lanes, expected = zip(*(random_lane(bench, rng, words=1500) for _ in range(32)), strict=True)
    size = bench.chip.width // 8
    for number, (answer, words) in enumerate(zip(bench.run(lanes, stalls=stalls, seed=seed), expected, strict=True)):
        where = f"seed={seed} lane={number}"
        assert answer.words == words, where
        assert answer.faults == Fault(0), where
        attempts = LATENCIES * PATTERN_BURSTS * BURST
        assert answer.bytes_read == (len(words) + attempts) * size, where


@pytest.mark.parametrize("clock_hz", CLOCKS_HZ)
def test_long_runs(clock_hz: int):
    """The share of the peak rate, refreshes included: 97 % at least, where 90 % are asked for."""
    design = bench(clock_hz=clock_hz)
    reads, writes, both = design.lane(delay=2), design.lane(delay=2), design.lane(delay=2)
    bursts, first = 4000, 100
    reads.command(first, bursts, write=False)
    writes.command(first, bursts, write=True)
    writes.words([word & 0xFFFF for word in range(bursts * BURST)])
    writes.command(first, 1, write=False)
    for row in range(30):  # 1 KiB, a row of the chip, is written and read in turns
        both.command(64 * row, 64, write=True)
        both.words(range(64 * BURST))
        both.command(5000 + 64 * row, 64, write=False)
    read, written, turned = design.run([reads, writes, both])
    count = bursts * BURST
    of_reads = (count - 1) / (read.cycles[-1] - read.cycles[0])
    of_writes = count / (written.cycles[0] - read.cycles[0])
    of_both = (2 * 29 * 64 * BURST) / (turned.cycles[-1] - turned.cycles[64 * BURST - 1])
    print(f"\n{clock_hz / 1e6:.0f} MHz: reads {of_reads:.4f}, writes {of_writes:.4f}, rows in turns {of_both:.4f}")
    assert of_reads >= 0.97
    assert of_writes >= 0.97
    assert of_both >= 0.93
    assert read.faults == written.faults == turned.faults == Fault(0)


def test_the_chips_own_start_up_time():
    (answer,) = bench(MT48LC16M16A2).run([probe(bench(MT48LC16M16A2), delay=1)])
    check_probe(answer)
    assert answer.cycles[0] > 200e-6 * MHZ_125


PROBE = [0x1234, 0xFFFF, 0, 0xA5A5, 1, 0x8000, 0x7FFF, 0x5A5A]


def probe(bench: Bench, **settings: int) -> Lane:
    lane = bench.lane(**settings)
    lane.command(77, 1, write=True)
    lane.words(PROBE)
    lane.command(77, 1, write=False)
    return lane


def check_probe(answer: Answer) -> None:
    assert answer.words == PROBE
    assert (answer.ready, answer.failed, answer.faults) == (True, False, Fault(0))


def test_start_up_finds_each_latency():
    for answer in bench().run([probe(bench(), delay=delay) for delay in range(LATENCIES)]):
        check_probe(answer)


@pytest.mark.parametrize("delay", [LATENCIES, LATENCIES + 1, 15])
def test_start_up_fails_where_there_is_no_latency(delay: int):
    (answer,) = bench().run([bench().lane(delay=delay)])
    assert (answer.ready, answer.failed) == (False, True)


PHASES = 6
ROWS = [((0, 5), 2), ((2, 4), 3), ((5, 5), 5), ((0, 0), 0), ((1, 2), 1), ((3, 5), 4)]
"""The phases that are right, and the one to be taken, of two in the middle the first."""


def test_start_up_finds_the_middle_of_the_right_phases():
    design = bench(phases=PHASES)
    lanes = [probe(design, delay=n % LATENCIES, first=first, last=last) for n, ((first, last), _) in enumerate(ROWS)]
    *answers, failed = design.run([*lanes, design.lane(first=PHASES, last=PHASES)])
    for answer, ((first, last), phase) in zip(answers, ROWS, strict=True):
        assert answer.phase == phase, (first, last)
        assert not answer.disturbed
        check_probe(answer)
    assert (failed.ready, failed.failed) == (False, True)


def test_a_latency_that_changes_is_seen():
    lane = probe(bench(), delay=3)
    lane.status()
    lane.set(delay=4)
    lane.command(77, 1, write=False)
    (answer,) = bench().run([lane])
    assert answer.words[:BURST] == PROBE
    assert answer.words[BURST:] == [0, *PROBE[:-1]]


MISSED = {
    "tRCD": ({"t_rcd_ns": 16}, Fault.T_RCD),
    "tRP": ({"t_rp_ns": 16}, Fault.T_RP),
    "tRFC": ({"t_rfc_ns": 64}, Fault.T_RFC),
    "a refresh left out": ({"refresh_ns": CHIP.refresh_ns * 1.1}, Fault.REFRESH),
    "start-up time": ({"start_up_ns": CHIP.start_up_ns - 16}, Fault.START_UP),
}


@pytest.mark.parametrize(("changed", "fault"), MISSED.values(), ids=MISSED)
def test_a_controller_for_a_faster_chip_is_found_out(changed: dict[str, float], fault: Fault):
    """A cycle less than the chip wants (of the start-up two, as a register follows): the model says what is missed."""
    wanted = CHIP.timing(MHZ_125)
    faster = replace(CHIP, **changed)
    assert faster.timing(MHZ_125) != wanted
    design = Bench(faster, MHZ_125, wanted=wanted)
    lane = probe(design)
    for address in range(40):
        lane.command(address * 5000, 1, write=False)
    if fault == Fault.REFRESH:
        lane.command(0, 12_000, write=False)
    (answer,) = design.run([lane])
    assert answer.faults == fault


NEVER_MET = {"ras": Fault.T_RAS, "rc": Fault.T_RC, "wr": Fault.T_WR, "rrd": Fault.T_RRD}


@pytest.mark.parametrize(("name", "fault"), NEVER_MET.items())
def test_a_chip_that_wants_more_than_the_periods_give_is_found_out(name: str, fault: Fault):
    """The controller would refuse it: its rows are open, and rest, for whole periods."""
    wanted = replace(CHIP.timing(MHZ_125), **{name: 40})
    assert wanted.obstacles()
    design = Bench(CHIP, MHZ_125, wanted=wanted)
    lane = design.lane()
    for row in range(8):
        lane.command(row * 256, 1, write=True)
        lane.words(PROBE)
        lane.command(row * 256 + 64, 1, write=True)
        lane.words(PROBE)
    (answer,) = design.run([lane])
    assert answer.faults & fault


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: SdramController(chip=CHIP, clock_hz=MHZ_125, batch=9, target=PORTABLE),
            r"^batch=9 must be from 1 to postponed=8 of MT48LC16M16A2-75$",
        ),
        (
            lambda: SdramController(chip=CHIP, clock_hz=150_000_000, target=PORTABLE),
            r"^clock_hz=150000000 must be at most 133333333, the fastest of MT48LC16M16A2-75$",
        ),
        (
            lambda: SdramController(chip=CHIP, clock_hz=MHZ_125, target="asic"),  # pyright: ignore[reportArgumentType]
            r"^target='asic' must be one of \['ecp5', 'ice40', 'portable'\]$",
        ),
        (
            lambda: SdramController(chip=replace(CHIP, t_rcd_ns=25, t_wr_ns=40), clock_hz=MHZ_125, target=PORTABLE),
            r"^clock_hz=125000000 must be lower for MT48LC16M16A2-75: tRCD \+ tRP takes 7 cycles, and may take 6; "
            r"tWR takes 5 cycles, and may take 2$",
        ),
        (lambda: Calibration(shape=CHIP.shape, phases=0), r"^phases=0 must be at least 1$"),
        (
            lambda: CHIP.shape.pack(address=1 << 21, bursts=1, write=True),
            r"^address=2097152 must be from 0 to 2097151$",
        ),
        (lambda: CHIP.shape.pack(address=0, bursts=-1, write=True), r"^bursts=-1 must be from 0 to 2097151$"),
    ],
)
def test_options_are_checked(make: Callable[[], object], message: str):
    with pytest.raises(ValueError, match=message):
        make()
