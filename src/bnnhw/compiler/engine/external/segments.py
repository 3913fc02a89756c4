"""Which layers run one behind the other for each group of frames, with their maps in the banks.

Tests: tests/compiler/engine/external/test_scheduled.py
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from bnnhw.compiler.engine.layer_data import groups_of_tile, row_tiles_of, weight_step_of
from bnnhw.compiler.engine.layer_fields import lines_read
from bnnhw.compiler.engine.layers import EngineNetwork
from bnnhw.compiler.engine.lifetimes import place_tightly
from bnnhw.compiler.engine.maps import input_places, lives_of, map_places, words_of
from bnnhw.hw.engine.engine_shape import EngineShape

from .blocks import blocks_of

__all__ = ["Segment", "segments_of"]


@dataclass(frozen=True)
class Segment:
    """Layers whose weights are in the engine at once, so that each group of frames goes through all of them.

    layers : range
        Their numbers.
    kept : dict
        Name of a map between them -> where it begins in the words that are kept for these, the last ones of the banks.
    kept_words : int
        So many.
    """

    layers: range
    kept: dict[str, int] = field(default_factory=dict)
    kept_words: int = 0


def segments_of(
    network: EngineNetwork, strips: Sequence[int], shape: EngineShape, *, longest: int, outside: Collection[str]
) -> list[Segment]:
    """All layers, in segments of `longest` layers at most. All but the first one of a segment read what others of it
    write, and nothing else reads that. Values named in `outside` do not stay in the engine."""
    count = len(network.layers)
    edges = {edge for each in blocks_of(network, outside) if len(each) > 1 for edge in (each.start, each.stop)}
    segments: list[Segment] = []
    begin = 0
    while begin < count:
        chosen = Segment(range(begin, begin + 1))
        for end in range(begin + 2, min(begin + longest, count) + 1):
            layers = range(begin, end)
            if end - 1 in edges or len(set(strips[begin:end])) > 1 or not _reads_within(network, layers):
                break
            longer = _segment(network, layers, strips[begin], shape)
            if not _fits(longer, network, strips[begin], shape):
                break
            if _is_read_within(network, layers):
                chosen = longer
        segments.append(chosen)
        begin = chosen.layers.stop
    return segments


def _inner(network: EngineNetwork, layers: range) -> list[str]:
    """The maps between layers."""
    return [network.layers[number].writes for number in layers[:-1] if network.layers[number].writes_bits]


def _reads_within(network: EngineNetwork, layers: range) -> bool:
    return set(network.layers[layers[-1]].reads) <= set(_inner(network, layers))


def _is_read_within(network: EngineNetwork, layers: range) -> bool:
    return all(number in layers for name in _inner(network, layers) for number in network.readers(name))


def _segment(network: EngineNetwork, layers: range, strips: int, shape: EngineShape) -> Segment:
    """These layers, and the maps between them side by side in as few words as they are found to need."""
    places = map_places(network, strips, shape.array.simd)
    inner = _inner(network, layers)
    room, begins = place_tightly([life for life in lives_of(network, places) if life.name in inner])
    return Segment(layers, dict(zip(inner, begins, strict=True)), room)


def _fits(segment: Segment, network: EngineNetwork, strips: int, shape: EngineShape) -> bool:
    """Whether all weights and thresholds fit, and the maps with room for lines of the first layer's input."""
    those = [network.layers[number] for number in segment.layers]
    weights = sum(row_tiles_of(layer, shape) * weight_step_of(layer, shape) for layer in those)
    groups = sum(row_tiles_of(layer, shape) * groups_of_tile(layer, shape) for layer in those if not layer.gives_sums)
    first = those[0]
    line_words = words_of(input_places(first, strips, shape.array.simd, lines=1))
    return (
        weights <= shape.weight_words
        and groups <= shape.parameters
        and segment.kept_words + line_words * lines_read(first, 1) <= shape.map_words
    )
