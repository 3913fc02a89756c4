"""Graphs with values of fixed point: residual networks of the catalogue and random ones, which tests of programs
share."""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from bnnhw.compiler import Graph, IntType, Node, TensorType, Value, evaluate, integerize
from bnnhw.compiler.engine.program import EngineProgram
from bnnhw.compiler.ir.ops import Add, ArgMax, Conv, Flatten, MatMul, MaxPool, Operator, PadChannels, SumPool, Threshold
from bnnhw.compiler.ir.ops.base import Op
from bnnhw.compiler.ir.ops.trained.requantise import line_program
from bnnhw.compiler.ir.types import BinaryType
from bnnhw.hw.engine.lane_format import VALUE_BITS
from bnnhw.model.export import save
from bnnhw.model.networks.catalogue import architecture, build_network

__all__ = ["catalogued", "line", "random_residuals", "wanted_of"]

HALF = 1 << VALUE_BITS - 1


@cache
def catalogued(name: str, *options: str) -> Graph:
    """The catalogue's network for digits, of random weights, behind batch norms that have seen images."""
    with torch.random.fork_rng(devices=()), torch.no_grad(), TemporaryDirectory() as folder:
        torch.manual_seed(0)
        network = build_network(architecture(name, options=options), shape=(8, 8, 1), lo=0, hi=16, classes=10)
        images = np.random.default_rng(0).integers(0, 17, (100, 8, 8, 1))
        network(torch.from_numpy(images).float())
        saved = save(network.eval(), Path(folder) / "model.pt", example_input=images, input_range=(0, 16))
    return integerize(saved)


def line(factors: np.ndarray | list[int], offsets: np.ndarray | list[int], *, shift: int, bits: int) -> Operator:
    """clip((factor*x + offset) >> shift) of each channel, to signed integers of so many bits."""
    lines = tuple((int(a), int(b)) for a, b in zip(factors, offsets, strict=True))
    return Operator(line_program(lines, shift, -1 << bits - 1, (1 << bits - 1) - 1, 0))


def wanted_of(program: EngineProgram, graph: Graph, inputs: np.ndarray) -> np.ndarray:
    """The graph's values that the host is to read of a program."""
    (value,) = program.network.tail.inputs
    (wanted,) = evaluate(replace(graph, outputs=(value.name,)), {"input": inputs}).values()
    return wanted


def random_residuals(rng: np.random.Generator, *, convolves_values: bool = False, pools_values: bool = False) -> Graph:
    """Blocks of one or two convolutions of bits, weights of one or several bits, and sums with earlier values: the same
    pixels or each second or third one, some of the channels, exact or clipped. Then the host's layers behind the last
    values, or dense ones of bits. With `convolves_values` convolutions read values, too; with `pools_values` there are
    windows of them of which the greatest ones are taken."""
    return _Drawing(rng, convolves_values, pools_values).graph()


@dataclass(frozen=True)
class _Map:
    """A map of the graph, its shape, and the least and the greatest of its elements."""

    name: str
    shape: tuple[int, int, int]
    span: tuple[int, int] = (-1, 1)


