"""Where weights, thresholds and maps lie in the external memory.

Tests: tests/compiler/engine/external/test_scheduled.py
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.engine.layer_data import layer_parameters, layer_weights, row_tiles_of, weight_step_of
from bnnhw.compiler.engine.layers import EngineLayer, EngineNetwork
from bnnhw.compiler.engine.maps import MapPlace, map_places
from bnnhw.compiler.engine.program import words_of_bits
from bnnhw.compiler.engine.values.factors import layer_factors
from bnnhw.compiler.errors import ScheduleError
from bnnhw.hw.engine.engine_shape import WORD, EngineShape

__all__ = ["LayerPlace", "MapInMemory", "MapsInMemory", "WeightsInMemory"]


@dataclass(frozen=True)
class LayerPlace:
    """A layer's weights, thresholds and factors: their first bursts, and how much a tile of rows has of them.

    weights, parameters, factors : int
        Bursts.
    row_tiles : int
    weight_step : int
        Words of weights of a tile of rows.
    """

    weights: int
    parameters: int
    factors: int
    row_tiles: int
    weight_step: int


@dataclass(frozen=True)
class MapInMemory:
    """A map of all frames: group by group of those that are in the array at once, each as the banks hold it.

    place : MapPlace
        Of a group.
    burst : int
        Its first one.
    group_bursts, line_bursts : int
        Of a group, and of a line of a word of channels.
    """

    place: MapPlace
    burst: int
    group_bursts: int
    line_bursts: int


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
        return LayerPlace(weights, parameters, factors, row_tiles, weight_step_of(layer, self.shape))

    def _add(self, words: NDArray[np.uint32]) -> int:
        """The first burst of these words, which are whole bursts."""
        begin = self._words // self.shape.burst_words
        self._held.append(words)
        self._words += len(words)
        return begin


class MapsInMemory:
    """The maps of a run of so many frames, behind the weights.

    Attributes
    ----------
    places : dict
        Name of a map -> MapInMemory.
    end : int
        The first burst that is free.
    """

    def __init__(
        self, network: EngineNetwork, weights: WeightsInMemory, shape: EngineShape, *, strips: list[int], frames: int
    ):
        assert shape.external is not None
        self.shape = shape
        self.end = first = len(weights.words) // shape.burst_words
        # A map lies as its layer has written it, and the input as the first one reads it.
        cut = {network.input: strips[0]}
        cut |= {layer.writes: count for layer, count in zip(network.layers, strips, strict=True)}
        places = map_places(network, cut, shape.array.simd)
        self.places = {
            name: self._map(place, frames * place.strips // shape.array.pixels) for name, place in places.items()
        }
        room = 1 << shape.external.address_bits
        if self.end > room:
            raise ScheduleError(
                f"weights of {first} bursts and maps of {frames} frames are more than the external memory's {room}; "
                "take a board with more"
            )

    def _map(self, place: MapPlace, groups: int) -> MapInMemory:
        line_bursts = place.bus_columns * self.shape.lanes // self.shape.burst_words
        group_bursts = place.sheets * place.shape[0] * line_bursts
        begin = self.end
        self.end += groups * group_bursts
        return MapInMemory(place, begin, group_bursts, line_bursts)
