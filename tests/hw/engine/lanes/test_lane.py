"""A lane against whole integers: bases that double or not, totals that are kept, shifts, clips, residuals added or
compared, values of fewer bits."""

import numpy as np
import pytest
from amaranth.hdl import Module, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.engine.lane_format import FACTOR_BITS, KEPT_DELAY, OFFSET_BITS, SHIFT_BITS, VALUE_BITS, VALUE_LATENCY
from bnnhw.hw.engine.lanes.lane import RESIDUAL_DELAY, Lane
from bnnhw.hw.logic.delays import delay
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.targets import PORTABLE
from bnnhw.hw.targets.ecp5 import ECP5
from bnnhw.sim.batch.simulator import BatchSimulator

SUM_WIDTH = 14
PORTS = {
    "sum": SUM_WIDTH,
    "factor": FACTOR_BITS,
    "offset": OFFSET_BITS,
    "begins": 1,
    "double": 1,
    "place": 2,
    "goes_on": 1,
    "keeps": 1,
    "shift": SHIFT_BITS,
    "tops": VALUE_BITS,
    "residual_tops": VALUE_BITS,
    "residual": VALUE_BITS,
    "takes_greater": 1,
    "takes_residual": 1,
}
BEATS = 300
PLACES = 3
LAYERS = ((0, 16, 16), (3, 12, 12), (13, 8, 9), (24, 16, 12), (31, 11, 10), (5, 2, 1))  # a shift, and bits of clips


class Beats(wiring.Component):
    """The lane without stalls: a beat of all its ports a cycle, the residual as late as it is to come."""

    i: stream.Interface
    o: stream.Interface

    def __init__(self, lane: Lane):
        self.lane = lane
        super().__init__({"i": In(flat_stream(sum(PORTS.values()))), "o": Out(flat_stream(VALUE_BITS))})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.lane = lane = self.lane
        at = 0
        for name, width in PORTS.items():
            value: Value = Value.cast(self.i.payload)[at : at + width]
            late = RESIDUAL_DELAY if name in ("residual", "takes_residual") else 0
            m.d.comb += getattr(lane, name).eq(delay(m, value, late, name=name))
            at += width
        m.d.comb += [
            self.o.payload.eq(lane.value),
            self.o.valid.eq(self.i.valid),
            self.i.ready.eq(self.o.ready),
        ]
        return m


def clipped(number: int, bits: int) -> int:
    most = 1 << bits - 1
    return min(max(number, -most), most - 1)


def tops(bits: int) -> int:
    return -1 << bits - 1


def random_channels(rng: np.random.Generator, shift: int, bits: int, residual_bits: int, *, takes_greater: bool):
    """(beats, values): of each beat its ports, and of each channel its value and the beat of its last sum."""
    beats, values = [], []
    kept: dict[int, tuple[int, int]] = {}  # place -> a total, and the beat of its last sum
    while len(beats) < BEATS - VALUE_LATENCY - 8:
        bases = int(rng.integers(1, rng.choice([2, 9])))
        place, keeps = int(rng.integers(0, PLACES)), bool(rng.random() < 0.5)
        total, since = kept.get(place, (0, len(beats)))
        goes_on = place in kept and len(beats) - since >= KEPT_DELAY and bool(rng.random() < 0.7)
        total *= goes_on
        size = 1 << int(rng.integers(1, 1 + min(OFFSET_BITS - 1, VALUE_BITS + shift + 2)))
        offset = int(rng.integers(-size, size))
        most = 1 << min(FACTOR_BITS - 1, max(1, shift + 3))
        residual = int(rng.integers(-(1 << VALUE_BITS - 1), 1 << VALUE_BITS - 1)) * int(rng.random() < 0.7)
        takes_residual = bool(rng.random() < 0.2)
        for base in range(bases):
            last = base == bases - 1
            double = bool(rng.random() < 0.7)
            number, factor = int(rng.integers(0, 1 << SUM_WIDTH)), int(rng.integers(-most, most))
            total = total * (2 if double else 1) + number * factor + offset * last
            clips = (tops(bits), tops(residual_bits))
            ends = (residual, takes_greater, takes_residual)
            flags = (base == 0, double, place, goes_on, keeps and last)
            beats.append((number, factor, offset * last, *flags, shift, *clips, *ends))
        total = (total + (1 << OFFSET_BITS - 1)) % (1 << OFFSET_BITS) - (1 << OFFSET_BITS - 1)
        if keeps:
            kept[place] = total, len(beats) - 1
        value = clipped(total >> shift, bits)
        whole = value + residual
        if takes_greater:
            whole = residual if takes_residual else max(value, residual)
        values.append((len(beats) - 1, clipped(whole, residual_bits)))
    rest = (0, 0, 0, 1, 0, 0, 0, 0, shift, tops(bits), tops(residual_bits), 0, takes_greater, 0)
    return beats + [rest] * (BEATS - len(beats)), values


def packed(beats) -> np.ndarray:
    """Beats as rows of 64-bit words."""
    words = []
    for beat in beats:
        number = at = 0
        for value, width in zip(beat, PORTS.values(), strict=True):
            number |= (int(value) & (1 << width) - 1) << at
            at += width
        words.append([number >> low & (1 << 64) - 1 for low in range(0, at, 64)])
    return np.array(words, np.uint64)


@pytest.mark.parametrize("takes_greater", [False, True])
@pytest.mark.parametrize("target", [PORTABLE, ECP5], ids=repr)
def test_values(target, takes_greater):
    rngs = [np.random.default_rng(seed) for seed, _ in enumerate(LAYERS)]
    runs = [random_channels(rng, *layer, takes_greater=takes_greater) for rng, layer in zip(rngs, LAYERS, strict=True)]
    inputs = np.stack([packed(beats) for beats, _ in runs])
    lane = Beats(Lane(sum_width=SUM_WIDTH, places=PLACES, target=target))
    outputs = BatchSimulator(lane).run(inputs, output_beats=BEATS).outputs[..., 0].astype(np.uint16).view(np.int16)
    far = 0
    for run, (_, values) in enumerate(runs):
        found = [int(outputs[run, at + VALUE_LATENCY]) for at, _ in values]
        assert found == [value for _, value in values]
        ends = clipped(-1 << 20, LAYERS[run][2]), clipped(1 << 20, LAYERS[run][2])
        far += sum(value in ends for _, value in values)
        assert any(value not in ends for _, value in values) or LAYERS[run][2] == 1
    assert far > 20
