"""From a product and the nodes behind it to a layer.

Tests: tests/compiler/lowering/test_pipeline.py
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops import Conv, Product, Threshold
from bnnhw.compiler.ir.types import BinaryType, TensorType
from bnnhw.compiler.passes.split_weights import split_product
from bnnhw.compiler.units.codes import Codes, element_of
from bnnhw.compiler.units.inversion import Inverting
from bnnhw.compiler.units.product.borders import NO_BORDERS, border_constants
from bnnhw.compiler.units.product.layer import MatrixLayer
from bnnhw.compiler.units.product.mismatches import mismatch_thresholds, sums_to_dots, width_of
from bnnhw.compiler.units.thresholds import Quantising

from .build_bases import build_bases
from .build_integers import build_integers
from .build_steps import steps_behind
from .build_windows import windows_of
from .segments import Segment


def build_layer(segment: Segment, types: Mapping[str, TensorType]) -> MatrixLayer:
    """The layer of a product with the thresholds and poolings behind it."""
    node = segment.first
    assert node is not None
    assert isinstance(node.op, Product)
    if segment.levels is not None or node.op.factors:
        return build_bases(segment, types)
    if node.op.is_binary:
        return without_first_inversion(layer_of(segment, types))
    product, combine = split_product(node, types[node.output])
    inputs, (between,) = segment.inputs, combine.inputs
    x = types[node.inputs[0]]
    planes = layer_of(Segment(product, inputs, [combine]), {**types, between: product.op.infer(x)})
    steps, codes = steps_behind(segment.rest, planes.codes, types)
    return replace(
        planes,
        behind=tuple(steps),
        output=segment.output,
        output_shape=types[segment.output].shape,
        codes=codes,
        integers=build_integers(node.op, x, types[node.output], behind_planes=planes.behind),
    )


def layer_of(segment: Segment, types: Mapping[str, TensorType]) -> MatrixLayer:
    """The layer of a product with weights of +-1."""
    node, rest = segment.first, segment.rest
    assert node is not None
    op, input_type = node.op, types[node.inputs[0]]
    assert isinstance(op, Product)
    element, weights = element_of(input_type), op.weights.reshape(op.rows, -1)
    windows = windows_of(node, op, input_type) if isinstance(op, Conv) else None
    borders, sums = border_constants(op, element, input_type.shape)
    thresholds = None
    if rest and isinstance(op_of := rest[0].op, Threshold) and borders == NO_BORDERS:
        thresholds = mismatch_thresholds(op, element, np.broadcast_to(op_of.thresholds, (op.rows,)))
        steps, codes = steps_behind(rest[1:], Codes.of(BinaryType(), op.rows), types)
    else:
        weights = -weights
        offsets, scale = sums_to_dots(op, element)
        greatest = op.cols * (2 ** width_of(element) - 1)
        steps, codes = steps_behind(rest, Codes(offsets + sums, scale, greatest, borders), types)
    return MatrixLayer(
        name=node.name,
        inputs=segment.inputs,
        weights=weights,
        planes=width_of(element),
        thresholds=thresholds,
        windows=windows,
        behind=tuple(steps),
        output=segment.output,
        output_shape=types[segment.output].shape,
        codes=codes,
    )


def without_first_inversion(layer: MatrixLayer) -> MatrixLayer:
    """thresholds; invert c  ->  thresholds, with the weights of c inverted: which costs nothing."""
    match layer.behind:
        case (Inverting(channels), *rest) if layer.thresholds is not None:
            return replace(
                layer,
                weights=inverted_rows(layer.weights, channels),
                thresholds=np.where(channels, layer.max_sum - 1 - layer.thresholds, layer.thresholds),
                behind=tuple(rest),
            )
        case (Quantising(thresholds) as step, Inverting(channels), *rest) if layer.thresholds is None:
            falling = layer.max_sum + 1 - thresholds[:, :, ::-1]
            return replace(
                layer,
                weights=inverted_rows(layer.weights, channels),
                behind=(replace(step, thresholds=np.where(channels, falling, thresholds)), *rest),
            )
    return layer


def inverted_rows(weights: NDArray[np.int8], rows: NDArray[np.bool_]) -> NDArray[np.int8]:
    return np.where(rows[:, None], -weights, weights)
