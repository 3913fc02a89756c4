"""Programs of networks that are larger than the engine: weights and maps come from the external memory and go there.

Tests: tests/compiler/engine/test_scheduled.py
"""

from dataclasses import replace

import numpy as np

from bnnhw.hw.engine.cycles import layer_cycles, program_cycles
from bnnhw.hw.engine.engine_shape import WORD, EngineShape
from bnnhw.hw.engine.instruction import END
from bnnhw.hw.engine.packets import Memory
from bnnhw.hw.engine.transfer import Transfer

from .external_places import ExternalPlaces
from .layer_data import layer_taps
from .layer_fields import layer_instruction
from .layers import EngineLayer, EngineNetwork
from .maps import MapPlace
from .program import Captured, EngineProgram
from .ring import Region, Ring
from .strips import keeps_columns, strips_of
from .tables import TapTable, check_room, instruction_list
from .tiling import Part, Tiling, lines_of, tile_layer
from .transfer_order import Load, Step, in_order

__all__ = ["scheduled_program"]


def scheduled_program(network: EngineNetwork, shape: EngineShape, *, frames: int | None = None) -> EngineProgram:
    """Layer by layer for all frames of a run, each in parts. Raises ScheduleError, which names what does not fit.

    frames : int, optional
        Of a run, a multiple of the array's pixels. By default those pixels.
    """
    frames = shape.array.pixels if frames is None else frames
    if frames < 1 or frames % shape.array.pixels:
        raise ValueError(f"frames={frames} must be a multiple of pixels={shape.array.pixels}")
    strips = _strips(network, shape)
    schedule = _Schedule(network, shape, strips=strips, frames=frames)
    for number in range(len(network.layers)):
        schedule.add_layer(number)
    layers, transfers = in_order(schedule.steps)
    places = schedule.places
    words = [word for transfer in transfers for word in transfer.words(shape)] + [END]
    check_room(len(words), shape.transfers, "words of transfers", "transfers")
    cycles = [0] * len(network.layers)
    for number, layer in zip(schedule.numbers, layers, strict=True):
        cycles[number] += layer_cycles(shape, layer)
    program = EngineProgram(
        shape=shape,
        network=network,
        contents={
            Memory.INSTRUCTIONS: instruction_list(layers, shape),
            Memory.TAPS: schedule.taps.words,
            Memory.TRANSFERS: np.array(words, np.uint32),
            Memory.EXTERNAL: places.words,
        },
        input=places.maps[0].place,
        input_burst=places.maps[0].burst,
        frames=frames,
        captured=tuple(schedule.captured),
        layer_cycles=tuple(cycles),
        cycles=program_cycles(shape, layers, transfers),
    )
    check_room(program.results, shape.results * shape.array.group_rows, "sums of the last layer", "results")
    return program


def _strips(network: EngineNetwork, shape: EngineShape) -> list[int]:
    """Of each layer: those of images are cut, those behind them that read a whole map are not."""
    image = 0
    while image < len(network.layers) and keeps_columns(network.layers[image]):
        image += 1
    cut = strips_of(network.layers[:image], shape.array.pixels) if image else 1
    return [cut if number < image else 1 for number in range(len(network.layers))]


class _Schedule:
    """The steps as they are added, and the rings of the engine's memories."""

    def __init__(self, network: EngineNetwork, shape: EngineShape, *, strips: list[int], frames: int):
        self.network = network
        self.shape = shape
        self.strips = strips
        self.frames = frames
        self.places = ExternalPlaces(network, shape, strips=strips, frames=frames)
        self.taps = TapTable(shape)
        self.steps: list[Step] = []
        self.numbers: list[int] = []  # the layer of each step
        self.captured: list[Captured] = []
        self._weights, self._parameters = Ring(shape.weight_words), Ring(shape.parameters)
        self._maps, self._outbox = Ring(shape.map_words), Ring(shape.outbox_words)
        self._held: dict[tuple, Region] = {}
        self._lanes = shape.array.pixels * shape.array.simd // WORD
        self._sent_until: dict[int, int] = {}  # of a map: the steps that have sent it

    def add_layer(self, number: int) -> None:
        """The steps of a layer."""
        layer, strips = self.network.layers[number], self.strips[number]
        turns = number > 0 and self.strips[number - 1] != strips
        tiling = tile_layer(
            layer, self.places.layers[number], self.shape, strips=strips, frames=self.frames, whole=turns
        )
        self._maps.rewind(tiling.stay)
        self._weights.rewind(tiling.weights_stay)
        taps = layer_taps(layer, tiling.band, self.shape)
        begin = self.taps.begin(taps)
        for part in tiling.parts:
            self._add_part(number, layer, tiling, part, taps=begin, beats=len(taps))
        self._sent_until[number + 1] = len(self.steps)

    def _add_part(self, number: int, layer: EngineLayer, tiling: Tiling, part: Part, *, taps: int, beats: int) -> None:
        place = self.places.layers[number]
        loads: list[Load] = []
        weights = self._load_weights(number, part, loads)
        inputs = self._load_maps(number, layer, tiling, part, loads)
        used = [weights, inputs]
        first_parameter = 0
        if layer.most is not None:
            parameters = self._load_parameters(number, part, loads)
            used.append(parameters)
            first_parameter = parameters.begin
        outbox, sends = (None, None) if layer.most is None else self._send(number, layer, part)
        for region in used:
            region.used_until = len(self.steps) + 1
        if outbox is None:
            self.captured.append(Captured(part.group, part.row_tiles, part.lines))
        else:
            outbox.used_until = len(self.steps) + 1
        columns = layer.out_shape[1] // self.strips[number]
        instruction = layer_instruction(
            layer,
            self.shape,
            replace(tiling.band, base=inputs.begin),
            lines=part.lines,
            row_tiles=len(part.row_tiles),
            taps=taps,
            beats=beats,
            weights=weights.begin,
            weight_step=place.weight_step,
            parameters=first_parameter,
            out=0 if outbox is None else outbox.begin,
            out_plane=0 if outbox is None else len(part.lines) * columns,
            sent=int(outbox is not None),
        )
        self.steps.append(Step(instruction, loads, outbox, sends))
        self.numbers.append(number)

    def _load_weights(self, number: int, part: Part, loads: list[Load]) -> Region:
        array, place = self.shape.array, self.places.layers[number]
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
        array, place = self.shape.array, self.places.layers[number]
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
        region = self._held[key] = self._maps.claim(tiling.band.words)
        source = self.places.maps[number]
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
        source = self.places.maps[number]
        words = source.place.planes * source.place.channel_words
        begin = source.burst + group * source.group_bursts + lines.start * source.line_bursts
        bursts = len(lines) * source.line_bursts
        if len(lines) == source.place.shape[0] == band.shape[0]:
            return Transfer(
                stores=False,
                memory=Memory.MAPS,
                place=begin,
                bursts=words * bursts,
                address=region.begin * self._lanes,
            )
        return Transfer(
            stores=False,
            memory=Memory.MAPS,
            place=begin,
            place_step=source.place.shape[0] * source.line_bursts,
            pieces=words,
            bursts=bursts,
            address=region.begin * self._lanes,
            counts=(bursts * self.shape.burst_words,),
            steps=(1, band.plane_words * self._lanes),
        )

    def _turned(self, number: int, group: int, among: int, region: Region) -> Transfer:
        """A group's map in strips as one in whole lines: its frames are the `among`-th of those in the banks."""
        source = self.places.maps[number]
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
        sink = self.places.maps[number + 1]
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
