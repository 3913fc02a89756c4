"""Which layers run one behind the other for each group of frames, with their maps in the banks.

Tests: tests/compiler/engine/external/test_scheduled.py
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from bnnhw.compiler.engine.layer_data import row_tiles_of, weight_step_of
from bnnhw.compiler.engine.layer_fields import lines_read
from bnnhw.compiler.engine.layers import EngineLayer, EngineNetwork
from bnnhw.compiler.engine.maps import input_places, words_of
from bnnhw.hw.engine.engine_shape import EngineShape

from .blocks import blocks_of

__all__ = ["Segment", "segments_of"]


@dataclass(frozen=True)
class Segment:
    """Layers whose weights are in the engine at once, so that each group of frames goes through all of them.

    layers : range
        Their numbers.
    kept : tuple of int
        Words of each map between two of them.
    """

    layers: range
    kept: tuple[int, ...] = ()

    @property
    def kept_words(self) -> int:
        """Words of the banks for two neighbouring maps."""
        return max((sum(pair) for pair in pairwise((0, *self.kept))), default=0)

    def place(self, number: int, map_words: int) -> int:
        """Where the map that layer `number` reads lies: at the begin or the end of those words, in turn."""
        at = number - self.layers.start - 1
        return map_words - (self.kept_words if at % 2 == 0 else self.kept[at])


def segments_of(network: EngineNetwork, strips: Sequence[int], shape: EngineShape, *, longest: int) -> list[Segment]:
    """All layers, in segments of `longest` layers at most, each of which but the first one reads the map of the one
    before it, which nothing else reads."""
    layers = network.layers
    edges = {edge for each in blocks_of(network) if len(each) > 1 for edge in (each.start, each.stop)}
    segments: list[Segment] = []
    begin = 0
    while begin < len(layers):
        chosen = Segment(range(begin, begin + 1))
        for end in range(begin + 2, min(begin + longest, len(layers)) + 1):
            kept = tuple(
                words_of(input_places(layer, strips[begin], shape.array.simd)) for layer in layers[begin + 1 : end]
            )
            longer = Segment(range(begin, end), kept)
            if (
                end - 1 in edges
                or not _follows(network, end - 1)
                or len(set(strips[begin:end])) > 1
                or not _fits(longer, layers, strips[begin], shape)
            ):
                break
            chosen = longer
        segments.append(chosen)
        begin = chosen.layers.stop
    return segments


def _follows(network: EngineNetwork, number: int) -> bool:
    """Whether a layer reads the map of the one before it and nothing else does, nor it anything else."""
    name = network.layers[number - 1].writes
    return network.layers[number].reads == (name,) and network.readers(name) == (number,)


def _fits(segment: Segment, layers: Sequence[EngineLayer], strips: int, shape: EngineShape) -> bool:
    """Whether all weights and thresholds fit, and the maps with room for lines of the first layer's input."""
    those = [layers[number] for number in segment.layers]
    weights = sum(row_tiles_of(layer, shape) * weight_step_of(layer, shape) for layer in those)
    groups = sum(row_tiles_of(layer, shape) * shape.array.row_groups for layer in those if not layer.gives_sums)
    first = those[0]
    line_words = words_of(input_places(first, strips, shape.array.simd, lines=1))
    return (
        weights <= shape.weight_words
        and groups <= shape.parameters
        and segment.kept_words + line_words * lines_read(first, 1) <= shape.map_words
    )
