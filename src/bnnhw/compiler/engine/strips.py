"""Into how many strips of columns frames are cut.

Tests: tests/compiler/engine/test_compile.py
"""

from collections.abc import Sequence
from math import gcd

from .layers import EngineLayer

__all__ = ["keeps_columns", "strips_of"]


def strips_of(layers: Sequence[EngineLayer], pixels: int) -> int:
    """As many as divide all maps, with windows that reach no further than a neighbour; 1 where a layer does not
    keep columns. `pixels` at most, and a divisor of it."""
    if not all(keeps_columns(layer) for layer in layers):
        return 1
    widths = [width for layer in layers for width in (layer.in_shape[1], layer.out_shape[1])]
    most = gcd(pixels, *widths)
    for strips in range(most, 0, -1):
        if most % strips == 0 and all(_reaches(layer) <= layer.in_shape[1] // strips for layer in layers):
            return strips
    return 1


def keeps_columns(layer: EngineLayer) -> bool:
    """Whether the output columns are those of the input, divided by stride and pooling; and those of the values that
    are added, divided by their stride."""
    if layer.in_shape[1] != layer.out_shape[1] * layer.columns_apart:
        return False
    residual = None if layer.values is None else layer.values.residual
    return residual is None or residual.map.shape[1] == layer.out_shape[1] * residual.stride[1]


def _reaches(layer: EngineLayer) -> int:
    """Columns beyond its own that a tap lies at most."""
    conv, pool = layer.conv, layer.pool
    before = conv.padding[1] + pool.padding[1] * conv.stride[1]
    behind = (pool.kernel[1] - pool.padding[1] - pool.stride[1]) * conv.stride[1] + conv.extent[1] - 1 - conv.padding[1]
    return max(before, behind, 1)
