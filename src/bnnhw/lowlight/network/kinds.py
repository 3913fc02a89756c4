"""The kinds of low-light networks by name: what training, files and comparisons know of them.

Tests: tests/lowlight/network/test_kinds.py
"""

from collections.abc import Mapping
from typing import Any

from .bbcu_unet import BbcuUNet, BbcuUNetShape
from .unet import AbcLsid, AbcLsidShape
from .xnor_unet import XnorUNet, XnorUNetShape

__all__ = ["KINDS", "Network", "Shape", "kind_of", "network_of", "shape_named"]

Shape = AbcLsidShape | BbcuUNetShape | XnorUNetShape
Network = AbcLsid | BbcuUNet | XnorUNet

KINDS: Mapping[str, type[Shape]] = {"abclsid": AbcLsidShape, "bbcu-unet": BbcuUNetShape, "xnor-unet": XnorUNetShape}
"""The first one is what is trained unless asked otherwise."""


def shape_named(kind: str, fields: Mapping[str, Any]) -> Shape:
    """The shape of a network of this kind. ValueError for another kind, TypeError for fields that it has not."""
    if kind not in KINDS:
        raise ValueError(f"network={kind!r} must be one of {', '.join(KINDS)}")
    return KINDS[kind](**fields)


def kind_of(shape: Shape) -> str:
    """The name under which `shape_named` makes such a shape."""
    return next(kind for kind, shapes in KINDS.items() if type(shape) is shapes)


def network_of(shape: Shape) -> Network:
    """A network of this shape, with random weights."""
    match shape:
        case AbcLsidShape():
            return AbcLsid(shape)
        case BbcuUNetShape():
            return BbcuUNet(shape)
        case XnorUNetShape():
            return XnorUNet(shape)
