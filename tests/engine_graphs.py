"""Graphs of binary maps side by side, some read by several layers: what tests of programs share."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from bnnhw.compiler import Graph, IntType, Node, TensorType, Value, integerize, load
from bnnhw.compiler.ir.ops import ArgMax, Concat, Conv, Flatten, MatMul, MaxPool, Threshold
from bnnhw.compiler.ir.ops.base import Op
from bnnhw.compiler.ir.types import BinaryType
from bnnhw.lowlight.network.file import LowlightFile
from bnnhw.lowlight.network.tile import save_window
from bnnhw.lowlight.network.unet import AbcLsid, AbcLsidShape
from bnnhw.model.export import save
from bnnhw.model.networks.catalogue import architecture, build_network

__all__ = ["densenet7", "random_graph", "unet"]


@cache
def unet(side: int, *, width: int, levels: int) -> Graph:
    """ABCLSID of one basis on mosaics of side x side packed pixels: skips, transposed convolutions, an input of 12
    bits, 8-bit weights at both ends."""
    with torch.random.fork_rng(devices=()), TemporaryDirectory() as folder:
        torch.manual_seed(0)
        network = AbcLsid(AbcLsidShape(width=width, levels=levels, weight_bases=1, activation_bases=1)).eval()
        mosaics = np.random.default_rng(0).integers(0, 4096, (2, 32, 32, 4)).astype(np.uint16)
        save_window(LowlightFile(network, {}, mosaics), Path(folder) / "model.pt", side=side)
        return integerize(load(Path(folder) / "model.pt"))


@cache
def densenet7() -> Graph:
    """The catalogue's network for digits, of random weights, behind batch norms that have seen images."""
    with torch.random.fork_rng(devices=()), torch.no_grad(), TemporaryDirectory() as folder:
        torch.manual_seed(0)
        network = build_network(architecture("densenet7"), shape=(8, 8, 1), lo=0, hi=16, classes=10)
        images = np.random.default_rng(0).integers(0, 17, (100, 8, 8, 1))
        network(torch.from_numpy(images).float())
        saved = save(network.eval(), Path(folder) / "model.pt", example_input=images, input_range=(0, 16))
    return integerize(saved)


def random_graph(rng: np.random.Generator, *, labels: bool = True) -> Graph:
    """Convolutions of the network's input and of bits side by side; then dense layers and labels, or else a map of
    scores: without dense layers frames may be cut into strips."""
    return _Drawing(rng, labels).graph()


class _Drawing:
    def __init__(self, rng: np.random.Generator, labels: bool):
        self.rng, self.labels = rng, labels
        size, channels = int(rng.choice([4, 8])), int(rng.choice([1, 2, 3, 34]))
        self.element = BinaryType() if rng.random() < 0.5 else IntType(0, int(rng.choice([1, 3, 12])))
        self.inputs = (Value("x", TensorType((size, size, channels), self.element)),)
        self.nodes: list[Node] = []
        self.maps: dict[tuple[int, int], list[tuple[str, int]]] = {(size, size): [("x", channels)]}
        self.last = (size, size)

    def graph(self) -> Graph:
        for number in range(int(self.rng.integers(2, 6))):
            self.convolution(number)
        unread = {name for node in self.nodes for name in node.inputs}
        bits = [each for each in self.maps[self.last] if each[0] != "x"]
        value, channels = self.joined([each for each in bits if each[0] not in unread] or bits)
        if self.labels:
            self.dense(value, channels)
        else:
            self.add("map", Conv(self.signs(int(self.rng.integers(1, 12)), 1, 1, channels)), value)
        return Graph(self.inputs, tuple(self.nodes), (self.nodes[-1].output,))

    def dense(self, value: str, channels: int) -> None:
        """One to three layers of the same flattened map, side by side, and a label of all of them."""
        value, features = self.add("flatten", Flatten(), value), channels * int(np.prod(self.last))
        widths = self.rng.integers(3, 40, int(self.rng.integers(0, 4)))
        if len(widths):
            hidden = []
            for number, width in enumerate(widths):
                sums = self.add(f"hidden{number}", MatMul(self.signs(width, features)), value)
                hidden.append((self.add(f"hidden_sign{number}", Threshold(self.thresholds(width)), sums), int(width)))
            value, features = self.joined(hidden)
        scores = self.add("scores", MatMul(self.signs(int(self.rng.integers(2, 12)), features)), value)
        self.add("label", ArgMax(), scores)

    def convolution(self, number: int) -> None:
        """Of one to three maps of the last size, or now and then of another one."""
        rng = self.rng
        sizes = list(self.maps)
        size = self.last if rng.random() < 0.8 else sizes[int(rng.integers(len(sizes)))]
        maps = self.maps[size]
        chosen = [maps[place] for place in rng.integers(0, len(maps), int(rng.integers(1, 4)))]
        if not isinstance(self.element, BinaryType) and any(name == "x" for name, _ in chosen):
            chosen = [each for each in chosen if each[0] == "x"]
        value, channels = self.joined(chosen)
        lo = self.element.lo if chosen[0][0] == "x" else -1
        rows, kernel = int(rng.integers(1, 40)), int(rng.choice([1, 3] if not self.labels else [1, 2, 3]))
        kernel = kernel if min(size) >= 3 else 1
        padding = int(kernel == 3 and (not self.labels or rng.random() < 0.8))
        pad_value = 0 if lo == -1 and channels % 2 == 0 and rng.random() < 0.5 else lo
        stride = int(rng.choice([1, 1, 1, 1, 1, 2])) if min(size) > kernel else 1
        weights = self.signs(rows, kernel, kernel, channels)
        conv = Conv(weights, stride=(stride, stride), padding=(padding, padding), pad_value=pad_value)
        value = self.add(f"conv{number}", conv, value)
        lines, columns, _ = conv.output_shape((*size, channels))
        value = self.add(f"sign{number}", Threshold(self.thresholds(rows)), value)
        if min(lines, columns) >= 2 and rng.random() < 0.2:
            size = 3 if number % 2 and min(lines, columns) > 2 else 2  # of windows that overlap, or not
            pool = MaxPool((size, size), (2, 2), rng.random(rows) < 0.5)
            value = self.add(f"pool{number}", pool, value)
            lines, columns = (lines - size) // 2 + 1, (columns - size) // 2 + 1
        self.maps.setdefault((lines, columns), []).append((value, rows))
        self.last = lines, columns

    def joined(self, maps: list[tuple[str, int]]) -> tuple[str, int]:
        """Maps side by side, now and then some of them first: the value, and its channels."""
        if len(maps) > 2 and self.rng.random() < 0.5:
            maps = [self.joined(maps[:2]), *maps[2:]]
        if len(maps) == 1:
            return maps[0]
        return self.add(f"concat{len(self.nodes)}", Concat(), *(name for name, _ in maps)), sum(
            count for _, count in maps
        )

    def add(self, name: str, op: Op, *values: str) -> str:
        """The value of one more node."""
        self.nodes.append(Node(name, op, values, f"{name}.out"))
        return self.nodes[-1].output

    def signs(self, *shape: int) -> np.ndarray:
        return (2 * self.rng.integers(0, 2, shape) - 1).astype(np.int8)

    def thresholds(self, rows: int) -> np.ndarray:
        return self.rng.integers(-6, 7, rows)
