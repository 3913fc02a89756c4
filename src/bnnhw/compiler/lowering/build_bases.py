"""From a product of binary bases to a layer: of weights, of activations, or of both.

With weights W = sum of a_m*B_m, B_m of +-1, and inputs X = v_0 + sum of f_n*u_n, u_n the bits code > n of codes and f_n
the step from value to value, or one u, the code itself, and its step,

    W . X = v_0 * sum of W + sum over m and n of a_m*f_n * (B_m . u_n).

The matrix unit counts, for each m and n, k_mn = B_m . u_n + (greatest u) * (how many of B_m are -1). So W . X is an
offset of the row and sum of a_m*f_n*k_mn, which an operator makes; or, where there is one n, multipliers make the same
of W and u. Source of the form: Lin et al., ABC-Net,
arXiv:1711.11294, equation 11.

Tests: tests/test_bases_in_hardware.py
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops import Conv, Levels, Product
from bnnhw.compiler.ir.types import BinaryType, IntType, TensorType
from bnnhw.compiler.passes.split_weights import Planes, combining, planes_of
from bnnhw.compiler.units.codes import Codes, element_of
from bnnhw.compiler.units.operator.computing import Computing
from bnnhw.compiler.units.operator.patch import Coded
from bnnhw.compiler.units.product.borders import NO_BORDERS, Borders, border_sums
from bnnhw.compiler.units.product.integers import Integers
from bnnhw.compiler.units.product.layer import MatrixLayer

from .build_steps import steps_behind
from .build_windows import windows_of
from .segments import Segment


def build_bases(segment: Segment, types: Mapping[str, TensorType]) -> MatrixLayer:
    """The layer of a product that reads levels, or whose weights are sums of known factors."""
    node = segment.first
    assert node is not None
    op = node.op
    assert isinstance(op, Product)
    x = types[node.inputs[0]]
    planes = Planes(op.weights, (1,), 0) if op.is_binary else planes_of(op)
    inputs = Inputs.of(segment.levels, element_of(x))
    windows, borders, beyond = None, NO_BORDERS, np.zeros((1, 1, op.rows), np.int64)
    if isinstance(op, Conv):
        windows = replace(windows_of(node, op, x), padding_code=inputs.padding_code(op))
        borders, beyond = inputs.beyond(op, x.shape)
    bases = planes.rows.reshape(op.rows, len(planes.factors), -1)  # (rows, m, columns)
    factors = np.multiply.outer(np.array(planes.factors), inputs.steps)  # (m, n)
    unit = int(np.gcd.reduce(factors, axis=None)) or 1
    most_count = op.cols * inputs.greatest
    least, most = (int(bound(factors // unit, 0).sum()) * most_count for bound in (np.minimum, np.maximum))
    weights = op.weights.reshape(op.rows, -1).astype(np.int64)
    negatives = inputs.greatest * (np.count_nonzero(bases == -1, axis=2) @ factors).sum(axis=1)
    offsets = inputs.values[0] * weights.sum(axis=1) - negatives
    combine = Computing(
        combining(tuple((factors // unit).ravel().tolist()), 0),
        Coded(Codes.of(IntType(0, most_count), op.rows * factors.size), (0, most_count)),
        IntType(least, most),
    )
    codes = Codes(unit * least + offsets + beyond, unit, most - least, borders)
    behind, codes = steps_behind(segment.rest, codes, types)
    combine, integers = combine.named(f"{node.name}.combine"), None
    if not op.is_binary and len(inputs.steps) == 1:
        integers = Integers(
            weights=inputs.steps[0] * weights // unit,
            biases=negatives // unit - least,
            greatest=most - least,
            behind_planes=(combine,),
            behind_sums=(),
        )
    return MatrixLayer(
        name=node.name,
        inputs=segment.inputs,
        weights=-bases.reshape(-1, op.cols),
        planes=(len(inputs.values) - 1).bit_length(),
        levels=len(inputs.steps) if len(inputs.steps) > 1 else 0,
        thresholds=None,
        windows=windows,
        behind=tuple(behind) if integers else (combine, *behind),
        output=segment.output,
        output_shape=types[segment.output].shape,
        codes=codes,
        integers=integers,
    )


@dataclass(frozen=True, eq=False)
class Inputs:
    """What a product reads: v_0 + sum of f_n*u_n.

    Attributes
    ----------
    values
        Of the codes.
    steps
        f, (n,) int64.
    greatest
        What u_n can be at most: a bit of the thermometer of levels is 1, integers are one code as a whole.
    """

    values: Sequence[int]
    steps: NDArray[np.int64]
    greatest: int

    @classmethod
    def of(cls, levels: Levels | None, element: BinaryType | IntType) -> "Inputs":
        """Of codes with these levels, or of an element."""
        if levels is not None:
            return cls(levels.values, np.diff(levels.values), 1)
        values = range(element.lo, element.hi + 1, element.step)
        return cls(values, np.array([element.step]), 2**element.width - 1)

    def padding_code(self, op: Conv) -> int:
        """The code that pads: that of the padding where it is one of the values, else 0."""
        return self.values.index(op.pad_value) if op.pad_value in self.values else 0

    def beyond(self, op: Conv, shape: tuple[int, ...]) -> tuple[Borders, NDArray[np.int64]]:
        """The classes of the pixels whose sums lack a constant, and these, as `border_constants`."""
        if not any(op.padding) or op.pad_value in self.values:
            return NO_BORDERS, np.zeros((1, 1, op.rows), np.int64)
        borders, sums = border_sums(op, *shape[:2])
        return borders, sums * (op.pad_value - self.values[0])
