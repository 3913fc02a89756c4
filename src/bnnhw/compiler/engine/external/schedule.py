"""The steps of a program with external memory, and the room that each takes in the engine's memories.

Tests: tests/compiler/engine/external/test_scheduled.py
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

from bnnhw.compiler.engine.layer_data import layer_taps
from bnnhw.compiler.engine.layer_fields import first_line_read, layer_instruction, lines_of, of_each_phase
from bnnhw.compiler.engine.layers import EngineLayer, EngineNetwork
from bnnhw.compiler.engine.maps import MapPlace, words_of
from bnnhw.compiler.engine.program import Captured
from bnnhw.compiler.engine.tables import TapTable
from bnnhw.compiler.engine.values.value_places import layer_lanes, place_values
from bnnhw.compiler.errors import ScheduleError
from bnnhw.hw.engine.engine_shape import WORD, EngineShape
from bnnhw.hw.engine.program.factors import FACTOR_WORDS
from bnnhw.hw.engine.program.packets import Memory
from bnnhw.hw.engine.program.transfer import Transfer

from .map_moves import lines_in, lines_out, turned_in
from .places import MapsInMemory, WeightsInMemory
from .ring import Region, Ring
from .segments import Segment
from .tiling import Part, Rooms, Tiling, map_words_of, tile_layer
from .transfer_order import Load, Step

__all__ = ["Schedule"]


class Schedule:
    """The steps as they are added, and the rings of the engine's memories."""

    def __init__(
        self, network: EngineNetwork, shape: EngineShape, weights: WeightsInMemory, *, strips: list[int], frames: int
    ):
        self.network = network
        self.shape = shape
        self.strips = strips
        self.frames = frames
        self.places = weights.layers
        self.maps = MapsInMemory(network, weights, shape, strips=strips, frames=frames)
        self.values = place_values(network, shape, strips)
        self.taps = TapTable(shape)
        self.steps: list[Step] = []
        self.numbers: list[int] = []  # the layer of each step
        self.captured: list[Captured] = []
        self._weights, self._parameters = Ring(shape.weight_words), Ring(shape.parameters)
        self._banks, self._outbox = Ring(shape.map_words), Ring(shape.outbox_words)
        self._held: dict[tuple, Region] = {}
        self._kept = Region(0, 0, 0)  # of the maps between layers of a segment
        self._sent_until: dict[str, int] = {}  # of a map: the steps that have sent it

    def add_block(self, segments: Sequence[Segment]) -> None:
        """The steps of segments between which values stay: group by group of frames; of one segment all groups."""
        strips = {self.strips[number] for segment in segments for number in segment.layers}
        if len(strips) > 1:
            name = self.network.layers[segments[0].layers.start].name
            raise ScheduleError(
                f"values of node {name!r} meet maps that lie otherwise in the engine; programs with external memory "
                "keep them among layers of images, or among dense ones"
            )
        groups = range(self.frames * strips.pop() // self.shape.array.pixels)
        each = [groups] if len(segments) == 1 else [range(group, group + 1) for group in groups]
        for some, segment in product(each, segments):
            self._add_segment(segment, some)

    def _add_segment(self, segment: Segment, groups: range) -> None:
        """Those of a segment: of a single layer part by part for all these groups of frames, else group by group."""
        self._banks.limit = self.shape.map_words - segment.kept_words
        self._banks.rewind(0)
        if len(segment.layers) == 1:
            self._add_layer(segment.layers.start, segment, groups)
        else:
            self._kept = self._banks.claim_at(self._banks.limit, segment.kept_words)
            places = [self.places[number] for number in segment.layers]
            self._weights.rewind(sum(place.row_tiles * place.weight_step for place in places))
            self._parameters.rewind(sum(place.row_tiles for place in places) * self.shape.array.row_groups)
            for group in groups:
                for number in segment.layers:
                    self._add_layer(number, segment, range(group, group + 1))
        self._sent_until[self.network.layers[segment.layers.stop - 1].writes] = len(self.steps)

    def _add_layer(self, number: int, segment: Segment, groups: range) -> None:
        layer, strips = self.network.layers[number], self.strips[number]
        written = {self.maps.places[name].place.strips for name in layer.reads}
        rooms = Rooms(
            weight_words=self.shape.weight_words,
            map_words=self._banks.limit,
            all_weights=len(segment.layers) > 1,
            input_stays=number > segment.layers.start,
            output_stays=number + 1 < segment.layers.stop,
            whole=written != {strips},
        )
        tiling = tile_layer(layer, self.places[number], self.shape, rooms, strips=strips, groups=groups)
        if len(segment.layers) == 1:
            self._banks.rewind(tiling.stay)
            self._weights.rewind(tiling.weights_stay)
        if rooms.input_stays:
            begins = [self._kept.begin + segment.kept[name] for name in layer.reads]
            places = zip(tiling.bands, begins, strict=True)
            tiling = replace(tiling, bands=tuple(replace(place, base=begin) for place, begin in places))
        out = self._kept.begin + segment.kept[layer.writes] if rooms.output_stays and layer.writes_bits else 0
        taps = layer_taps(layer, tiling.bands, self.shape)
        begin = self.taps.begin(taps)
        for part in tiling.parts:
            self._add_part(number, rooms, tiling, part, out=out, taps=begin, beats=len(taps))

    def _add_part(self, number: int, rooms: Rooms, tiling: Tiling, part: Part, *, out: int, **taps: int) -> None:
        layer, place = self.network.layers[number], self.places[number]
        loads: list[Load] = []
        used: list[Region] = []
        weights = 0
        if layer.reads:
            used.append(region := self._load_weights(number, part, loads))
            weights = region.begin
        source = tiling.bands[0] if layer.reads else MapPlace(layer.in_shape, 0, self.strips[number], 0)
        if layer.reads and rooms.input_stays:
            used.append(self._kept)
            base = source.base + first_line_read(layer, part.lines.start) * source.columns
        elif layer.reads:
            used.append(inputs := self._load_maps(number, layer, tiling, part, loads))
            base = inputs.begin
        else:
            base = 0
        fields = {"parameters": 0, "out": 0, "out_plane": 0, "sent": 0}
        outbox = sends = None
        if layer.gives_sums:
            self.captured.append(Captured(part.group, part.row_tiles, part.lines))
        else:
            used.append(parameters := self._load_parameters(number, part, loads))
            fields["parameters"] = parameters.begin
        if layer.writes_bits:
            height, width, _ = layer.map_shape
            columns, first_line = width // self.strips[number], part.lines.start * layer.block
            if rooms.output_stays:
                used.append(self._kept)
                first = map_words_of(part.row_tiles.start, layer, self.shape) * height + first_line
                fields |= {"out": out + first * columns, "out_plane": height * columns}
            else:
                outbox, sends = self._send(number, layer, part)
                used.append(outbox)
                fields |= {"out": outbox.begin, "out_plane": len(part.lines) * layer.block * columns, "sent": 1}
        for region in used:
            region.used_until = len(self.steps) + layer.block**2
        instruction = layer_instruction(
            layer,
            self.shape,
            replace(source, base=base),
            layer_lanes(layer, self.values, self.shape, lines=part.lines, row_tiles=part.row_tiles),
            lines=part.lines,
            row_tiles=len(part.row_tiles),
            **taps,
            weights=weights,
            weight_step=place.weight_step % self.shape.weight_words,
            **fields,
        )
        first, *others = (Step(each) for each in of_each_phase(layer, instruction, self.shape))
        first.loads, first.outbox = loads, outbox
        self.steps += [first, *others]
        self.steps[-1].sends = sends
        self.numbers += [number] * (1 + len(others))

    def _load_weights(self, number: int, part: Part, loads: list[Load]) -> Region:
        array, place = self.shape.array, self.places[number]
        each = array.rows * array.simd // WORD  # words of the bus
        return self._load(
            ("weights", number, part.row_tiles),
            self._weights,
            len(part.row_tiles) * place.weight_step,
            loads,
            memory=Memory.WEIGHTS,
            word=each,
            first=place.weights * self.shape.burst_words + part.row_tiles.start * place.weight_step * each,
        )

    def _load_parameters(self, number: int, part: Part, loads: list[Load]) -> Region:
        """Thresholds, and factors at the same addresses where the layer makes values."""
        array, place = self.shape.array, self.places[number]
        key = ("parameters", number, part.row_tiles)
        is_held = key in self._held and self._held[key].is_live
        region = self._load(
            key,
            self._parameters,
            len(part.row_tiles) * array.row_groups,
            loads,
            memory=Memory.PARAMETERS,
            word=array.group_rows,
            first=place.parameters * self.shape.burst_words + part.row_tiles.start * array.rows,
        )
        if self.network.layers[number].values is not None and not is_held:
            word = array.group_rows * FACTOR_WORDS
            first = place.factors * self.shape.burst_words + part.row_tiles.start * array.rows * FACTOR_WORDS
            loads.append(self._into(region, region.size, Memory.FACTORS, word=word, first=first))
        return region

    def _load(
        self, key: tuple, ring: Ring, size: int, loads: list[Load], *, memory: Memory, word: int, first: int
    ) -> Region:
        """Words from `first` on, counted in those of the bus; not again where they are still there."""
        if key in self._held and self._held[key].is_live:
            return self._held[key]
        region = self._held[key] = ring.claim(size)
        loads.append(self._into(region, size, memory, word=word, first=first))
        return region

    def _into(self, region: Region, size: int, memory: Memory, *, word: int, first: int) -> Load:
        """`size` words of a memory, each of `word` words of the bus, from that word of the external memory on."""
        burst = self.shape.burst_words
        transfer = Transfer(
            stores=False,
            memory=memory,
            place=first // burst,
            bursts=size * word // burst,
            address=region.begin * word,
        )
        return Load(transfer, region)

    def _load_maps(self, number: int, layer: EngineLayer, tiling: Tiling, part: Part, loads: list[Load]) -> Region:
        key = ("maps", number, part.group, part.lines)
        if key in self._held and self._held[key].is_live:
            return self._held[key]
        region = self._held[key] = self._banks.claim(words_of(tiling.bands), align=tiling.bands[0].column_words)
        for name, place in zip(layer.reads, tiling.bands, strict=True):
            source, band = self.maps.places[name], replace(place, base=region.begin + place.base)
            if source.place.strips == band.strips:
                transfers = [lines_in(source, band, self.shape, group=part.group, lines=lines_of(layer, part.lines))]
            else:
                strips = source.place.strips
                transfers = [
                    turned_in(source, band.base, self.shape, group=part.group * strips + each, among=each)
                    for each in range(strips)
                ]
            loads += [Load(transfer, region, self._sent_until.get(name, 0)) for transfer in transfers]
        return region

    def _send(self, number: int, layer: EngineLayer, part: Part) -> tuple[Region, Transfer]:
        """Room for a part's bits, and their way into the next layer's map."""
        first = map_words_of(part.row_tiles.start, layer, self.shape)
        count = map_words_of(len(part.row_tiles), layer, self.shape)
        lines = range(part.lines.start * layer.block, part.lines.stop * layer.block)
        region = self._outbox.claim(count * len(lines) * (layer.map_shape[1] // self.strips[number]))
        words = range(first, first + count)
        sink = self.maps.places[layer.writes]
        return region, lines_out(sink, region.begin, self.shape, group=part.group, words=words, lines=lines)
