"""Programs of networks that are larger than the engine: weights and maps come from the external memory and go there.

Tests: tests/compiler/engine/test_scheduled.py
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bnnhw.hw.engine.cycles import layer_cycles, program_cycles
from bnnhw.hw.engine.engine_shape import WORD, EngineShape
from bnnhw.hw.engine.packets import Memory
from bnnhw.hw.engine.transfer import Transfer

from .external_places import MapsInMemory, WeightsInMemory
from .layer_data import layer_taps
from .layer_fields import first_line_read, layer_instruction
from .layers import EngineLayer, EngineNetwork
from .lists import Lists
from .maps import MapPlace
from .program import Captured, EngineProgram
from .ring import Region, Ring
from .segments import Segment, segments_of
from .strips import keeps_columns, strips_of
from .tables import TapTable, check_room
from .tiling import Part, Rooms, Tiling, lines_of, tile_layer
from .transfer_order import Load, Step

__all__ = ["scheduled_program", "segmentations"]


def scheduled_program(
    network: EngineNetwork,
    shape: EngineShape,
    *,
    weights: WeightsInMemory | None = None,
    frames: int | None = None,
    segments: Sequence[Segment] | None = None,
) -> EngineProgram:
    """Segment by segment for all frames of a run, each layer in parts. Raises ScheduleError, which names what does not
    fit.

    weights : WeightsInMemory, optional
        The network's, where they have been made already.
    frames : int, optional
        Of a run, a multiple of the array's pixels. By default those pixels.
    segments : sequence of Segment, optional
        One of the `segmentations`. By default each layer is one.
    """
    frames = shape.array.pixels if frames is None else frames
    if frames < 1 or frames % shape.array.pixels:
        raise ValueError(f"frames={frames} must be a multiple of pixels={shape.array.pixels}")
    strips = _strips(network, shape)
    weights = WeightsInMemory(network, shape) if weights is None else weights
    schedule = _Schedule(network, shape, weights, strips=strips, frames=frames)
    for segment in segments_of(network.layers, strips, shape, longest=1) if segments is None else segments:
        schedule.add_segment(segment)
    lists = Lists(schedule.steps, shape, first_burst=schedule.maps.end)
    first = schedule.maps.inputs[0]
    held = np.concatenate([weights.words, lists.external])
    lists_at = schedule.maps.end * shape.burst_words
    cycles = [0] * len(network.layers)
    for number, layer in zip(schedule.numbers, lists.layers, strict=True):
        cycles[number] += layer_cycles(shape, layer)
    program = EngineProgram(
        shape=shape,
        network=network,
        contents={
            Memory.INSTRUCTIONS: lists.words[Memory.INSTRUCTIONS],
            Memory.TAPS: schedule.taps.words,
            Memory.TRANSFERS: lists.words[Memory.TRANSFERS],
            Memory.EXTERNAL: held,
        },
        input=first.place,
        input_burst=first.burst,
        external_parts=((0, len(weights.words)), (lists_at, len(lists.external))),
        rewound=lists.rewound,
        frames=frames,
        captured=tuple(schedule.captured),
        layer_cycles=tuple(cycles),
        cycles=program_cycles(shape, lists.layers, lists.transfers),
    )
    check_room(program.results, shape.results * shape.array.group_rows, "sums of the last layer", "results")
    return program


def segmentations(network: EngineNetwork, shape: EngineShape) -> list[list[Segment]]:
    """All ways to cut a network into segments that are as long as they can be up to a length."""
    strips = _strips(network, shape)
    found: list[list[Segment]] = []
    for longest in range(1, len(network.layers) + 1):
        segments = segments_of(network.layers, strips, shape, longest=longest)
        if segments not in found:
            found.append(segments)
    return found


def _strips(network: EngineNetwork, shape: EngineShape) -> list[int]:
    """Of each layer: those of images are cut, those behind them that read a whole map are not."""
    image = 0
    while image < len(network.layers) and keeps_columns(network.layers[image]):
        image += 1
    cut = strips_of(network.layers[:image], shape.array.pixels) if image else 1
    return [cut if number < image else 1 for number in range(len(network.layers))]


class _Schedule:
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
        self.taps = TapTable(shape)
        self.steps: list[Step] = []
        self.numbers: list[int] = []  # the layer of each step
        self.captured: list[Captured] = []
        self._weights, self._parameters = Ring(shape.weight_words), Ring(shape.parameters)
        self._banks, self._outbox = Ring(shape.map_words), Ring(shape.outbox_words)
        self._held: dict[tuple, Region] = {}
        self._kept: dict[int, Region] = {}  # of a map between two layers of a segment
        self._lanes = shape.array.pixels * shape.array.simd // WORD
        self._sent_until: dict[int, int] = {}  # of a map: the steps that have sent it

    def add_segment(self, segment: Segment) -> None:
        """The steps of a segment: of a single layer part by part for all groups of frames, else group by group."""
        strips = self.strips[segment.layers.start]
        groups = range(self.frames * strips // self.shape.array.pixels)
        self._banks.limit = self.shape.map_words - segment.kept_words
        self._banks.rewind(0)
        if len(segment.layers) == 1:
            self._add_layer(segment.layers.start, segment, groups)
        else:
            places = [self.places[number] for number in segment.layers]
            self._weights.rewind(sum(place.row_tiles * place.weight_step for place in places))
            self._parameters.rewind(sum(place.row_tiles for place in places) * self.shape.array.row_groups)
            for group in groups:
                for number in segment.layers:
                    self._add_layer(number, segment, range(group, group + 1))
        self._sent_until[segment.layers.stop] = len(self.steps)

    def _add_layer(self, number: int, segment: Segment, groups: range) -> None:
        layer, strips = self.network.layers[number], self.strips[number]
        rooms = Rooms(
            weight_words=self.shape.weight_words,
            map_words=self._banks.limit,
            all_weights=len(segment.layers) > 1,
            input_stays=number > segment.layers.start,
            output_stays=number + 1 < segment.layers.stop,
            whole=number > 0 and self.strips[number - 1] != strips,
        )
        tiling = tile_layer(layer, self.places[number], self.shape, rooms, strips=strips, groups=groups)
        if len(segment.layers) == 1:
            self._banks.rewind(tiling.stay)
            self._weights.rewind(tiling.weights_stay)
        if rooms.output_stays:
            size = segment.kept[number - segment.layers.start]
            self._kept[number + 1] = self._banks.claim_at(segment.place(number + 1, self.shape.map_words), size)
        taps = layer_taps(layer, tiling.band, self.shape)
        begin = self.taps.begin(taps)
        for part in tiling.parts:
            self._add_part(number, rooms, tiling, part, taps=begin, beats=len(taps))

    def _add_part(self, number: int, rooms: Rooms, tiling: Tiling, part: Part, *, taps: int, beats: int) -> None:
        layer, place = self.network.layers[number], self.places[number]
        loads: list[Load] = []
        weights = self._load_weights(number, part, loads)
        if rooms.input_stays:
            inputs, base = self._kept[number], first_line_read(layer, part.lines.start) * tiling.band.columns
        else:
            inputs, base = self._load_maps(number, layer, tiling, part, loads), 0
        used = [weights, inputs]
        fields = {"parameters": 0, "out": 0, "out_plane": 0, "sent": 0}
        outbox = sends = None
        if layer.most is None:
            self.captured.append(Captured(part.group, part.row_tiles, part.lines))
        else:
            used.append(parameters := self._load_parameters(number, part, loads))
            fields["parameters"] = parameters.begin
            columns = layer.out_shape[1] // self.strips[number]
            if rooms.output_stays:
                used.append(output := self._kept[number + 1])
                first = part.row_tiles.start // self.shape.parts * layer.out_shape[0] + part.lines.start
                fields |= {"out": output.begin + first * columns, "out_plane": layer.out_shape[0] * columns}
            else:
                outbox, sends = self._send(number, layer, part)
                outbox.used_until = len(self.steps) + 1
                fields |= {"out": outbox.begin, "out_plane": len(part.lines) * columns, "sent": 1}
        for region in used:
            region.used_until = len(self.steps) + 1
        instruction = layer_instruction(
            layer,
            self.shape,
            replace(tiling.band, base=inputs.begin + base),
            lines=part.lines,
            row_tiles=len(part.row_tiles),
            taps=taps,
            beats=beats,
            weights=weights.begin,
            weight_step=place.weight_step,
            **fields,
        )
        self.steps.append(Step(instruction, loads, outbox, sends))
        self.numbers.append(number)

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
        array, place = self.shape.array, self.places[number]
        return self._load(
            ("parameters", number, part.row_tiles),
            self._parameters,
            len(part.row_tiles) * array.row_groups,
            loads,
            memory=Memory.PARAMETERS,
            word=array.group_rows,
            first=place.parameters * self.shape.burst_words + part.row_tiles.start * array.rows,
        )

    def _load(
        self, key: tuple, ring: Ring, size: int, loads: list[Load], *, memory: Memory, word: int, first: int
    ) -> Region:
        """Words from `first` on, counted in those of the bus; not again where they are still there."""
        if key in self._held and self._held[key].is_live:
            return self._held[key]
        region = self._held[key] = ring.claim(size)
        burst = self.shape.burst_words
        transfer = Transfer(
            stores=False,
            memory=memory,
            place=first // burst,
            bursts=size * word // burst,
            address=region.begin * word,
        )
        loads.append(Load(transfer, region))
        return region

    def _load_maps(self, number: int, layer: EngineLayer, tiling: Tiling, part: Part, loads: list[Load]) -> Region:
        key = ("maps", number, part.group, part.lines)
        if key in self._held and self._held[key].is_live:
            return self._held[key]
        region = self._held[key] = self._banks.claim(tiling.band.words, align=tiling.band.column_words)
        source = self.maps.inputs[number]
        if source.place.strips == self.strips[number]:
            transfers = [self._lines(number, tiling.band, part.group, lines_of(layer, part.lines), region)]
        else:
            transfers = [
                self._turned(number, part.group * source.place.strips + each, each, region)
                for each in range(source.place.strips)
            ]
        until = self._sent_until.get(number, 0)
        loads += [Load(transfer, region, until) for transfer in transfers]
        return region

    def _lines(self, number: int, band: MapPlace, group: int, lines: range, region: Region) -> Transfer:
        """Lines of a group's map as they lie there, word of channels by word."""
        source = self.maps.inputs[number]
        begin = source.burst + group * source.group_bursts + lines.start * source.line_bursts
        bursts, pieces = len(lines) * source.line_bursts, source.place.sheets
        if len(lines) == source.place.shape[0] == band.shape[0]:
            bursts, pieces = pieces * bursts, 1
        return Transfer(
            stores=False,
            memory=band.memory,
            place=begin,
            place_step=source.place.shape[0] * source.line_bursts if pieces > 1 else 0,
            pieces=pieces,
            bursts=bursts,
            address=band.bus_address(region.begin, self._lanes),
            counts=(bursts * self.shape.burst_words,) if pieces > 1 else (),
            steps=(1, band.plane_words * self._lanes) if pieces > 1 else (1,),
        )

    def _turned(self, number: int, group: int, among: int, region: Region) -> Transfer:
        """A group's map in strips as one in whole lines: its frames are the `among`-th of those in the banks."""
        source = self.maps.inputs[number]
        strips, columns = source.place.strips, source.place.columns
        pixel = self.shape.array.simd // WORD
        frames = self.shape.array.pixels // strips
        loops = [
            (pixel, 1),
            (strips, columns * self._lanes),
            (frames, pixel),
            (columns, self._lanes),
            (0, strips * columns * self._lanes),
        ]
        loops = [loop for loop in loops[:-1] if loop[0] > 1] + loops[-1:]
        return Transfer(
            stores=False,
            memory=Memory.MAPS,
            place=source.burst + group * source.group_bursts,
            bursts=source.group_bursts,
            address=region.begin * self._lanes + among * frames * pixel,
            counts=tuple(count for count, _ in loops[:-1]),
            steps=tuple(step for _, step in loops),
        )

    def _send(self, number: int, layer: EngineLayer, part: Part) -> tuple[Region, Transfer]:
        """Room for a part's bits, and their way into the next layer's map."""
        sink = self.maps.inputs[number + 1]
        lines, columns, _ = layer.out_shape
        words = -(-len(part.row_tiles) // self.shape.parts)
        size = words * len(part.lines) * (columns // self.strips[number])
        region = self._outbox.claim(size)
        first = part.row_tiles.start // self.shape.parts
        begin = sink.burst + part.group * sink.group_bursts + (first * lines + part.lines.start) * sink.line_bursts
        bursts = len(part.lines) * sink.line_bursts
        pieces = 1 if len(part.lines) == lines else words
        return region, Transfer(
            stores=True,
            memory=Memory.EXTERNAL,
            place=begin,
            place_step=lines * sink.line_bursts if pieces > 1 else 0,
            pieces=pieces,
            bursts=bursts if pieces > 1 or words == 1 else words * bursts,
            address=region.begin * self._lanes,
        )
