"""Every stream unit of hw/ with random input and, by numpy, the output that it must have.

Those that know where a pixel lies are in image_units.py.
"""

# pyright: reportGeneralTypeIssues=false, reportAttributeAccessIssue=false, reportArgumentType=false
# (amaranth's types are loose)

from collections.abc import Callable
from typing import Any

import numpy as np
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.core import Core
from bnnhw.hw.hardwired.plan import plan_hardwired
from bnnhw.hw.hardwired.unit import HardwiredUnit
from bnnhw.hw.join.add import Add
from bnnhw.hw.join.concat import Concat
from bnnhw.hw.join.fork import Fork
from bnnhw.hw.join.split import Split
from bnnhw.hw.output.label_select import LabelSelect
from bnnhw.hw.output.score_table import ScoreTable
from bnnhw.hw.pool.max_pool import MaxPool
from bnnhw.hw.pool.sum_pool import SumPool
from bnnhw.hw.product.matrix_unit import MatrixUnit
from bnnhw.hw.product.popcount import XnorPopcount
from bnnhw.hw.stream.buffer import StreamBuffer, flat_stream
from bnnhw.hw.stream.connections import OUTSIDE, Connection
from bnnhw.hw.stream.fifo import Fifo
from bnnhw.hw.stream.width import WidthConverter
from bnnhw.hw.targets import PORTABLE, Target
from bnnhw.hw.targets.ecp5 import ECP5
from bnnhw.hw.targets.ice40 import ICE40
from tests.beats import to_beats, to_words

from .case import FRAMES, Case
from .image_units import multi_threshold, pool, rescaled, sliding_window


