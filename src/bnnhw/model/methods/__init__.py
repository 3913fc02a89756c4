"""The methods of the literature by which binary networks are trained; one file each (docs/methods.md explains them).

Tests: tests/model/methods/test_methods.py
"""

from collections.abc import Mapping, Sequence

from bnnhw.model.options import describe_options, with_options

from .abc_net import AbcNet
from .base import Method, Traits
from .bireal import BiReal
from .bnn import Bnn
from .dorefa import Dorefa
from .irnet import IrNet
from .rbnn import Rbnn
from .real import Real
from .ternary import Ternary
from .xnor import Bwn, Xnor
from .xnor_plus_plus import XnorPlusPlus

__all__ = ["METHODS", "Method", "Traits", "describe_options", "method_named"]

METHODS: Mapping[str, type[Method]] = {
    kind.name: kind for kind in (Bnn, Bwn, Xnor, Dorefa, Ternary, AbcNet, BiReal, XnorPlusPlus, IrNet, Rbnn, Real)
}


def method_named(name: str, options: Sequence[str] = ()) -> Method:
    """The method called `name` with options such as `("rotation=filter",)`; ValueError lists what there is."""
    if name not in METHODS:
        raise ValueError(f"unknown method {name!r}; known ones are {', '.join(METHODS)}")
    return with_options(METHODS[name], options, what=f"method {name!r}")
