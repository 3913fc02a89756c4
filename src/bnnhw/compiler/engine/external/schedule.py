"""The steps of a program with external memory, and the room that each takes in the engine's memories.

Tests: tests/compiler/engine/external/test_scheduled.py
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import product

from bnnhw.compiler.engine.layer_data import layer_taps
from bnnhw.compiler.engine.layer_fields import columns_of, first_line_read, layer_instruction, of_each_phase
from bnnhw.compiler.engine.layers import EngineLayer, EngineNetwork
from bnnhw.compiler.engine.maps import MapPlace
from bnnhw.compiler.engine.program import Captured
from bnnhw.compiler.engine.tables import TapTable
from bnnhw.compiler.engine.values.value_lanes import ValueSteps, layer_lanes, steps_inside
from bnnhw.compiler.engine.values.value_places import ValuePlace, kept_values, place_values
from bnnhw.hw.engine.engine_shape import EngineShape

from .blocks import blocks_of
from .held import Held, Needs
from .places import MapsInMemory, WeightsInMemory
from .ring import Region
from .segments import Segment
from .tiling import Part, Rooms, Tiling, map_words_of, tile_layer
from .transfer_order import Step

__all__ = ["Schedule"]


class Schedule:
    """The steps of all segments.

    Parameters
    ----------
    strips : list of int
        Of each layer.
    outside : set of str
        Maps of values that lie in the external memory.

    Attributes
    ----------
    steps : list of Step
    numbers : list of int
        The layer of each.
    """

    def __init__(
        self,
        network: EngineNetwork,
        shape: EngineShape,
        weights: WeightsInMemory,
        segments: Sequence[Segment],
        *,
        strips: list[int],
        frames: int,
        outside: Collection[str],
    ):
        self.network = network
        self.shape = shape
        self.strips = strips
        self.frames = frames
        self.places = weights.layers
        self.values = place_values(network, shape, strips, outside=outside)
        blocks = blocks_of(network, outside)
        turns = [[each for each in segments if each.layers.start in block] for block in blocks]
        turns = [turn for turn in turns if turn]
        self.maps = MapsInMemory(
            network,
            weights,
            shape,
            strips=strips,
            frames=frames,
            turns=[number for number, turn in enumerate(turns) for segment in turn for _ in segment.layers],
            values={
                values.map.name: ValuePlace(
                    values.map,
                    strips[number],
                    shape.array.group_rows,
                    min(shape.array.row_groups, -(-values.map.shape[2] // shape.array.group_rows)),
                )
                for number, values in kept_values(network)
                if values.map.name in outside
            },
            inside={name for segment in segments for name in segment.kept},
        )
        self.taps = TapTable(shape)
        self.steps: list[Step] = []
        self.numbers: list[int] = []
        self.captured: list[Captured] = []
        kept = max((place.base + place.words for place in self.values.values()), default=0)
        self._held = Held(network, shape, self.places, self.maps, values=kept)
        self._kept = Region(0, 0, 0)  # of the maps between layers of a segment
        for turn in turns:
            self._add_turn(turn)

    def _add_turn(self, segments: Sequence[Segment]) -> None:
        """The steps of segments between which values stay: group by group of frames; of one segment all groups."""
        strips = self.strips[segments[0].layers.start]
        groups = range(self.frames * strips // self.shape.array.pixels)
        each = [groups] if len(segments) == 1 else [range(group, group + 1) for group in groups]
        for some, segment in product(each, segments):
            self._add_segment(segment, some)

    def _add_segment(self, segment: Segment, groups: range) -> None:
        """Those of a segment: of a single layer part by part for all these groups of frames, else group by group."""
        held, shape = self._held, self.shape
        held.banks.limit = shape.map_words - segment.kept_words
        held.banks.rewind(0)
        if len(segment.layers) == 1:
            self._add_layer(segment.layers.start, segment, groups)
        else:
            self._kept = held.banks.claim_at(held.banks.limit, segment.kept_words)
            places = [self.places[number] for number in segment.layers]
            held.weights.rewind(sum(place.row_tiles * place.weight_step for place in places))
            held.parameters.rewind(sum(place.row_tiles * place.groups for place in places))
            for group, number in product(groups, segment.layers):
                self._add_layer(number, segment, range(group, group + 1))

    def _add_layer(self, number: int, segment: Segment, groups: range) -> None:
        layer, strips, held = self.network.layers[number], self.strips[number], self._held
        written = {self.maps.places[name].place.strips for name in layer.reads if name in self.maps.places}
        values, residual = layer.values, None if layer.values is None else layer.values.residual
        rooms = Rooms(
            weight_words=self.shape.weight_words,
            map_words=held.banks.limit,
            value_words=held.values.size,
            all_weights=len(segment.layers) > 1,
            input_stays=number > segment.layers.start,
            output_stays=number + 1 < segment.layers.stop,
            adds_outside=residual is not None and residual.map.name in self.maps.values,
            sends_values=values is not None and values.map.name in self.maps.values,
            whole=bool(written - {strips}),
        )
        tiling = tile_layer(layer, self.places[number], self.shape, rooms, strips=strips, groups=groups)
        if len(segment.layers) == 1:
            held.banks.rewind(tiling.stay)
            held.weights.rewind(tiling.weights_stay)
        if rooms.input_stays:
            begins = [self._kept.begin + segment.kept[name] for name in layer.reads]
            places = zip(tiling.bands, begins, strict=True)
            tiling = replace(tiling, bands=tuple(replace(place, base=begin) for place, begin in places))
        out = self._kept.begin + segment.kept[layer.writes] if rooms.output_stays and layer.writes_bits else 0
        taps = layer_taps(layer, tiling.bands, self.shape)
        begin = self.taps.begin(taps)
        for part in tiling.parts:
            self._add_part(number, rooms, tiling, part, out=out, taps=begin, beats=len(taps) // len(layer.bases))
        names = [layer.writes] if values is None else [layer.writes, values.map.name]
        held.sent_until |= dict.fromkeys(names, len(self.steps))

    def _add_part(self, number: int, rooms: Rooms, tiling: Tiling, part: Part, *, out: int, **taps: int) -> None:
        layer, place, held, needs = self.network.layers[number], self.places[number], self._held, Needs()
        fields = {"weights": 0, "parameters": 0, "out": 0, "out_plane": 0, "sent": 0}
        source = MapPlace(layer.in_shape, 0, self.strips[number], 0)
        if layer.reads:
            fields["weights"] = held.with_weights(number, part, needs).begin
            source = tiling.bands[0]
            line = first_line_read(layer, part.lines.start)
            if not rooms.input_stays:
                source = replace(source, base=held.with_maps(number, tiling, part, needs).begin)
                line -= first_line_read(layer, part.band.start)
            source = replace(source, base=source.base + line * source.line_words)
        if layer.gives_sums:
            self.captured.append(Captured(part.group, part.row_tiles, part.lines))
        else:
            fields["parameters"] = held.with_parameters(number, part, needs).begin
        if layer.writes_bits and rooms.output_stays:
            height, width, _ = layer.map_shape
            columns, first_line = width // self.strips[number], part.lines.start * layer.block
            first = map_words_of(part.row_tiles.start, layer, self.shape) * height + first_line
            fields |= {"out": out + first * columns, "out_plane": height * columns}
        elif layer.writes_bits:
            plane = len(part.lines) * len(part.columns) * layer.block**2
            fields |= {"out": held.send_bits(layer, part, needs).begin, "out_plane": plane, "sent": 1}
        if rooms.input_stays or rooms.output_stays:
            needs.regions.append(self._kept)
        instruction = layer_instruction(
            layer,
            self.shape,
            source,
            layer_lanes(layer, self.shape, *self._value_steps(layer, part, needs), columns=len(part.columns)),
            lines=part.lines,
            columns=len(part.columns),
            first_column=part.columns.start,
            held=columns_of(layer, part.band_columns, source),
            row_tiles=len(part.row_tiles),
            **taps,
            weight_step=place.weight_step % self.shape.weight_words,
            **fields,
        )
        first, *others = (Step(each) for each in of_each_phase(layer, instruction, self.shape))
        needs.used_until(len(self.steps) + 1 + len(others))
        first.loads, first.outboxes = needs.loads, needs.outboxes
        self.steps += [first, *others]
        self.steps[-1].sends = needs.sends
        self.numbers += [number] * (1 + len(others))

    def _value_steps(self, layer: EngineLayer, part: Part, needs: Needs) -> tuple[ValueSteps | None, ValueSteps | None]:
        """Over the residuals and the layer's own values, inside or outside of the engine."""
        values, held = layer.values, self._held
        if values is None:
            return None, None
        source, sink = steps_inside(
            layer, self.values, self.shape, line=part.lines.start, row_tile=part.row_tiles.start
        )
        if values.residual is not None and values.residual.map.name in self.maps.values:
            source = held.with_residual(layer, values.residual, part, needs)
        if values.map.name in self.maps.values:
            sink = held.send_values(layer, values.map.name, part, needs)
            source = held.with_greatest(layer, part, needs) if layer.pools_values else source
        return source, sink
