"""Where weights, thresholds, maps and values lie in the external memory.

Tests: tests/compiler/engine/external/test_scheduled.py
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.engine.layer_data import (
    groups_of_tile,
    layer_parameters,
    layer_weights,
    row_tiles_of,
    weight_step_of,
)
from bnnhw.compiler.engine.layers import EngineLayer, EngineNetwork
from bnnhw.compiler.engine.lifetimes import Lifetime, place_tightly
from bnnhw.compiler.engine.maps import MapPlace, PixelPlace, lives_of, map_places
from bnnhw.compiler.engine.program import words_of_bits
from bnnhw.compiler.engine.values.factors import layer_factors
from bnnhw.compiler.engine.values.value_places import ValuePlace, value_lives
from bnnhw.compiler.errors import ScheduleError
from bnnhw.hw.engine.engine_shape import WORD, EngineShape

__all__ = ["LayerPlace", "MapInMemory", "MapsInMemory", "ValuesInMemory", "WeightsInMemory"]


@dataclass(frozen=True)
class LayerPlace:
    """A layer's weights, thresholds and factors: their first bursts, and how much a tile of rows has of them.

    weights, parameters, factors : int
        Bursts.
    row_tiles : int
    weight_step, groups : int
        Words of weights of a tile of rows; its groups of thresholds and factors.
    """

    weights: int
    parameters: int
    factors: int
    row_tiles: int
    weight_step: int
    groups: int


@dataclass(frozen=True)
class MapInMemory:
    """A map of all frames: group by group of those that are in the array at once, each as the banks hold it.

    place : MapPlace
        Of a group.
    burst : int
        Its first one.
    group_bursts, line_bursts, column_bursts : int
        Of a group, of a line of a word of channels, and of a column of that.
    """

    place: MapPlace
    burst: int
    group_bursts: int
    line_bursts: int
    column_bursts: int


@dataclass(frozen=True)
class ValuesInMemory:
    """The same of values; a sheet is a tile of rows.

    group_bursts, sheet_bursts, pixel_bursts : int
        Of a group, of a sheet, and of a pixel in that.
    """

    place: ValuePlace
    burst: int
    group_bursts: int
    sheet_bursts: int
    pixel_bursts: int


class WeightsInMemory:
    """Weights and thresholds of all layers, from the first burst on.

    Attributes
    ----------
    layers : list of LayerPlace
    words : (n,) uint32
        As words of the bus.
    """

    def __init__(self, network: EngineNetwork, shape: EngineShape):
        self.shape = shape
        self._held: list[NDArray[np.uint32]] = []
        self._words = 0
        self.layers = [self._layer(layer) for layer in network.layers]
        self.words = np.concatenate(self._held)

    def _layer(self, layer: EngineLayer) -> LayerPlace:
        bits, unused = layer_weights(layer, self.shape)
        row_tiles = row_tiles_of(layer, self.shape)
        weights = self._add(words_of_bits(bits.reshape(-1, WORD)).reshape(-1))
        parameters = 0 if layer.gives_sums else self._add(layer_parameters(layer, unused, self.shape))
        factors = 0 if layer.values is None else self._add(layer_factors(layer, layer.values, unused, self.shape))
        step, groups = weight_step_of(layer, self.shape), groups_of_tile(layer, self.shape)
        return LayerPlace(weights, parameters, factors, row_tiles, step, groups)

    def _add(self, words: NDArray[np.uint32]) -> int:
        """The first burst of these words, which are whole bursts."""
        begin = self._words // self.shape.burst_words
        self._held.append(words)
        self._words += len(words)
        return begin


class MapsInMemory:
    """The maps and values of a run of so many frames, behind the weights: each from the turn in which it is written to
    the last one in which it is read. Layers of one turn may go group by group of frames.

    Parameters
    ----------
    strips, turns : lists of int
        Of each layer.
    values : sequence of ValuePlace
        Those that lie outside of the engine.
    inside : set of str
        Maps that never leave the engine.

    Attributes
    ----------
    places : dict
        Name of a map -> MapInMemory.
    values : dict
        Name of a map of values -> ValuesInMemory.
    end : int
        The first burst that is free.
    """

    def __init__(
        self,
        network: EngineNetwork,
        weights: WeightsInMemory,
        shape: EngineShape,
        *,
        strips: Sequence[int],
        frames: int,
        turns: Sequence[int],
        values: Mapping[str, ValuePlace],
        inside: Collection[str],
    ):
        assert shape.external is not None
        self.shape = shape
        first = len(weights.words) // shape.burst_words
        # A map lies as its layer has written it, and the input as the first one reads it.
        cut = {network.input: strips[0]}
        cut |= {layer.writes: count for layer, count in zip(network.layers, strips, strict=True)}
        maps = map_places(network, cut, shape.array.simd)
        if network.windows is not None and not network.layers[0].reads_windows:
            seen = maps[network.input]
            maps[network.input] = PixelPlace(seen.shape, seen.planes, seen.strips, seen.simd)
        groups = {count: frames * count // shape.array.pixels for count in {*strips}}
        lives: list[Lifetime] = []
        self.places: dict[str, MapInMemory] = {}
        self.values: dict[str, ValuesInMemory] = {}
        for life in lives_of(network, maps):
            if life.name not in inside:
                place = self.places[life.name] = self._map(maps[life.name])
                bursts = place.group_bursts * groups[place.place.strips]
                lives.append(Lifetime(life.name, bursts, turns[life.first], turns[life.last]))
        for life in value_lives(network, values):
            place = self.values[life.name] = self._values(values[life.name])
            bursts = place.group_bursts * groups[place.place.strips]
            last = turns[life.last] if life.last < len(turns) else len(turns)
            lives.append(Lifetime(life.name, bursts, turns[life.first], last))
        size, begins = place_tightly(lives)
        self.end = first + size
        room = len(shape.external_bursts)
        if self.end > room:
            raise ScheduleError(
                f"weights of {first} bursts and maps of {frames} frames are more than the external memory's {room}; "
                "take a board with more"
            )
        at = {life.name: first + begin for life, begin in zip(lives, begins, strict=True)}
        self.places = {name: replace(place, burst=at[name]) for name, place in self.places.items()}
        self.values = {name: replace(place, burst=at[name]) for name, place in self.values.items()}

    def _map(self, place: MapPlace) -> MapInMemory:
        column_bursts = self.shape.lanes // self.shape.burst_words
        line_bursts = place.bus_columns * column_bursts
        return MapInMemory(place, 0, place.sheets * place.shape[0] * line_bursts, line_bursts, column_bursts)

    def _values(self, place: ValuePlace) -> ValuesInMemory:
        pixel_bursts = place.sheet_words * self.shape.value_lanes // self.shape.burst_words
        sheet_bursts = place.map.shape[0] * place.columns * pixel_bursts
        return ValuesInMemory(place, 0, place.sheets * sheet_bursts, sheet_bursts, pixel_bursts)
