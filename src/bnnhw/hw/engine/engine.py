"""The engine: memories, the walks over them, the array, and what becomes of its sums.

Tests: tests/hw/engine/test_engine.py
"""

from typing import Any, NamedTuple

from amaranth.hdl import Cat, Module, Mux, ResetInserter, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.logic.delays import delay, delays
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.targets import BLOCK_RAM_LATENCY

from .array.array import Array
from .banks import Banks
from .command_port import CommandPort
from .engine_shape import WORD, EngineShape
from .external.external_memory import ExternalMemory
from .lanes.lanes import Lanes
from .program.instruction import layer_layout
from .program.packets import Memory
from .results import Results
from .thresholds import Thresholds
from .walk.beat_walk import BeatWalk
from .walk.fetch import Fetch
from .walk.word_reader import WordReader
from .weights import Weights
from .wide_memory import WideMemory

__all__ = ["Engine"]


class Engine(wiring.Component):
    """Runs programs on the frames in its maps; a core with packets for images.

    Parameters
    ----------
    shape : EngineShape

    Members
    -------
    i, o : streams of WORD bits
        Packets and their answers (`packets.py`).
    memory : Out(the external memory's port)
        Where the shape has one.
    """

    i: stream.Interface
    o: stream.Interface
    memory: wiring.PureInterface

    input_width = output_width = WORD
    input_lanes = output_lanes = vectors = 1

    def __init__(self, shape: EngineShape):
        self.shape = shape
        memory = {} if shape.external is None else {"memory": Out(shape.external.signature)}
        super().__init__({"i": In(flat_stream(WORD)), "o": Out(flat_stream(WORD))} | memory)

    def elaborate(self, platform) -> Module:
        m = Module()
        shape = self.shape
        m.submodules.commands = commands = CommandPort(shape)
        fetch = Fetch(layer_layout(shape), depth=shape.instructions, rest=shape.drain, target=shape.target)
        m.submodules.fetch = ResetInserter(commands.stop)(fetch)
        beats = BeatWalk(shape)
        m.submodules.beats = ResetInserter(commands.stop)(beats)
        m.submodules.reader = reader = WordReader(shape)
        m.submodules.array = array = Array(shape.array)
        m.submodules.results = results = Results(shape)
        bus = _Bus(commands.write, commands.address, commands.data)
        outbox = None
        if shape.external is None:
            m.d.comb += [commands.done.eq(fetch.done), commands.idle.eq(1)]
        else:
            bus, outbox = self._external(m, commands, fetch, bus)
        wiring.connect(m, wiring.flipped(self.i), commands.i)
        wiring.connect(m, commands.o, wiring.flipped(self.o))
        layer = fetch.fields
        m.d.comb += [
            fetch.write.eq(bus.write[Memory.INSTRUCTIONS]),
            fetch.address.eq(bus.address),
            fetch.data.eq(bus.data),
            fetch.run.eq(commands.run),
            beats.layer.eq(layer),
            beats.start.eq(fetch.start),
            fetch.ended.eq(beats.done),
            reader.layer.eq(layer),
            reader.beat.eq(beats.beat),
            reader.last.eq(beats.last),
            Cat(reader.address, reader.column, reader.line).eq(
                Cat(beats.tile.address, beats.tile.column, beats.tile.line)
            ),
        ]
        self._taps(m, bus, beats, reader)
        self._weights(m, bus, beats, reader, array)
        tile = self._tile_of_sums(m, beats)
        m.d.comb += commands.result.eq(results.value)
        bits = self._bits(m, bus, commands, array, tile, layer, outbox)
        self._banks(m, bus, reader, tile, bits, layer, outbox)
        m.d.comb += [
            array.x.eq(reader.x),
            array.border.eq(reader.border),
            array.double.eq(reader.double),
            array.last.eq(reader.last_word),
            array.clear.eq(reader.clear),
            results.restart.eq(commands.run),
            results.sums.eq(array.sums),
            results.will_be_valid.eq(tile.will_be_valid & layer.capture),
            results.pixel.eq(tile.soon.pixel),
            results.address.eq(commands.result_address),
        ]
        return m

    def _external(self, m: Module, commands: CommandPort, layers: Fetch, bus: "_Bus") -> "tuple[_Bus, ExternalMemory]":
        """The external memory, which the host writes and reads, and the transfers; the bus that both write on."""
        m.submodules.external = external = ExternalMemory(self.shape)
        wiring.connect(m, commands.external, external.i)
        wiring.connect(m, external.o, commands.from_external)
        wiring.connect(m, external.memory, wiring.flipped(self.memory))
        is_moved = external.moved.any()
        bus = _Bus(
            bus.write | external.moved,
            Mux(is_moved, external.address, bus.address),
            Mux(is_moved, external.data, bus.data),
        )
        m.d.comb += [
            external.start.eq(commands.external_start),
            external.reads.eq(commands.external_reads),
            external.place.eq(commands.place),
            external.bursts.eq(commands.external_bursts),
            external.write.eq(bus.write[Memory.TRANSFERS]),
            external.write_address.eq(bus.address),
            external.write_data.eq(bus.data),
            external.run.eq(commands.run),
            external.stop.eq(commands.stop),
            external.base.eq(commands.base),
            external.layers.eq(layers.count),
            layers.others.eq(external.transfers),
            commands.done.eq(layers.done & external.done),
            commands.idle.eq(~external.busy),
        ]
        return bus, external

    def _taps(self, m: Module, bus: "_Bus", beats: BeatWalk, reader: WordReader) -> None:
        m.submodules.taps = taps = WideMemory(depth=self.shape.taps, width=WORD, column=WORD, target=self.shape.target)
        write = self._late(m, bus, Memory.TAPS)
        taps.connect_bus(m, write[0], write[1 : 1 + WORD], write[1 + WORD :])
        m.d.comb += [taps.read_address.eq(beats.tap), reader.tap.eq(taps.read_data)]

    def _late(self, m: Module, bus: "_Bus", which: Memory) -> Value:
        """A word of the bus for a memory, a cycle later: whether it is written, where, and what."""
        return delay(m, Cat(bus.write[which], bus.address, bus.data), 1, name=which.name.lower())

    def _weights(self, m: Module, bus: "_Bus", beats: BeatWalk, reader: WordReader, array: Array) -> None:
        """Each word a cycle behind the one before it; from the tile's first one on again where a plane begins."""
        shape = self.shape
        m.submodules.weights = weights = Weights(shape)
        begun = delay(m, Cat(beats.first, beats.tile.weights), BLOCK_RAM_LATENCY, name="weights_begun")
        place, was_idle = Signal(len(beats.tile.weights), reset_less=True), Signal()
        m.d.sync += [was_idle.eq(reader.tap.idle), place.eq(place + 1)]
        with m.If(begun[0] | reader.tap.double | was_idle):
            m.d.sync += place.eq(begun[1:])
        self._connect_bus(m, weights, bus, Memory.WEIGHTS)
        m.d.comb += [
            weights.read_address.eq(
                delay(m, place, shape.word_latency - 2 * BLOCK_RAM_LATENCY - 1, name="weights_place")
            ),
            array.w.eq(weights.words),
        ]

    @staticmethod
    def _connect_bus(m: Module, memory: Weights | Banks, bus: "_Bus", which: Memory) -> None:
        m.d.comb += [memory.write.eq(bus.write[which]), memory.address.eq(bus.address), memory.data.eq(bus.data)]

    def _tile_of_sums(self, m: Module, beats: BeatWalk) -> "_TileOfSums":
        """The tile whose sums leave the array."""
        shape = self.shape
        held = Signal.like(beats.tile, name="held")
        with m.If(beats.last):
            m.d.sync += held.eq(beats.tile)
        late = delays(m, held.as_value(), shape.sum_latency - 1, name="held")
        ended = delays(m, beats.last, shape.sum_latency + shape.array.row_groups, name="ended")
        now = data.View(held.shape(), Signal.like(late[-1], name="tile_now"))
        before = data.View(held.shape(), Signal.like(late[-1], name="tile_before"))
        soon = data.View(held.shape(), Signal.like(late[-1], name="tile_soon"))
        valid, will_be_valid = Signal(), Signal()
        m.d.comb += [
            now.as_value().eq(late[-1]),
            soon.as_value().eq(late[-2]),
            before.as_value().eq(late[shape.sum_latency - BLOCK_RAM_LATENCY - 2]),
            will_be_valid.eq(Cat(ended[shape.sum_latency - 1 : shape.sum_latency + shape.array.row_groups - 1]).any()),
        ]
        m.d.sync += valid.eq(will_be_valid)
        return _TileOfSums(now, soon, before, valid, will_be_valid, ended)

    def _bits(
        self, m: Module, bus: "_Bus", commands: CommandPort, array: Array, tile: "_TileOfSums", layer, outbox
    ) -> Signal:
        """A tile's bits, each pixel group's a cycle behind those of the one before it: of its sums, or by lanes."""
        shape = self.shape
        begin = tile.ended[shape.sum_latency - BLOCK_RAM_LATENCY - 1]
        m.submodules.thresholds = thresholds = Thresholds(shape)
        m.d.comb += [
            Cat(thresholds.write, thresholds.address, thresholds.data).eq(self._late(m, bus, Memory.PARAMETERS)),
            thresholds.begin.eq(begin),
            thresholds.parameters.eq(tile.before.parameters),
            thresholds.valid.eq(tile.valid),
            thresholds.first.eq(tile.now.first),
            thresholds.numbers.eq(array.sums),
        ]
        if shape.values:
            m.submodules.lanes = lanes = Lanes(shape)
            m.d.comb += [
                Cat(lanes.write, lanes.write_address, lanes.write_data).eq(self._late(m, bus, Memory.FACTORS)),
                Cat(lanes.bus_write, lanes.bus_address, lanes.bus_data).eq(self._late(m, bus, Memory.VALUES)),
                lanes.layer.eq(layer),
                lanes.begin.eq(begin),
                lanes.parameters.eq(tile.before.parameters),
                lanes.first.eq(tile.ended[shape.sum_latency]),
                lanes.valid.eq(tile.valid),
                lanes.values_in.eq(tile.now.values_in),
                lanes.values_out.eq(tile.now.values_out),
                lanes.follows.eq(tile.now.follows),
                lanes.ends.eq(tile.now.ends),
                lanes.begins_window.eq(tile.now.first),
                lanes.outside.eq(
                    tile.now.outside.replicate(shape.array.pixels)
                    | (tile.now.left.replicate(shape.array.pixels) & layer.first_pixels)
                    | (tile.now.right.replicate(shape.array.pixels) & layer.last_pixels)
                ),
                lanes.sums.eq(array.sums),
                thresholds.numbers.eq(lanes.numbers),
                lanes.by_host.eq(commands.reads_values),
                lanes.address.eq(commands.result_address),
            ]
            with m.If(layer.bases.any() | layer.inside_tiles.any()):
                m.d.comb += [thresholds.valid.eq(tile.valid & lanes.gives_bits), thresholds.first.eq(1)]
            with m.If(commands.reads_values):
                m.d.comb += commands.result.eq(lanes.word)
            if outbox is not None:
                m.d.comb += [
                    outbox.store_values.eq(lanes.sends),
                    outbox.values_out.eq(lanes.place),
                    outbox.values.eq(lanes.values),
                ]
        return thresholds.bits

    def _banks(
        self, m: Module, bus: "_Bus", reader: WordReader, tile: "_TileOfSums", bits: Signal, layer, outbox
    ) -> None:
        """The banks of maps, and the outbox: a layer's bits go into one of both."""
        shape = self.shape
        m.submodules.banks = banks = Banks(shape)
        after = shape.bits_latency - shape.sum_latency
        stores = tile.ended[shape.sum_latency] & tile.now.last & ~layer.capture & ~layer.discard
        stays = stores & ~layer.sent
        store, stay, *place = (
            delay(m, value, after, name=f"store_{name}")
            for name, value in (("any", stores), ("stay", stays), ("part", tile.now.part), ("out", tile.now.out))
        )
        self._connect_bus(m, banks, bus, Memory.MAPS)
        m.d.comb += [
            banks.write_pixel.eq(bus.write[Memory.WINDOWS]),
            banks.store.eq(stay),
            Cat(banks.part, banks.out).eq(Cat(place)),
            banks.bits.eq(bits),
            banks.read_address.eq(reader.read_address),
            reader.banks.eq(banks.words),
        ]
        if outbox is not None:
            m.d.comb += [
                outbox.store.eq(store & ~stay),
                Cat(outbox.part, outbox.out).eq(Cat(place)),
                outbox.bits.eq(bits),
            ]


class _Bus(NamedTuple):
    """What writes the memories: the one that is written, where, and what."""

    write: Value
    address: Value
    data: Value


class _TileOfSums(NamedTuple):
    """now, soon, before: the tile whose first sums are there now, in the next cycle, and in BLOCK_RAM_LATENCY + 1
    cycles. valid, will_be_valid: its sums are there now, and in the next cycle. ended[n]: a tile's last beat had its
    turn n cycles ago."""

    now: Any
    soon: Any
    before: Any
    valid: Signal
    will_be_valid: Signal
    ended: list[Value]
