"""Random graphs of codes of several levels, which tests of programs share."""

import numpy as np

from bnnhw.compiler import Graph, IntType, Node, TensorType, Value
from bnnhw.compiler.ir.graph import infer_types
from bnnhw.compiler.ir.ops import (
    Add,
    ArgMax,
    Concat,
    Conv,
    DepthToSpace,
    Flatten,
    Invert,
    Levels,
    MatMul,
    MaxPool,
    MultiThreshold,
)
from bnnhw.compiler.ir.ops.base import Op
from bnnhw.compiler.ir.types import BinaryType
from bnnhw.compiler.units.codes import element_of
from bnnhw.hw.engine.lane_format import VALUE_BITS
from tests.engine_residuals import line

__all__ = ["random_levels"]


def random_levels(rng: np.random.Generator) -> Graph:
    """Convolutions of +-1, of integers, of sums of any factors or of groups, with one to four thresholds behind them:
    codes that stand for values at any distances, rising or not; of some channels turned upside down, pooled to the
    least or the greatest one, made pixels; read by one layer or several, side by side, or added to values. Then dense
    layers and labels, or a map of scores."""
    return _Drawing(rng).graph()


class _Drawing:
    def __init__(self, rng: np.random.Generator):
        self.rng = rng
        size = int(rng.choice([4, 4, 6, 8]))
        element = BinaryType() if rng.random() < 0.3 else IntType(0, int(rng.choice([1, 3, 12])))
        self.inputs = (Value("input", TensorType((size, size, int(rng.choice([1, 2, 3, 34]))), element)),)
        self.nodes: list[Node] = []
        self.values: dict[str, tuple[int, ...]] = {}  # what codes stand for

    def graph(self) -> Graph:
        rng = self.rng
        coded = [self.coded("stem", self.conv("stem.conv", "input"))]
        for number in range(int(rng.integers(1, 4))):
            source = coded[-1] if rng.random() < 0.7 else coded[int(rng.integers(len(coded)))]
            if rng.random() < 0.3:
                source = self.beside(f"concat{number}", source, coded)
            coded.append(self.block(f"layer{number}", source))
        last = coded[-1]
        if rng.random() < 0.5:
            self.add("scores", Conv(self.weights(3, 1, 1, self.shape(last)[2]), factors=self.factors), last)
        else:
            flat = self.add("flatten", Flatten(), last)
            scores = self.add("scores", MatMul(self.weights(3, *self.shape(flat)), factors=self.factors), flat)
            if rng.random() < 0.5:
                self.add("label", ArgMax(), scores)
        return Graph(self.inputs, tuple(self.nodes), (self.nodes[-1].output,))

    def block(self, name: str, source: str) -> str:
        """Codes of a convolution's sums; or of its values, those of another one added to them or not."""
        rng = self.rng
        sums = self.conv(f"{name}.conv", source)
        if rng.random() < 0.6:
            return self.coded(name, sums)
        values = self.valued(f"{name}.values", sums)
        if rng.random() < 0.5:
            rows, stride = self.shape(sums)[2], self.stride
            other = self.conv(f"{name}.beside", source, rows=rows, stride=stride, kernel=self.kernel)
            values = self.add(f"{name}.add", Add(), values, self.valued(f"{name}.beside.values", other))
        if rng.random() < 0.4:
            other = self.coded(f"{name}.other", values, moves=False)
            return self.beside(f"{name}.both", self.coded(name, values, moves=False), [other])
        return self.coded(name, values, moves=False)

    def beside(self, name: str, source: str, others: list[str]) -> str:
        """A map and others of its size whose codes stand for the same values."""
        size, values = self.shape(source)[:2], self.values[source]
        fitting = [each for each in others if self.shape(each)[:2] == size and self.values[each] == values]
        if not fitting:
            return source
        value = self.add(name, Concat(), source, *fitting[:2])
        self.values[value] = values
        return value

    def conv(
        self, name: str, source: str, *, rows: int | None = None, stride: int | None = None, kernel: int | None = None
    ) -> str:
        rng = self.rng
        size, _, channels = self.shape(source)
        self.kernel = kernel or (int(rng.choice([1, 3])) if size >= 3 else 1)
        self.stride = stride or (int(rng.choice([1, 1, 1, 2])) if size > self.kernel else 1)
        groups = 2 if channels % 2 == 0 and rng.random() < 0.2 else 1
        rows = rows or 4 * int(rng.integers(1, 10))
        groups = groups if rows % groups == 0 else 1
        weights = self.weights(rows, self.kernel, self.kernel, channels // groups)
        padding = self.kernel // 2
        return self.add(
            name,
            Conv(
                weights,
                stride=(self.stride, self.stride),
                padding=(padding, padding),
                pad_value=self.padding_of(source),
                groups=groups,
                factors=self.factors,
            ),
            source,
        )

    def padding_of(self, source: str) -> int:
        """The first of its values, or the middle one, where there is a number that is that and channels to pad."""
        if source not in self.values:
            element = self.element(source)
            first, last, is_middle = element.lo, element.hi, element.lo == -1
        else:
            first, *_, last = self.values[source]
            is_middle = (first + last) % 2 == 0 and (len(self.values[source]) > 2 or first == -last)
        is_middle = is_middle and self.shape(source)[2] % 2 == 0 and self.rng.random() < 0.5
        return (first + last) // 2 if is_middle else first

    def coded(self, name: str, numbers: str, *, moves: bool = True) -> str:
        """Codes of numbers, and what these stand for."""
        rng = self.rng
        rows, levels = self.shape(numbers)[2], int(rng.choice([1, 2, 2, 3, 4]))
        element = self.element(numbers)
        spread = max(2, min(-element.lo, int(rng.choice([6, 60, 1 << 30]))))
        thresholds = np.sort(rng.integers(-spread, spread + 1, (levels, rows)), axis=0)
        least = int(rng.choice([0, 0, -1]))
        value = self.add(f"{name}.codes", MultiThreshold(thresholds, least=least), numbers)
        if rng.random() < 0.3:
            value = self.add(f"{name}.invert", Invert(rng.random(rows) < 0.5, 2 * least + levels), value)
        lines, columns, _ = self.shape(value)
        if moves and min(lines, columns) >= 2 and rng.random() < 0.4:
            kernel = int(rng.choice([2, 3])) if min(lines, columns) > 2 else 2
            padding = int(rng.integers(0, kernel // 2 + 1)) if rng.random() < 0.3 else 0
            minimum = rng.random(rows) < 0.5 if rng.random() < 0.7 else None
            pool = MaxPool((kernel, kernel), (2, 2), minimum, padding=(padding, padding))
            value = self.add(f"{name}.pool", pool, value)
        elif moves and rng.random() < 0.15 and lines < 8:
            value = self.add(f"{name}.pixels", DepthToSpace(2), value)
        if least == 0 and rng.random() < 0.7:
            values = rng.integers(-9, 10, levels + 1)
            kind = rng.random()
            if kind < 0.4:
                values = np.arange(-levels, levels + 1, 2)
            elif kind < 0.6:
                values = np.sort(values)
            if len(set(values.tolist())) > 1:
                value = self.add(f"{name}.out", Levels(tuple(values.tolist())), value)
                self.values[value] = tuple(values.tolist())
                return value
        self.values[value] = tuple(range(least, least + levels + 1))
        return value

    def valued(self, name: str, sums: str) -> str:
        """Values of sums: a line, or the sums themselves where all they add up to has room."""
        rng, rows, element = self.rng, self.shape(sums)[2], self.element(sums)
        most = max(-element.lo, element.hi)
        if most < 1 << VALUE_BITS - 2 and rng.random() < 0.3:
            return sums
        bits, shift = int(rng.integers(2, VALUE_BITS - 1)), int(rng.integers(0, 12))
        size = max(2, min(1 << 9, (2 << bits + shift) // (most + 1)))
        reach = 1 << bits + shift
        op = line(rng.integers(-size, size, rows), rng.integers(-reach, reach, rows), shift=shift, bits=bits)
        return self.add(name, op, sums)

    def weights(self, *shape: int) -> np.ndarray:
        """+-1, integers, or sums of a few factors, which are kept."""
        rng, self.factors = self.rng, ()
        kind = rng.random()
        if kind < 0.5:
            return (2 * rng.integers(0, 2, shape) - 1).astype(np.int8)
        if kind < 0.75:
            most = int(rng.choice([1, 2, 7]))
            return rng.integers(-most, most + 1, shape).astype(np.int16)
        self.factors = tuple(rng.integers(1, 14, int(rng.integers(2, 4))).tolist())
        signs = 2 * rng.integers(0, 2, (len(self.factors), *shape)) - 1
        return np.tensordot(np.array(self.factors), signs, 1).astype(np.int16)

    def type(self, name: str) -> TensorType:
        if name == "input":
            return self.inputs[0].type
        return infer_types(Graph(self.inputs, tuple(self.nodes), (name,)))[name]

    def element(self, name: str) -> BinaryType | IntType:
        return element_of(self.type(name))

    def shape(self, name: str) -> tuple[int, ...]:
        return self.type(name).shape

    def add(self, name: str, op: Op, *values: str) -> str:
        """The value of one more node."""
        self.nodes.append(Node(name, op, values, f"{name}.sum"))
        return self.nodes[-1].output
