"""A network of the catalogue with all that a training of it is told: sizes, options, the method that makes its layers.

Tests: tests/model/test_named.py
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from torch import nn

from bnnhw.model.data.datasets import DataSet
from bnnhw.model.methods import Method
from bnnhw.model.methods.bnn import Bnn
from bnnhw.model.options import option_texts

from .catalogue import architecture, build_network
from .structure import Structure

__all__ = ["NamedNetwork"]


@dataclass(frozen=True, kw_only=True)
class NamedNetwork:
    """What `build_network` makes of a name.

    Parameters
    ----------
    name, width, depth, options : str, int, int, sequence of "NAME=VALUE"
        As for `architecture`.
    input_bits : 1 or 8, optional
        Default: the architecture's.
    method : Method
    """

    name: str
    width: int | None = None
    depth: int | None = None
    options: Sequence[str] = ()
    input_bits: int | None = None
    method: Method = Bnn()  # noqa: RUF009 it is frozen

    @cached_property
    def architecture(self) -> Structure:
        """What the name stands for. ValueError where there is no such network."""
        return architecture(self.name, width=self.width, depth=self.depth, options=self.options)

    @property
    def bits(self) -> int:
        """Bits of an input element."""
        return self.architecture.input_bits if self.input_bits is None else self.input_bits

    def build(self, data: DataSet, before: Callable[[nn.Module], None] = lambda network: None) -> nn.Module:
        """The network anew, for the images and classes of `data`; `before` as for `build_network`."""
        sizes = {"shape": data.shape, "lo": data.lo, "hi": data.hi, "classes": len(data.classes)}
        return build_network(self.architecture, input_bits=self.bits, method=self.method, before=before, **sizes)

    def choices(self) -> dict[str, Any]:
        """The options of network and method, as a model file tells them."""
        return {
            "network_options": list(self.options),
            "method": self.method.name,
            "method_options": option_texts(self.method),
        }

    def settings(self) -> dict[str, Any]:
        """All that decides which network it is."""
        sizes = {"network": self.name, "widths": list(self.architecture.widths), "input_bits": self.bits}
        return {**sizes, **self.choices()}
