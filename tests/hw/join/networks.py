"""Random series-parallel networks of units, and what numpy says of them."""

import random
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from bnnhw.hw.core import Core
from bnnhw.hw.join.add import Add
from bnnhw.hw.join.concat import Concat
from bnnhw.hw.join.fork import Fork
from bnnhw.hw.join.split import Split
from bnnhw.hw.pool.max_pool import MaxPool
from bnnhw.hw.pool.sum_pool import SumPool
from bnnhw.hw.stream.buffer import StreamBuffer
from bnnhw.hw.stream.connections import OUTSIDE, Connection, End
from bnnhw.hw.stream.fifo import Fifo
from bnnhw.hw.stream.width import WidthConverter
from bnnhw.hw.targets import PORTABLE
from bnnhw.hw.window.sliding_window import SlidingWindow
from tests.hw.pool.test_pool import to_beats

FRAMES = 3
WIDEST = 72  # bits of a beat that a window may have


@dataclass(frozen=True)
class Images:
    """A stream of whole pixels: where it comes from, its values (frames, height, width, channels), their bits."""

    end: End
    values: np.ndarray
    bits: int

    @property
    def channels(self) -> int:
        return self.values.shape[-1]

    @property
    def width(self) -> int:
        """Bits of a beat."""
        return self.channels * self.bits

    @property
    def beats(self) -> list[int]:
        return to_beats(self.values, 1, self.channels, self.bits)