class _Drawing:
    def __init__(self, rng: np.random.Generator, convolves_values: bool, pools_values: bool):
        self.rng = rng
        self.pools_values = pools_values
        self.convolves_values = convolves_values
        self.nodes: list[Node] = []
        self.values: list[_Map] = []
        size, channels = int(rng.choice([4, 4, 5, 6, 8])), int(rng.choice([1, 2, 3]))
        element = BinaryType() if rng.random() < 0.3 else IntType(0, int(rng.choice([1, 3, 12])))
        self.inputs = (Value("input", TensorType((size, size, channels), element)),)
        self.first = _Map("input", (size, size, channels), (element.lo, element.hi))

    def graph(self) -> Graph:
        rng = self.rng
        stem: dict[str, int] = {}
        if self.pools_values:
            stem = {"kernel": int(rng.choice([1, 3])), "stride": int(rng.choice([1, 1, 2]))}
        sums = self.conv("stem.conv", self.first, rows=int(rng.integers(1, 20)), **stem)
        self.values.append(self.pooled("stem.pool", self.valued("stem", sums)))
        for number in range(int(rng.integers(1, 5))):
            self.values.append(self.block(f"block{number}"))
        last = self.values[-1]
        lines, columns, channels = last.shape
        if rng.random() < 0.5:
            pooled = self.add("pool", SumPool((lines, columns), (lines, columns)), last.name)
            flat = self.add("flatten", Flatten(), pooled)
            value = self.add("scores", MatMul(rng.integers(-7, 8, (3, channels)).astype(np.int16)), flat)
            if rng.random() < 0.7:
                self.add("label", ArgMax(), value)
        elif rng.random() < 0.5:
            flat = self.add("flatten", Flatten(), self.bits("last", last).name)
            self.add("scores", MatMul(self.weights(3, int(np.prod(last.shape)), bits=1)), flat)
        else:
            self.add("map", Conv(self.weights(5, 1, 1, channels, bits=1)), self.bits("last", last).name)
        return Graph(self.inputs, tuple(self.nodes), (self.nodes[-1].output,))

    def block(self, name: str) -> _Map:
        """clip(line(convolutions of bits of an earlier value) + that value, or another one)."""
        rng = self.rng
        source = self.values[-1] if rng.random() < 0.7 else self.values[int(rng.integers(len(self.values)))]
        stride = int(rng.choice([1, 1, 1, 2, 3])) if source.shape[0] > 3 else 1
        apart = stride
        rows = source.shape[2] + (int(rng.integers(0, 9)) if rng.random() < 0.5 else 0)
        shortcut = source if stride == 1 else self.subsampled(f"{name}.subsample", source, stride)
        if rng.random() < 0.2:  # bits of the pixels that are left, by a layer that reads no map
            bits, stride = self.bits(f"{name}.sign", shortcut), 1
        else:
            bits = self.bits(f"{name}.sign", source)
        if rng.random() < 0.3:
            inner = self.conv(f"{name}.inner", bits, rows=int(rng.integers(1, 36)), kernel=3, bits=1)
            bits = self.bits(f"{name}.inner.sign", self.pooled(f"{name}.inner.pool", inner, stride=1))
        if self.convolves_values and self.has_planes(source, kernel=3) and rng.random() < 0.3:
            before = self.conv(f"{name}.before", source, rows=int(rng.integers(1, 20)), kernel=3)
            bits, stride = self.bits(f"{name}.before.sign", before), apart
        kernel = 3 if stride == 2 or (stride == 1 and rng.random() < 0.6) else 1
        value = self.valued(name, self.conv(f"{name}.conv", bits, rows=rows, kernel=kernel, stride=stride))
        if rng.random() < 0.2:
            beside = self.conv(f"{name}.beside.conv", bits, rows=rows, kernel=kernel, stride=stride)
            shortcut = self.valued(f"{name}.beside", beside)
        elif rng.random() < 0.2:
            shortcut = next((each for each in self.values if each.shape == value.shape), shortcut)
        elif self.convolves_values and self.has_planes(source, kernel=1):
            sums = self.conv(f"{name}.shortcut.conv", source, rows=rows, stride=apart)
            shortcut = self.valued(f"{name}.shortcut", sums)
        return self.sum(name, value, self.padded(f"{name}.pad", shortcut, rows))

    def has_planes(self, source: _Map, *, kernel: int) -> bool:
        """Whether all test shapes have room for a window's sums of these values, whose least one pads it."""
        lo, hi = source.span
        bits = max(hi, -1 - lo).bit_length() + 1
        return (kernel == 1 or lo == -1 << bits - 1) and kernel**2 * source.shape[2] << bits <= 1 << 17

    def sum(self, name: str, value: _Map, shortcut: _Map) -> _Map:
        rng = self.rng
        lo, hi = value.span[0] + shortcut.span[0], value.span[1] + shortcut.span[1]
        order = (value.name, shortcut.name) if rng.random() < 0.5 else (shortcut.name, value.name)
        total = self.add(f"{name}.add", Add(), *order)
        if max(-lo - 1, hi) < HALF and rng.random() < 0.5:
            return _Map(total, value.shape, (lo, hi))
        bits = int(rng.integers(2, VALUE_BITS + 1))
        clip = line([1] * value.shape[2], [0] * value.shape[2], shift=0, bits=bits)
        return _Map(self.add(f"{name}.clip", clip, total), value.shape, (-1 << bits - 1, (1 << bits - 1) - 1))

    def conv(
        self, name: str, source: _Map, *, rows: int, kernel: int = 1, stride: int = 1, bits: int | None = None
    ) -> _Map:
        rng, channels = self.rng, source.shape[2]
        weights = self.weights(rows, kernel, kernel, channels, bits=bits or int(rng.choice([1, 1, 2, 3, 4])))
        is_zero = source.span[0] == -1 and channels % 2 == 0 and rng.random() < 0.5
        op = Conv(
            weights,
            stride=(stride, stride),
            padding=(kernel // 2, kernel // 2),
            pad_value=0 if is_zero else source.span[0],
        )
        most = int(np.abs(weights.astype(np.int64)).reshape(rows, -1).sum(1).max()) * max(map(abs, source.span))
        lines, columns, _ = op.output_shape(source.shape)
        return _Map(self.add(name, op, source.name), (lines, columns, rows), (-most, most))

    def valued(self, name: str, sums: _Map) -> _Map:
        """Values of a convolution's sums: a line, of which some channels reach both clips, or the sums themselves."""
        rng, rows, most = self.rng, sums.shape[2], sums.span[1]
        if most < HALF // 2 and rng.random() < 0.3:
            return sums
        bits, shift = int(rng.integers(2, VALUE_BITS + 1)), int(rng.integers(0, 16))
        size = max(2, min(1 << 14, (2 << bits + shift) // (most + 1)))
        factors = rng.integers(-size, size, rows if rng.random() < 0.7 else 1)
        reach = 1 << min(40, bits + shift)
        offsets = rng.integers(-reach, reach, rows) // int(rng.choice([1, 4, 1 << 45]))
        op = line(np.broadcast_to(factors, rows), offsets, shift=shift, bits=bits)
        return _Map(self.add(name, op, sums.name), sums.shape, (-1 << bits - 1, (1 << bits - 1) - 1))

    def bits(self, name: str, source: _Map) -> _Map:
        """Thresholds at values that occur, and some beyond all."""
        rng = self.rng
        spread = max(1, min(-source.span[0], int(rng.choice([4, 40, HALF]))))
        thresholds = rng.integers(-spread, spread + 1, source.shape[2])
        far = rng.random(source.shape[2]) < 0.1
        thresholds = np.where(far, rng.choice([-40000, -HALF, HALF - 1, HALF, 40000], source.shape[2]), thresholds)
        return _Map(self.add(name, Threshold(thresholds), source.name), source.shape)

    def pooled(self, name: str, source: _Map, *, stride: int | None = None) -> _Map:
        """The greatest of windows, some of which reach beyond the map; or all values, as `pools_values` says it. With
        stride 1 as many as there were."""
        rng, (lines, columns, _) = self.rng, source.shape
        if not self.pools_values or rng.random() < 0.2:
            return source
        kernel = int(rng.choice([3, 5] if stride == 1 else [2, 3, 3, 4]))
        padding = kernel // 2 if stride == 1 or kernel > min(lines, columns) else int(rng.integers(0, kernel // 2 + 1))
        steps = (stride or int(rng.choice([1, 2, 2, 3])), stride or int(rng.choice([1, 2, 2, 3])))
        if min(lines, columns) + 2 * padding < kernel:
            return source
        op = MaxPool((kernel, kernel), steps, padding=(padding, padding))
        shape = op.infer(TensorType(source.shape, IntType(*source.span))).shape
        return _Map(self.add(name, op, source.name), (shape[0], shape[1], shape[2]), source.span)

    def subsampled(self, name: str, source: _Map, stride: int) -> _Map:
        lines, columns = (-(-each // stride) for each in source.shape[:2])
        value = self.add(name, MaxPool((1, 1), (stride, stride)), source.name)
        return _Map(value, (lines, columns, source.shape[2]), source.span)

    def padded(self, name: str, source: _Map, rows: int) -> _Map:
        if not (more := rows - source.shape[2]):
            return source
        before = 4 * int(self.rng.integers(0, more // 4 + 1))
        lo, hi = source.span
        value = self.add(name, PadChannels(before, more - before), source.name)
        return _Map(value, (*source.shape[:2], rows), (min(lo, 0), max(hi, 0)))

    def add(self, name: str, op: Op, *values: str) -> str:
        """The value of one more node."""
        self.nodes.append(Node(name, op, values, f"{name}.out"))
        return self.nodes[-1].output

    def weights(self, *shape: int, bits: int) -> np.ndarray:
        """+-1, or integers of so many bits, all odd ones or not."""
        rng, most = self.rng, (1 << bits) - 1
        if bits == 1:
            return (2 * rng.integers(0, 2, shape) - 1).astype(np.int8)
        whole = (
            2 * rng.integers(0, most + 1, shape) - most if rng.random() < 0.5 else rng.integers(-most, most + 1, shape)
        )
        return whole.astype(np.int16)
