"""Networks whose images are channels first, as torch's layers want them, in the order of the file: channels last.

Tests: tests/model/export/test_save_model.py
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .layer_format import Layer, takes_channels_first
from .packed import pack_signs, unpack_signs

__all__ = ["Raster"]


@dataclass
class Raster:
    """Follows a chain of layers and turns each into what computes the same on images (H, W, C).

    Attributes
    ----------
    channels_first : bool
        Whether the module's images are (C, H, W) at this point.
    order : Tensor or None
        Where an image was flattened (C, H, W): feature f of the file is feature order[f] of the module, until a linear
        layer takes them.
    """

    channels_first: bool = False
    order: Tensor | None = None

    def follow(self, layer: Layer, shape: tuple[int, ...]) -> Layer | None:
        """What the file says for the next layer, whose input in the module has `shape` without batch axis; None where
        it says nothing. ValueError, which names the layer, where its images are the other way round."""
        if layer.op in ("to_channels_first", "to_channels_last"):
            first = layer.op == "to_channels_first"
            if len(shape) != 3 or self.channels_first == first:
                raise ValueError(f"layer {layer.name!r} takes images with channels {'last' if first else 'first'}")
            self.channels_first = first
            return None
        first = takes_channels_first(layer, shape)
        if first and not self.channels_first:
            raise ValueError(
                f"layer {layer.name!r} takes images with channels first; put bnnhw.model.ToChannelsFirst before it"
            )
        if self.channels_first and layer.op == "flatten":
            channels, height, width = shape
            self.order = torch.arange(channels * height * width).view(shape).permute(1, 2, 0).flatten()
            self.channels_first = False
        elif self.channels_first and first is False:
            raise ValueError(f"layer {layer.name!r} takes channels last; put bnnhw.model.ToChannelsLast before it")
        elif self.order is not None and layer.op == "binary_linear":
            columns, self.order = self.order, None
            weight = unpack_signs(layer.tensors["weight"], len(columns))[:, columns]
            return replace(layer, tensors={**layer.tensors, "weight": pack_signs(weight)})
        elif self.order is not None:
            tensors = {name: t[self.order] if len(t) > 1 else t for name, t in layer.tensors.items()}
            return replace(layer, tensors=tensors)
        return layer

    def finish(self) -> None:
        """The end of the chain. ValueError where the scores are an image flattened channels first."""
        if self.order is not None and not torch.equal(self.order, torch.arange(len(self.order))):
            raise ValueError("the scores are an image flattened channels first; flatten it behind ToChannelsLast")
