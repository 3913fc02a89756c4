"""Where values lie.

Tests: tests/compiler/engine/test_values.py
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.engine.layers import EngineNetwork
from bnnhw.compiler.engine.lifetimes import Lifetime, place_lifetimes
from bnnhw.compiler.errors import ScheduleError
from bnnhw.hw.engine.engine_shape import EngineShape

from .layer_values import LayerValues, ValueMap

__all__ = ["ValuePlace", "kept_values", "place_values", "value_lives"]


@dataclass(frozen=True)
class ValuePlace:
    """Sheet by sheet, pixel by pixel of a strip in raster order, words of its channels: `group_rows` of them each.

    sheet_words : int
        Words of a pixel in each sheet. In the engine all are in one; outside, tiles of rows are sheets.
    """

    map: ValueMap
    strips: int
    group_rows: int
    sheet_words: int
    base: int = 0

    @property
    def columns(self) -> int:
        """Of a strip."""
        return self.map.shape[1] // self.strips

    @property
    def sheets(self) -> int:
        """Parts of which each has all pixels one behind the other."""
        return -(-self.map.shape[2] // (self.group_rows * self.sheet_words))

    @property
    def words(self) -> int:
        """Of each pixel of the array."""
        return self.sheets * self.map.shape[0] * self.columns * self.sheet_words

    def unpacked(self, words: NDArray[np.uint32], pixels: int, *, groups: int = 1) -> NDArray[np.int64]:
        """So many groups' words, of all pixels one behind the other on the bus, as values (frames, lines, columns,
        channels)."""
        lines, columns, channels = self.map.shape
        values = np.ascontiguousarray(words, np.dtype("<u4")).view(np.dtype("<i2")).astype(np.int64)
        frames = pixels // self.strips
        values = values.reshape(groups, self.sheets, lines, self.columns, self.sheet_words, frames, self.strips, -1)
        # (groups, frames, lines, strips, columns, sheets, words, values of a word)
        whole = values.transpose(0, 5, 2, 6, 3, 1, 4, 7).reshape(groups * frames, lines, columns, -1)
        return whole[..., :channels]


def value_lives(network: EngineNetwork, places: Mapping[str, ValuePlace]) -> list[Lifetime]:
    """How long each of these maps of values is needed, by the numbers of the layers: from the one that makes it to the
    last one that adds it; that which the host reads to behind the last one."""
    first, last = {}, {}
    for number, layer in enumerate(network.layers):
        if (values := layer.values) is not None:
            first[values.map.name] = last[values.map.name] = number
            if values.residual is not None:
                last[values.residual.map.name] = number
    if network.output is not None:
        last[network.output.name] = len(network.layers)
    return [Lifetime(name, place.words, first[name], last[name]) for name, place in places.items()]


def place_values(
    network: EngineNetwork, shape: EngineShape, strips: Sequence[int], *, outside: Collection[str] = ()
) -> dict[str, ValuePlace]:
    """All maps of values that are kept in the engine, each from the layer that makes it to the last one that adds it.
    `strips` are those of each layer; those named in `outside` are not kept.

    One that takes the place of each value which it adds lies where those did, if nothing needs them any longer.

    Raises ScheduleError where they do not fit.
    """
    layers = network.layers
    first = next((layer for layer in layers if layer.values is not None), None)
    if first is not None and not shape.values:
        raise ScheduleError(
            f"node {first.name!r} makes values of fixed point, and the engine has values=0; take an engine of more"
        )
    group_rows = shape.array.group_rows
    places = {
        values.map.name: ValuePlace(values.map, strips[number], group_rows, -(-values.map.shape[2] // group_rows))
        for number, values in kept_values(network)
        if values.map.name not in outside
    }
    alone = {life.name: life for life in value_lives(network, places)}
    lives: dict[str, Lifetime] = {}
    home: dict[str, str] = {}
    for number, values in kept_values(network):
        name, before = values.map.name, values.residual
        if name not in places:
            continue
        host = None if before is None else home.get(before.map.name)
        if before is not None and host is not None and values.replaces and alone[before.map.name].last == number:
            home[name] = host
            lives[host] = replace(lives[host], last=alone[name].last)
        else:
            home[name] = name
            lives[name] = alone[name]
    begins = place_lifetimes(
        list(lives.values()),
        shape.values,
        what="values",
        name="values",
        way_out="take an engine of more, or a network of fewer channels or smaller images",
    )
    begin = dict(zip(lives, begins, strict=True))
    return {name: replace(place, base=begin[home[name]]) for name, place in places.items()}


def kept_values(network: EngineNetwork) -> list[tuple[int, LayerValues]]:
    """What makes values that something else needs, each with the number of its layer."""
    return [
        (number, layer.values) for number, layer in enumerate(network.layers) if layer.values and layer.values.keeps
    ]
