"""Networks of layers one after the other.

Tests: tests/model/networks/test_catalogue.py
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

from torch import nn

from bnnhw.model.layers.channels import ToChannelsFirst, ToChannelsLast
from bnnhw.model.methods import Method
from bnnhw.model.options import with_options

from .blocks import Convolution, Images, conv_block, score_block, sequence
from .structure import InBits, WidthOptions

__all__ = ["Architecture", "ChainOptions"]


@dataclass(frozen=True)
class ChainOptions(WidthOptions):
    """What networks of layers one after the other leave open.

    dropout: whether a network that its article trains with dropout is trained so here; trainings that are shorter than
    the article's do better without.
    """

    dropout: bool = True


@dataclass(frozen=True, kw_only=True)
class Architecture(InBits):
    """Convolutions, the widths of hidden layers behind them, and dropout in training."""

    widths: tuple[int, ...]
    input_dropout: float = 0.0
    dropout: float = 0.0
    convolutions: tuple[Convolution, ...] = ()
    input_bits: int = 1

    def with_options(self, options: Sequence[str], *, what: str) -> "Architecture":
        chosen = with_options(ChainOptions, options, what=what)
        known = self if chosen.dropout else replace(self, input_dropout=0.0, dropout=0.0)
        convolutions = (replace(layer, channels=chosen.of(layer.channels)) for layer in known.convolutions)
        return replace(known, widths=tuple(map(chosen.of, known.widths)), convolutions=tuple(convolutions))

    def layers(
        self, *, shape: Sequence[int], classes: int, method: Method, binary: bool
    ) -> "OrderedDict[str, nn.Module]":
        """Convolutions -> (binary linear -> batch norm -> sign) for each width -> binary linear -> scores.

        The method makes every layer, the first and the last included: the first takes the input's integers, so no layer
        with real weights is needed.
        """
        layers = OrderedDict[str, nn.Module]()
        features = prod(shape)
        if self.convolutions:
            images = Images.given(shape, binary=binary)
            layers["channels_first"] = ToChannelsFirst()
            for number, layer in enumerate(self.convolutions, start=1):
                layers[f"conv{number}"] = conv_block(method, images, layer)
                images = images.behind(layer, f"conv{number}")
            layers["channels_last"] = ToChannelsLast()
            features = images.features
        layers["flatten"] = nn.Flatten()
        dropout = self.input_dropout
        for number, width in enumerate(self.widths, start=1):
            layers[f"hidden{number}"] = sequence(
                **({"dropout": nn.Dropout(dropout)} if dropout else {}),
                linear=method.linear(features, width, first=number == 1 and not self.convolutions),
                norm=method.norm(width, images=False),
                sign=method.activation(),
            )
            features, dropout = width, self.dropout
        layers["output"] = score_block(method, features, classes, dropout=dropout)
        return layers