class PopcountStream(wiring.Component):
    """An XnorPopcount behind a stream of (x, w); the queue behind it has room for every pair under way."""

    def __init__(self, inputs: int, target: Target):
        self.unit = XnorPopcount(inputs=inputs, target=target)
        self.queue = Fifo(width=inputs.bit_length(), depth=16, target=target)
        super().__init__({"i": In(flat_stream(2 * inputs)), "o": Out(flat_stream(inputs.bit_length()))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.unit, m.submodules.queue = unit, queue = self.unit, self.queue
        half = len(unit.x)
        free = Signal(range(13), init=12)  # less than the queue's depth: it is slow to tell that a beat has left
        accepted, left = self.i.valid & self.i.ready, self.o.valid & self.o.ready
        valid = accepted
        for _ in range(unit.latency):
            later = Signal()
            m.d.sync += later.eq(valid)
            valid = later
        m.d.sync += free.eq(free - accepted + left)
        m.d.comb += [
            self.i.ready.eq(free.any()),
            unit.x.eq(self.i.payload[:half]),
            unit.w.eq(self.i.payload[half:]),
            queue.i.valid.eq(valid),
            queue.i.payload.eq(unit.mismatches),
        ]
        wiring.connect(m, queue.o, wiring.flipped(self.o))
        return m


def fifo(width: int, depth: int, target: Target) -> Core:
    """A Fifo whose commit and rollback stay unconnected."""
    queue = Fifo(width=width, depth=depth, target=target)
    return Core(units=[queue], input_lanes=width, input_width=1, output_lanes=width, output_width=1)


def handed_through(make: Callable[[], Any]) -> Case:
    def case(seed):
        unit = make()
        bits = np.random.default_rng(seed).integers(0, 2, (FRAMES, 20, len(unit.i.payload)))
        words = to_words(bits, 1)
        return unit, words, words

    return case


def diamond(part, *branches, join, width: int) -> Core:
    """A unit with an output for each branch, the branches, and a unit that joins them; an empty branch is None."""
    units, connections = [part, join], list[Connection]([((OUTSIDE, "i"), (0, "i")), ((1, "o"), (OUTSIDE, "o"))])
    for number, branch in enumerate(branches):
        end = (0, f"o{number}")
        if branch is not None:
            connections.append((end, (len(units), "i")))
            end = (len(units), "o")
            units.append(branch)
        connections.append((end, (1, f"i{number}")))
    lanes, results = len(part.i.payload) // width, len(join.o.payload)
    return Core(
        units=units,
        connections=connections,
        input_lanes=lanes,
        input_width=width,
        output_lanes=1,
        output_width=results,
    )


def sum_of_halves(channels: int, bits: int, clip: tuple[int, int] | None, target: Target) -> Case:
    """The first half of the channels plus the second one."""

    def case(seed):
        x = np.random.default_rng(seed).integers(0, 1 << bits, (FRAMES, 20, 2, channels))
        x[0] = (1 << bits) - 1
        total = x.sum(axis=2)
        results = total if clip is None else np.clip(total, *clip) - clip[0]
        greatest = (1 << bits) - 1
        split = Split(channels=2 * channels, parts=((0, channels), (channels, 2 * channels)), bits=bits)
        add = Add(elements=channels, greatest=(greatest, greatest), clip=clip, target=target)
        core = diamond(split, None, StreamBuffer(width=channels * bits), join=add, width=bits)
        return core, to_words(x.reshape(FRAMES, 20, -1), bits), to_words(results, add.shape.result_width)

    return case


def twice(width: int, limit: int, target: Target) -> Case:
    """Each beat, and once more what has waited in a queue."""

    def case(seed):
        bits = np.random.default_rng(seed).integers(0, 2, (FRAMES, 20, width))
        queue = Fifo(width=width, depth=8, limit=limit, target=target)
        core = diamond(Fork(width=width, outputs=2), None, queue, join=Concat(channels=(width, width)), width=width)
        return core, to_words(bits, 1), to_words(np.concatenate([bits, bits], axis=2), 1)

    return case


def width_converter(width, in_lanes, out_lanes, vectors) -> Case:
    def case(seed):
        elements = 2 * np.lcm(in_lanes, out_lanes)
        values = np.random.default_rng(seed).integers(0, 1 << width, (FRAMES, vectors, elements))
        unit = WidthConverter(width=width, in_lanes=in_lanes, out_lanes=out_lanes, vectors=vectors)
        return unit, to_words(to_beats(values, in_lanes), width), to_words(to_beats(values, out_lanes), width)

    return case


def popcount(inputs, target) -> Case:
    def case(seed):
        x, w = np.random.default_rng(seed).integers(0, 2, (2, FRAMES, 10, inputs))
        x[0], w[0] = 0, 1  # the greatest count
        counts = (x != w).sum(axis=2, keepdims=True)
        pairs = np.concatenate([x, w], axis=2)
        return PopcountStream(inputs, target), to_words(pairs, 1), to_words(counts, inputs.bit_length())

    return case


def random_product(rows, cols, *, vectors, planes, thresholded, seed):
    """Random weights, thresholds (None without), inputs (FRAMES, vectors, cols), results and their width."""
    rng = np.random.default_rng(seed)
    weights = rng.choice([-1, 1], (rows, cols))
    most = cols * ((1 << planes) - 1)
    thresholds = rng.integers(most // 3, most - most // 3 + 1, rows)
    thresholds[0], thresholds[-1] = -1, most  # never, always
    x = rng.integers(0, 1 << planes, (FRAMES, vectors, cols))
    sums = (x[:, :, None] ^ (weights > 0) * ((1 << planes) - 1)).sum(axis=3)
    if thresholded:
        return weights, thresholds.tolist(), x, (sums <= thresholds).astype(int), 1
    return weights, None, x, sums, most.bit_length()


def matrix_unit(rows, cols, pe, simd, *, vectors=1, planes=1, thresholded=True, store, target) -> Case:
    def case(seed):
        weights, thresholds, x, results, width = random_product(
            rows, cols, vectors=vectors, planes=planes, thresholded=thresholded, seed=seed
        )
        unit = MatrixUnit(
            weights=weights,
            pe=pe,
            simd=simd,
            vectors=vectors,
            planes=planes,
            thresholds=thresholds,
            store=store,
            target=target,
        )
        return unit, to_words(to_beats(x, simd), planes), to_words(to_beats(results, pe), width)

    return case


def hardwired_unit(rows, cols, *, vectors=1, planes=1, thresholded=True, target) -> Case:
    def case(seed):
        weights, thresholds, x, results, width = random_product(
            rows, cols, vectors=vectors, planes=planes, thresholded=thresholded, seed=seed
        )
        plan = plan_hardwired(weights, PORTABLE.fabric, vectors=vectors, planes=planes, thresholded=thresholded)
        unit = HardwiredUnit(plan=plan, thresholds=thresholds, target=target)
        return unit, to_words(to_beats(x, cols), planes), to_words(to_beats(results, rows), width)

    return case


def score_table(classes, entries, lanes, vectors, target) -> Case:
    def case(seed):
        rng = np.random.default_rng(seed)
        table = rng.integers(0, 1000, (classes, entries))
        x = rng.integers(0, entries, (FRAMES, vectors, classes))
        scores = table[np.arange(classes), x]
        unit = ScoreTable(table=table, lanes=lanes, vectors=vectors, target=target)
        inputs = to_words(to_beats(x, lanes), (entries - 1).bit_length())
        return unit, inputs, to_words(to_beats(scores, lanes), int(table.max()).bit_length())

    return case


def label_select(classes, width, signed, lanes, vectors) -> Case:
    def case(seed):
        low = -(1 << width - 1) if signed else 0
        scores = np.random.default_rng(seed).integers(low, low + (1 << width), (FRAMES, vectors, classes))
        labels = scores.argmax(axis=2)[:, None, :]
        unit = LabelSelect(classes=classes, width=width, signed=signed, lanes=lanes, vectors=vectors)
        label_width = max(1, (classes - 1).bit_length())
        return unit, to_words(to_beats(scores, lanes), width), to_words(labels, label_width)

    return case


SAME = {"padding": (1, 1, 1, 1)}

CASES: dict[str, Case] = {
    "buffer-1": handed_through(lambda: StreamBuffer(width=1)),
    "buffer-70": handed_through(lambda: StreamBuffer(width=70)),
    "fifo-lut": handed_through(lambda: fifo(5, 16, ECP5)),
    "fifo-block": handed_through(lambda: fifo(40, 512, ECP5)),
    "fifo-ice40": handed_through(lambda: fifo(19, 1024, ICE40)),
    "fifo-portable": handed_through(lambda: fifo(40, 512, PORTABLE)),
    "converter-equal": width_converter(3, 4, 4, 1),
    "converter-wider": width_converter(2, 2, 6, 2),
    "converter-narrower": width_converter(1, 12, 3, 3),
    "converter-coprime": width_converter(3, 6, 4, 2),
    "add-luts": sum_of_halves(3, 2, None, ECP5),
    "add-chains": sum_of_halves(3, 6, None, ECP5),
    "add-clipped": sum_of_halves(2, 8, (100, 355), ECP5),
    "fork-and-concat": twice(7, 3, ECP5),
    "popcount-1": popcount(1, ECP5),
    "popcount-37": popcount(37, ECP5),
    "popcount-ice40": popcount(37, ICE40),
    "popcount-64": popcount(64, PORTABLE),
    "matrix-constant": matrix_unit(4, 6, 4, 6, store="constant", target=ECP5),
    "matrix-lut": matrix_unit(6, 10, 2, 5, vectors=2, store="lut", target=ECP5),
    "matrix-block": matrix_unit(18, 26, 9, 13, store="block", target=ECP5),
    "matrix-block-folded": matrix_unit(34, 60, 2, 3, store="block", target=ECP5),
    "matrix-planes": matrix_unit(6, 8, 3, 2, vectors=2, planes=5, store="block", target=ECP5),
    "matrix-sums": matrix_unit(10, 16, 5, 8, thresholded=False, store="block", target=ECP5),
    "matrix-ice40": matrix_unit(34, 60, 2, 3, planes=2, store="block", target=ICE40),
    "matrix-deep-ice40": matrix_unit(4, 2200, 4, 2, store="block", target=ICE40),
    "matrix-sums-ice40": matrix_unit(10, 16, 5, 8, thresholded=False, store="block", target=ICE40),
    "matrix-portable": matrix_unit(12, 16, 4, 4, planes=2, store="block", target=PORTABLE),
    "multi-threshold-1": multi_threshold(1, 20, 2, 2, ECP5),
    "multi-threshold-3": multi_threshold(3, 63, 3, 1, ECP5),
    "offsets": rescaled(2, 20, 3, 2, ECP5),
    "hardwired": hardwired_unit(9, 21, target=ECP5),
    "hardwired-planes": hardwired_unit(5, 8, vectors=2, planes=5, target=ECP5),
    "hardwired-ice40": hardwired_unit(5, 8, vectors=2, planes=5, target=ICE40),
    "hardwired-sums": hardwired_unit(6, 13, thresholded=False, target=ECP5),
    "scores-1": score_table(5, 9, 1, 2, ECP5),
    "scores-5": score_table(10, 33, 5, 1, PORTABLE),
    "labels-signed": label_select(10, 3, True, 2, 2),
    "window-registers": sliding_window(4, 4, 2, (3, 3), 1, store="registers", target=ECP5),
    "window-lut": sliding_window(6, 6, 4, (3, 3), 2, pixels=2, store="lut", target=ECP5, **SAME),
    "window-block": sliding_window(6, 6, 4, (3, 3), 2, pixels=3, code=1, store="block", target=ECP5, **SAME),
    "window-row": sliding_window(6, 8, 3, (3, 3), 9, element_bits=2, code=2, store="block", target=ECP5, **SAME),
    "window-kernel": sliding_window(5, 6, 2, (3, 3), 18, pixels=2, in_pixels=2, store="block", target=ECP5),
    "window-stride": sliding_window(9, 7, 3, (2, 2), 3, stride=(2, 3), store="lut", target=PORTABLE),
    "window-groups": sliding_window(6, 6, 4, (3, 3), 9, channel_groups=4, store="lut", target=ECP5, **SAME),
    "window-wide": sliding_window(4, 700, 1, (3, 3), 3, store="block", target=ECP5),
    "max-pool": pool(MaxPool, np.max, 6, 14, 3, (2, 2), (2, 2), 7, 1, 1, ECP5),
    "max-pool-overlapping": pool(MaxPool, np.max, 7, 9, 4, (3, 3), (2, 2), 1, 2, 2, ECP5),
    "max-pool-block": pool(MaxPool, np.max, 4, 60, 32, (3, 2), (2, 2), 1, 4, 4, ECP5),
    "sum-pool": pool(SumPool, np.sum, 4, 6, 4, (4, 6), (4, 6), 1, 2, 3, ECP5),
    "labels-unsigned": label_select(7, 2, False, 1, 1),
}
