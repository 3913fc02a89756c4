"""The channels between two layers with binary weights, and how they are taken out of a chain of layers.

Tests: tests/model/pruning/test_prune.py
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from torch import Tensor, nn

from bnnhw.model.export.layer_check import check_layer
from bnnhw.model.export.layer_format import Layer
from bnnhw.model.export.model_file import ModelFile
from bnnhw.model.export.packed import pack_signs, unpack_signs
from bnnhw.model.layers.layers import BinaryLayer

__all__ = ["Link", "find_links", "input_weights", "obstacle", "remove_channels", "shape_before", "split_at"]

_SIZES: Mapping[str, tuple[str, str]] = {
    "binary_linear": ("in_features", "out_features"),
    "binary_conv2d": ("in_channels", "out_channels"),
}


@dataclass(frozen=True, kw_only=True)
class Link:
    """The output channels of layer `producer` of a file, which layer `consumer` reads; nothing between mixes them.

    Both are positions among the file's layers; `ordinal` is the consumer's among those with binary weights.
    """

    producer: int
    consumer: int
    ordinal: int
    channels: int


def find_links(file: ModelFile) -> tuple[Link, ...]:
    """One for each layer with binary weights but the last, in order."""
    binary = [index for index, layer in enumerate(file.layers) if layer.op in _SIZES]
    return tuple(
        Link(producer=first, consumer=second, ordinal=number, channels=_outputs(file.layers[first]))
        for number, (first, second) in enumerate(pairwise(binary), start=1)
    )


def obstacle(file: ModelFile, link: Link) -> str | None:
    """What keeps the link's channels from being removed; None where nothing does."""
    for index, does in ((link.producer, "makes"), (link.consumer, "reads")):
        layer = file.layers[index]
        if (groups := layer.attributes.get("groups", 1)) != 1:
            return f"layer {layer.name!r} {does} its channels in {groups} groups, which must stay equally large"
    return None


def input_weights(file: ModelFile, link: Link) -> Tensor:
    """The consumer's weights, +-1, by input channel: (rows, taps, channels); taps are pixels of the kernel, or of the
    image that was flattened before a linear layer."""
    layer = file.layers[link.consumer]
    inputs, _ = _SIZES[layer.op]
    columns = int(layer.attributes[inputs])
    if layer.op == "binary_conv2d":
        columns *= int(layer.attributes["kernel_height"]) * int(layer.attributes["kernel_width"])
    return unpack_signs(layer.tensors["weight"], columns).view(_outputs(layer), -1, link.channels)


def remove_channels(file: ModelFile, link: Link, kept: Tensor) -> ModelFile:
    """`file` with the link's channels `kept` (rising positions) only: the producer's rows, what belongs to them in
    between, and the consumer's columns."""
    layers = list(file.layers)
    producer, consumer = layers[link.producer], layers[link.consumer]
    layers[link.producer] = replace(
        producer,
        attributes={**producer.attributes, _SIZES[producer.op][1]: len(kept)},
        tensors={name: tensor[kept].clone() for name, tensor in producer.tensors.items()},
    )
    for index in range(link.producer + 1, link.consumer):
        between = {
            name: tensor if len(tensor) == 1 else tensor.view(-1, link.channels)[:, kept].flatten()
            for name, tensor in layers[index].tensors.items()
        }
        layers[index] = replace(layers[index], tensors=between)
    weight = input_weights(file, link)[:, :, kept]
    inputs, _ = _SIZES[consumer.op]
    count = len(kept) if consumer.op == "binary_conv2d" else weight[0].numel()
    layers[link.consumer] = replace(
        consumer,
        attributes={**consumer.attributes, inputs: count},
        tensors={**consumer.tensors, "weight": pack_signs(weight.flatten(1))},
    )
    return replace(file, layers=tuple(layers))


def split_at(file: ModelFile, link: Link) -> tuple[nn.Sequential, BinaryLayer, nn.Sequential, BinaryLayer]:
    """The file's network in torch, in eval mode: all before the producer, the producer, what is between, the consumer.

    The layers' factors and offsets stay as they are.
    """
    modules = list(file.module())
    first, second = [index for index, module in enumerate(modules) if isinstance(module, BinaryLayer)][
        link.ordinal - 1 : link.ordinal + 1
    ]
    producer, consumer = modules[first], modules[second]
    assert isinstance(producer, BinaryLayer)
    assert isinstance(consumer, BinaryLayer)
    return nn.Sequential(*modules[:first]), producer, nn.Sequential(*modules[first + 1 : second]), consumer


def _outputs(layer: Layer) -> int:
    return int(layer.attributes[_SIZES[layer.op][1]])


def shape_before(file: ModelFile, index: int) -> tuple[int, ...]:
    """Of the input of layer `index`, without batch axis, (H, W, C) or (features,)."""
    shape = file.shape
    for layer in file.layers[:index]:
        shape = check_layer(layer, shape)
    return shape
