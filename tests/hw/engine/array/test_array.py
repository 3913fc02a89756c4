"""Array: sums of tiles against whole integers, with planes, borders, gaps, groupings; its sizes."""

import numpy as np
import pytest
from amaranth.hdl import Cat, Module, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.engine.array.array import Array
from bnnhw.hw.engine.array.shape import ArrayShape
from bnnhw.hw.logic.delays import delay
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.targets import PORTABLE
from bnnhw.hw.targets.ecp5 import ECP5
from bnnhw.sim.batch.simulator import BatchSimulator

NAMES = ("x", "border", "w", "double", "last", "clear")


class Skewed(wiring.Component):
    """The array without stalls: a beat of all its ports a cycle, each group's as late as it is to come."""

    i: stream.Interface
    o: stream.Interface

    def __init__(self, array: Array):
        self.array = array
        width = sum(len(getattr(array, name)) for name in NAMES)
        super().__init__({"i": In(flat_stream(width)), "o": Out(flat_stream(len(array.sums)))})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.array = array = self.array
        shape = array.shape
        at = 0
        for name in NAMES:
            port = getattr(array, name)
            groups = {"x": shape.pixel_groups, "border": shape.pixel_groups, "w": shape.row_groups}.get(name, 1)
            part = len(port) // groups
            for group in range(groups):
                value: Value = Value.cast(self.i.payload)[at : at + part]
                m.d.comb += port.word_select(group, part).eq(delay(m, value, group, name=f"{name}{group}_"))
                at += part
        m.d.comb += [
            self.o.payload.eq(Cat(array.sums)),
            self.o.valid.eq(self.i.valid),
            self.i.ready.eq(self.o.ready),
        ]
        return m


def random_tiles(shape: ArrayShape, rng: np.random.Generator, count: int):
    """(beats, sums): of each beat its ports, gaps between tiles included, and of each tile (pixels, rows) of sums, by
    whole integers: a weight of +1 leaves of an input of k planes what it lacks of all ones, one of -1 the input."""
    beats: list[dict[str, np.ndarray]] = []
    sums: list[np.ndarray] = []
    ends: list[int] = []

    def gap() -> None:
        noise = {
            "x": rng.integers(0, 2, (shape.pixels, shape.simd)),
            "w": rng.integers(0, 2, (shape.rows, shape.simd)),
            "border": rng.integers(0, 2, shape.pixels),
        }
        beats.append(noise | {"double": np.zeros(1), "last": np.zeros(1), "clear": np.ones(1)})

    for _ in range(24):  # the registers' first values leave
        gap()
    while len(sums) < count:
        words, planes = int(rng.integers(1, 7)), int(rng.integers(1, 5))
        if words * planes < shape.row_groups:
            continue
        x = rng.integers(0, 1 << planes, (shape.pixels, words, shape.simd))
        w = rng.integers(0, 2, (shape.rows, words, shape.simd))
        outside = rng.random((shape.pixels, words)) < 0.2
        ones = (1 << planes) - 1
        if rng.random() < 0.2:  # the greatest sum
            x[:], w[:], outside[:] = ones, 0, False
        products = np.where(w[None] == 1, ones - x[:, None], x[:, None]).sum(axis=3)
        products = np.where(outside[:, None], ones * shape.simd // 2, products)
        sums.append(products.sum(axis=2))
        for plane in reversed(range(planes)):
            for word in range(words):
                last = word == words - 1 and plane == 0
                beats.append(
                    {
                        "x": x[:, word] >> plane & 1,
                        "w": w[:, word],
                        "border": outside[:, word],
                        "double": np.array([word == 0 and plane != planes - 1]),
                        "last": np.array([last]),
                        "clear": np.array([last]),
                    }
                )
        ends.append(len(beats) - 1)
        for _ in range(int(rng.integers(0, 4)) * int(rng.random() < 0.5)):
            gap()
    for _ in range(shape.latency + shape.row_groups + shape.pixel_groups):
        gap()
    return beats, sums, ends


def packed(beats) -> np.ndarray:
    bits = np.array([np.concatenate([np.ravel(beat[name]) for name in NAMES]) for beat in beats], np.uint8)
    padded = np.pad(bits, ((0, 0), (0, -bits.shape[1] % 64)))
    return np.packbits(padded, axis=1, bitorder="little").view(np.uint64)


def found(shape: ArrayShape, outputs: np.ndarray, end: int) -> np.ndarray:
    """The sums (pixels, rows) of the tile whose last beat was beat `end`; outputs (cycles, words)."""
    bits = np.unpackbits(np.ascontiguousarray(outputs).view(np.uint8), axis=1, bitorder="little")
    bits = bits[:, : shape.pixels * shape.group_rows * shape.sum_width]
    values = bits.reshape(len(bits), shape.pixels, shape.group_rows, shape.sum_width) @ (
        1 << np.arange(shape.sum_width)
    )
    sums = np.zeros((shape.pixels, shape.rows), np.int64)
    for pixel in range(shape.pixels):
        for row in range(shape.rows):
            at = end + shape.latency + pixel // shape.group_pixels + row // shape.group_rows
            sums[pixel, row] = values[at, pixel, row % shape.group_rows]
    return sums


@pytest.mark.parametrize(
    ("pixels", "rows", "simd", "group_pixels", "group_rows", "levels"),
    [(4, 8, 16, 2, 2, 2), (4, 4, 32, 4, 1, 1), (2, 6, 12, 1, 3, 3), (3, 2, 4, 3, 2, 2)],
)
@pytest.mark.parametrize("target", [PORTABLE, ECP5], ids=repr)
def test_sums_of_tiles(pixels, rows, simd, group_pixels, group_rows, levels, target):
    shape = ArrayShape(
        pixels=pixels,
        rows=rows,
        simd=simd,
        group_pixels=group_pixels,
        group_rows=group_rows,
        sum_width=12,
        levels=levels,
        target=target,
    )
    runs = [random_tiles(shape, np.random.default_rng(seed), 20) for seed in range(4)]
    simulator = BatchSimulator(Skewed(Array(shape)))
    for beats, sums, ends in runs:
        outputs = simulator.run(packed(beats)[None], output_beats=len(beats)).outputs[0]
        for wanted, end in zip(sums, ends, strict=True):
            np.testing.assert_array_equal(found(shape, outputs, end), wanted)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"group_pixels": 3}, r"group_pixels=3 must divide pixels=4"),
        ({"group_rows": 3}, r"group_rows=3 must divide rows=8"),
        ({"rows": 10}, r"rows=10 must divide simd=16"),
        ({"levels": 0}, r"levels=0 must be at least 1"),
        ({"sum_width": 5}, r"sum_width=5 must be more than the 5 bits of a count"),
    ],
)
def test_refuses(changes, message):
    with pytest.raises(ValueError, match=message):
        ArrayShape(**{"pixels": 4, "rows": 8, "simd": 16, "group_rows": 2, "target": PORTABLE} | changes)