class Sketch:
    """A network unit by unit. With `ample` queues each branch has room for an image; else they are as it comes."""

    def __init__(self, seed: int, *, ample: bool = True):
        self.rng = random.Random(seed)
        self.ample = ample
        self.units: list = []
        self.connections: list[Connection] = []
        self.outputs: list[Images] = []

    def input(self, *, channels: int = 2, bits: int = 1, side: int = 4) -> Images:
        """Random images."""
        shape = (FRAMES, side, side, channels)
        return Images(
            (OUTSIDE, "i"), np.random.default_rng(self.rng.getrandbits(32)).integers(0, 1 << bits, shape), bits
        )

    def core(self, x: Images, y: Images) -> Core:
        """The network from x to y."""
        return Core(
            units=self.units,
            connections=[*self.connections, (y.end, (OUTSIDE, "o"))],
            input_lanes=x.channels,
            input_width=x.bits,
            output_lanes=y.channels,
            output_width=y.bits,
        )

    def add(self, unit, **inputs: Images) -> int:
        """The number of a unit that reads these."""
        self.units.append(unit)
        self.connections += [(x.end, (len(self.units) - 1, port)) for port, x in inputs.items()]
        return len(self.units) - 1

    def behind(self, unit, x: Images, values: np.ndarray | None = None, bits: int | None = None) -> Images:
        """What a unit makes of a stream, by default the same."""
        return Images((self.add(unit, i=x), "o"), x.values if values is None else values, bits or x.bits)

    def buffer(self, x: Images) -> Images:
        return self.behind(StreamBuffer(width=x.width), x)

    def queue(self, x: Images, limit: int) -> Images:
        depth = max(8, 1 << (limit - 1).bit_length())
        return self.behind(Fifo(width=x.width, depth=depth, limit=limit, target=PORTABLE), x)

    def converters(self, x: Images) -> Images:
        """Another number of lanes, and back."""
        elements = x.values.shape[1] * x.values.shape[2] * x.channels
        lanes = self.rng.choice([lanes for lanes in range(1, 2 * x.channels + 1) if elements % lanes == 0])
        there = WidthConverter(width=x.bits, in_lanes=x.channels, out_lanes=lanes)
        back = WidthConverter(width=x.bits, in_lanes=lanes, out_lanes=x.channels)
        return self.behind(back, self.behind(there, x))

    def neighbours(self, x: Images, kernel: tuple[int, int]) -> Images:
        """Of each pixel, as channels."""
        return self._windows(x, kernel, 1)

    def shrink(self, x: Images) -> Images:
        """Half as high and half as wide."""
        kind = self.rng.choice(["max", "sum", "window"] if 4 * x.width <= WIDEST else ["max"])
        if kind == "window":
            return self._windows(x, (2, 2), 2)
        _, height, width, channels = x.values.shape
        unit = (MaxPool if kind == "max" else SumPool)(
            height=height, width=width, channels=channels, element_bits=x.bits, window=(2, 2), stride=(2, 2),
            lanes=channels, target=PORTABLE,
        )  # fmt: skip
        views = sliding_window_view(x.values, (2, 2), axis=(1, 2))[:, ::2, ::2]
        return self.behind(unit, x, (np.max if kind == "max" else np.sum)(views, axis=(-2, -1)), unit.result_bits)

    def _windows(self, x: Images, kernel: tuple[int, int], stride: int) -> Images:
        _, height, width, channels = x.values.shape
        borders = (0, 0) if stride > 1 else (kernel[0] // 2, kernel[1] // 2)
        top, left = borders
        unit = SlidingWindow(
            height=height, width=width, channels=channels, element_bits=x.bits, kernel=kernel, stride=(stride, stride),
            padding=(top, top, left, left), simd=kernel[0] * kernel[1] * channels, target=PORTABLE,
        )  # fmt: skip
        padded = np.pad(x.values, ((0, 0), (top, top), (left, left), (0, 0)))
        views = sliding_window_view(padded, kernel, axis=(1, 2))[:, ::stride, ::stride]
        words = np.moveaxis(views, 3, -1)
        return self.behind(unit, x, words.reshape(*words.shape[:3], -1))

    def series(self, x: Images, *, shrinks: int, depth: int) -> Images:
        """Some units one after the other; the image is halved so many times."""
        within = self.rng.randint(0, shrinks) if depth else 0
        steps = ["shrink"] * (shrinks - within) + ["unit"] * self.rng.randint(0, 2) + ["branches"] * (depth > 0)
        self.rng.shuffle(steps)
        for step in steps:
            if step == "shrink":
                x = self.shrink(x)
            elif step == "branches":
                x = self.branches(x, shrinks=within, depth=depth - 1)
            elif 9 * x.width <= WIDEST and self.rng.random() < 0.5:
                x = self.neighbours(x, self.rng.choice([(3, 3), (3, 1), (1, 3), (1, 1)]))
            else:
                x = self.rng.choice([self.buffer, self.converters])(x)
        return x

    def branches(self, x: Images, *, shrinks: int, depth: int) -> Images:
        """Two or three branches that end in images of one size, and their join."""
        ends = []
        for branch in self.part(x, self.rng.randint(2, 3)):
            pixels = branch.values.shape[1] * branch.values.shape[2]
            if self.ample:
                branch = self.queue(branch, pixels)
            elif self.rng.random() < 0.6:
                branch = self.queue(branch, self.rng.choice([1, 2, 3, 5, pixels]))
            ends.append(self.series(branch, shrinks=shrinks, depth=self.rng.randint(0, depth)))
        while len(ends) > 1:
            first, second, *rest = ends
            if first.channels == second.channels and self.rng.random() < 0.6:
                ends = [self.sum(first, second), *rest]
            else:
                ends = [self.concat(*ends)]
        return ends[0]

    def part(self, x: Images, count: int) -> list[Images]:
        """A stream several times, or some channels of each pixel for each."""
        if x.channels == 1 or self.rng.random() < 0.6:
            number = self.add(Fork(width=x.width, outputs=count), i=x)
            return [Images((number, f"o{output}"), x.values, x.bits) for output in range(count)]
        parts = [sorted(self.rng.sample(range(x.channels + 1), 2)) for _ in range(count)]
        number = self.add(Split(channels=x.channels, parts=[(a, b) for a, b in parts], bits=x.bits), i=x)
        return [Images((number, f"o{k}"), x.values[..., a:b], x.bits) for k, (a, b) in enumerate(parts)]

    def sum(self, a: Images, b: Images) -> Images:
        """Of both, perhaps clipped."""
        greatest = (1 << a.bits) - 1, (1 << b.bits) - 1
        clip = self.rng.choice([None, (0, max(greatest)), (1, sum(greatest))])
        unit = Add(elements=a.channels, greatest=greatest, clip=clip, target=PORTABLE)
        total = a.values + b.values
        values = total if clip is None else np.clip(total, *clip) - clip[0]
        return Images((self.add(unit, i0=a, i1=b), "o"), values, unit.shape.result_width)

    def concat(self, *inputs: Images) -> Images:
        """All channels, bit by bit where they differ in bits."""
        if len({x.bits for x in inputs}) > 1:
            inputs = tuple(Images(x.end, _bits(x), 1) for x in inputs)
        unit = Concat(channels=[x.channels for x in inputs], bits=inputs[0].bits)
        number = self.add(unit, **{f"i{k}": x for k, x in enumerate(inputs)})
        return Images((number, "o"), np.concatenate([x.values for x in inputs], axis=-1), inputs[0].bits)


def _bits(x: Images) -> np.ndarray:
    bits = x.values[..., None] >> np.arange(x.bits) & 1
    return bits.reshape(*x.values.shape[:3], -1)
