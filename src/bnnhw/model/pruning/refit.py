"""The layer behind removed channels gets a factor and an offset a row that bring its sums back.

Tests: tests/model/pruning/test_prune.py
"""

from dataclasses import replace

import torch
from torch import Tensor

from bnnhw.model.export.model_file import ModelFile
from bnnhw.model.layers.layers import BinaryLayer

from .constants import constant_channels
from .links import Link, input_weights, split_at

__all__ = ["absorb_constants", "refit"]

_GRID = 1024
_BLOCK = 64  # images at a time


def absorb_constants(before: ModelFile, after: ModelFile, link: Link, kept: Tensor) -> ModelFile:
    """`after` with offsets for what the removed constant channels of `before` added to the consumer's sums.

    Exact but for pixels at a border that is padded with another number. The offsets go into thresholds.
    """
    values = constant_channels(before, link).nan_to_num(0)
    values[kept] = 0
    offsets = (input_weights(before, link).sum(1) * values).sum(1)
    return _with(after, link, torch.ones_like(offsets), offsets)


@torch.no_grad()
def refit(before: ModelFile, after: ModelFile, link: Link, images: Tensor) -> ModelFile:
    """`after` with the factor s and the offset b for each row of the consumer that make s*y' + b nearest to y by least
    squares, y and y' being its sums over `images` before and after the removal.

    ThiNet's own step of this kind scales the input channels (arXiv:1707.06342, section 3.2.3), which bits cannot bear;
    this one costs nothing where a threshold follows. s and b are rounded to 1/1024, so that whole numbers, such as 2
    for channels that were there twice, stay whole. A row that the kept channels tell nothing of keeps s = 1.
    """
    parts = [split_at(file, link) for file in (before, after)]
    rows = len(input_weights(before, link))
    count, sums, products = 0, torch.zeros(2, rows, dtype=torch.float64), torch.zeros(2, rows, dtype=torch.float64)
    for block in images.split(_BLOCK):
        y, new = (_sums(head, producer, between, consumer, block) for head, producer, between, consumer in parts)
        count += y.shape[1]
        sums += torch.stack([y.sum(1), new.sum(1)])
        products += torch.stack([(y * new).sum(1), (new * new).sum(1)])
    mean, new_mean = sums / count
    covariance, variance = products[0] / count - mean * new_mean, products[1] / count - new_mean**2
    factor = torch.where((variance > 1e-9) & (covariance > 0), covariance / variance.clamp_min(1e-9), 1.0)
    factor = ((factor * _GRID).round() / _GRID).clamp_min(1 / _GRID)
    offset = ((mean - factor * new_mean) * _GRID).round() / _GRID
    return _with(after, link, factor.float(), offset.float())


def _sums(
    head: torch.nn.Module, producer: torch.nn.Module, between: torch.nn.Module, consumer: BinaryLayer, images: Tensor
) -> Tensor:
    """The consumer's dot products, without factor and offset: (rows, pixels of all images)."""
    consumer.scale = consumer.bias = None
    y = consumer(between(producer(head(images))))
    return y.double().transpose(0, 1).flatten(1)


def _with(file: ModelFile, link: Link, factor: Tensor, offset: Tensor) -> ModelFile:
    """`file`, the consumer's sums times `factor` plus `offset`, before the factor and offset that it has."""
    if not _bears_reals(file, link):
        return file
    layer = file.layers[link.consumer]
    tensors = dict(layer.tensors)
    scale = tensors.get("scale", torch.ones_like(factor))
    if bool((offset != 0).any()):
        tensors["bias"] = tensors.get("bias", torch.zeros_like(offset)) + offset * scale
    if bool((factor != 1).any()):
        tensors["scale"] = factor * scale
    layers = (*file.layers[: link.consumer], replace(layer, tensors=tensors), *file.layers[link.consumer + 1 :])
    return replace(file, layers=layers)


def _bears_reals(file: ModelFile, link: Link) -> bool:
    """Whether what follows the consumer takes other sums than integers: averages and binary layers do not."""
    for layer in file.layers[link.consumer + 1 :]:
        if layer.op in ("sign", "quantise"):
            return True
        if layer.op in ("average_pool", "global_average_pool", "binary_linear", "binary_conv2d"):
            return False
    return True
