"""The engine: memories, the walks over them, the array, and what becomes of its sums.

Tests: tests/hw/engine/test_engine.py
"""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.logic.delays import delay, delays
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.targets import BLOCK_RAM_LATENCY

from .array import Array
from .beat_walk import BeatWalk
from .bit_writer import BitWriter
from .command_port import CommandPort
from .engine_shape import WORD, EngineShape
from .fetch import Fetch
from .packets import Memory
from .results import Results
from .wide_memory import WideMemory
from .word_reader import WordReader

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
    """

    i: stream.Interface
    o: stream.Interface

    input_width = output_width = WORD
    input_lanes = output_lanes = vectors = 1

    def __init__(self, shape: EngineShape):
        self.shape = shape
        super().__init__({"i": In(flat_stream(WORD)), "o": Out(flat_stream(WORD))})

    def elaborate(self, platform) -> Module:
        m = Module()
        shape = self.shape
        m.submodules.commands = commands = CommandPort(shape)
        m.submodules.fetch = fetch = Fetch(shape)
        m.submodules.beats = beats = BeatWalk(shape)
        m.submodules.reader = reader = WordReader(shape)
        m.submodules.array = array = Array(shape.array)
        m.submodules.results = results = Results(shape)
        wiring.connect(m, wiring.flipped(self.i), commands.i)
        wiring.connect(m, commands.o, wiring.flipped(self.o))
        m.d.comb += [
            fetch.write.eq(commands.write[Memory.INSTRUCTIONS]),
            fetch.address.eq(commands.address),
            fetch.data.eq(commands.data),
            fetch.run.eq(commands.run),
            fetch.first.eq(commands.first),
            commands.done.eq(fetch.done),
            beats.layer.eq(fetch.layer),
            beats.start.eq(fetch.start),
            fetch.layer_done.eq(beats.done),
            reader.layer.eq(fetch.layer),
            reader.beat.eq(beats.beat),
            reader.last.eq(beats.last),
            Cat(reader.address, reader.column, reader.line).eq(
                Cat(beats.tile.address, beats.tile.column, beats.tile.line)
            ),
        ]
        self._taps(m, commands, beats, reader)
        self._weights(m, commands, beats, reader, array)
        tile = self._tile_of_sums(m, beats)
        bits = self._bits(m, commands, array, tile)
        self._banks(m, commands, reader, tile, bits, fetch.layer.capture)
        self._words(m, reader, array)
        m.d.comb += [
            results.restart.eq(commands.run),
            results.sums.eq(array.sums),
            results.valid.eq(tile.valid & fetch.layer.capture),
            results.pixel.eq(tile.now.pixel),
            results.address.eq(commands.result_address),
            commands.result.eq(results.value),
        ]
        return m

    def _taps(self, m: Module, commands: CommandPort, beats: BeatWalk, reader: WordReader) -> None:
        m.submodules.taps = taps = WideMemory(depth=self.shape.taps, width=WORD, column=WORD, target=self.shape.target)
        self._write(m, taps, commands, Memory.TAPS)
        m.d.comb += [taps.read_address.eq(beats.tap), reader.tap.eq(taps.read_data)]

    def _write(self, m: Module, memory: WideMemory, commands: CommandPort, which: Memory) -> None:
        """Words of the bus become the columns of a memory's words, lowest bits first."""
        columns = memory.width // WORD
        low = (columns - 1).bit_length()
        write, address, word = (
            delay(m, value, 1, name=f"{which.name.lower()}_{name}")
            for name, value in (
                ("write", commands.write[which]),
                ("address", commands.address),
                ("data", commands.data),
            )
        )
        m.d.comb += [
            memory.write_columns.eq((1 << address[:low])[:columns] & write.replicate(columns)),
            memory.write_address.eq(address[low:]),
            memory.write_data.eq(word.replicate(columns)),
        ]

    def _weights(self, m: Module, commands: CommandPort, beats: BeatWalk, reader: WordReader, array: Array) -> None:
        """A memory for each group of rows: each reads a cycle behind the one before it."""
        shape, groups = self.shape, self.shape.array.row_groups
        width = shape.array.group_rows * shape.array.simd
        columns = width // WORD
        low, high = (columns - 1).bit_length(), (groups - 1).bit_length()
        begun = delay(m, Cat(beats.first, beats.tile.weights), BLOCK_RAM_LATENCY, name="weights_begun")
        place, was_idle = Signal(len(beats.tile.weights), reset_less=True), Signal()
        m.d.sync += [was_idle.eq(reader.tap.idle), place.eq(place + 1)]
        with m.If(begun[0] | reader.tap.double | was_idle):
            m.d.sync += place.eq(begun[1:])
        first = shape.word_latency - 2 * BLOCK_RAM_LATENCY - 1
        addresses = delays(m, place, first + groups - 1, name="weights")
        bus: Value = Cat(commands.write[Memory.WEIGHTS], commands.address, commands.data)
        for group in range(groups):
            bus = delay(m, bus, 1, name=f"weights_bus{group}_")
            write, address, word = bus[0], bus[1 : 1 + WORD], bus[1 + WORD :]
            m.submodules[f"weights{group}"] = memory = WideMemory(
                depth=shape.weight_words, width=width, column=WORD, target=shape.target
            )
            here = write & (address[low : low + high] == group)
            m.d.comb += [
                memory.write_columns.eq((1 << address[:low])[:columns] & here.replicate(columns)),
                memory.write_address.eq(address[low + high :]),
                memory.write_data.eq(word.replicate(columns)),
                memory.read_address.eq(addresses[first + group]),
                array.w.word_select(group, width).eq(memory.read_data),
            ]

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
        valid = Signal()
        m.d.comb += [
            now.as_value().eq(late[-1]),
            before.as_value().eq(late[shape.sum_latency - BLOCK_RAM_LATENCY - 2]),
            valid.eq(Cat(ended[shape.sum_latency : shape.sum_latency + shape.array.row_groups]).any()),
        ]
        return _TileOfSums(now, before, valid, ended)

    def _bits(self, m: Module, commands: CommandPort, array: Array, tile: "_TileOfSums") -> list[Signal]:
        """Of each pixel group the bits of a tile, each group's a cycle behind those of the one before it."""
        shape = self.shape.array
        rows = shape.group_rows
        m.submodules.parameters = memory = WideMemory(
            depth=self.shape.parameters, width=rows * WORD, column=WORD, target=shape.target
        )
        self._write(m, memory, commands, Memory.PARAMETERS)
        m.d.sync += memory.read_address.eq(memory.read_address + 1)
        with m.If(tile.ended[self.shape.sum_latency - BLOCK_RAM_LATENCY - 1]):
            m.d.sync += memory.read_address.eq(tile.before.parameters)
        words = [memory.read_data.word_select(row, WORD) for row in range(rows)]
        controls: Value = Cat(
            tile.valid,
            tile.now.first,
            *(word[shape.sum_width] for word in words),
            *(word[: shape.sum_width] for word in words),
        )
        bits: list[Signal] = []
        for group in range(shape.pixel_groups):
            m.submodules[f"bits{group}"] = writer = BitWriter(shape)
            m.d.comb += [
                writer.sums.eq(array.sums.word_select(group, len(writer.sums))),
                Cat(writer.valid, writer.first, writer.minimum, writer.thresholds).eq(controls),
            ]
            controls = delay(m, controls, 1, name=f"parameters{group}_")
            bits.append(writer.bits)
        return bits

    def _banks(
        self,
        m: Module,
        commands: CommandPort,
        reader: WordReader,
        tile: "_TileOfSums",
        bits: list[Signal],
        capture: Value,
    ) -> None:
        """A bank of words for each pixel, written by the host and by tiles."""
        shape, array = self.shape, self.shape.array
        columns = array.simd // WORD
        low, high = (columns - 1).bit_length(), (array.pixels - 1).bit_length()
        column = min(WORD, array.rows)
        after = shape.bits_latency - shape.sum_latency
        store: Value = delay(m, Cat(tile.now.out, tile.now.part, tile.now.last & ~capture), after, name="store")
        ended = tile.ended[shape.sum_latency]
        ended = delay(m, ended, after, name="stored")
        store = Cat(ended, store)
        bus: Value = Cat(commands.write[Memory.MAPS], commands.address, commands.data)
        banks: list[Signal] = []
        for group in range(array.pixel_groups):
            bus = delay(m, bus, 1, name=f"maps_bus{group}_")
            write, address, word = bus[0], bus[1 : 1 + WORD], bus[1 + WORD :]
            out = store[1 : 1 + shape.address_bits]
            part, last = store[1 + shape.address_bits : -1], store[-1]
            is_stored = store[0] & last
            for pixel in range(array.group_pixels):
                number = group * array.group_pixels + pixel
                m.submodules[f"bank{number}"] = bank = WideMemory(
                    depth=shape.map_words, width=array.simd, column=column, target=shape.target
                )
                here = write & (address[low : low + high] == number)
                by_host = Cat(
                    (here & (address[:low] == index if low else 1)).replicate(WORD // column)
                    for index in range(columns)
                )
                by_tile = Cat((bit | part[0]).replicate(array.rows // column) for bit in part)
                row_bits = bits[group].word_select(pixel, array.rows)
                m.d.comb += [
                    bank.read_address.eq(reader.read_address),
                    bank.write_columns.eq(Mux(is_stored, by_tile, by_host)),
                    bank.write_address.eq(Mux(is_stored, out, address[low + high :])),
                    bank.write_data.eq(Mux(is_stored, self._part_bits(row_bits, part), word.replicate(columns))),
                ]
                banks.append(bank.read_data)
            store = delay(m, store, 1, name=f"store{group}_")
        m.d.comb += reader.banks.eq(Cat(banks))

    @staticmethod
    def _part_bits(bits: Value, part: Value) -> Value:
        """The bits in every part of a word but for the first tile's, which writes 0 into the others."""
        return Cat(bits, (bits & ~part[0].replicate(len(bits))).replicate(len(part) - 1))

    def _words(self, m: Module, reader: WordReader, array: Array) -> None:
        """Words and controls to the array, each pixel group's a cycle behind those of the one before it."""
        shape = self.shape.array
        m.d.comb += [
            array.double.eq(reader.double),
            array.last.eq(reader.last_word),
            array.clear.eq(reader.clear),
        ]
        for group in range(shape.pixel_groups):
            for port, source, bits in ((array.x, reader.x, shape.simd), (array.border, reader.border, 1)):
                width = shape.group_pixels * bits
                late = delay(m, source.word_select(group, width), group, name=f"{source.name}{group}_")
                m.d.comb += port.word_select(group, width).eq(late)


class _TileOfSums:
    """now, before: the tile whose first sums are there now, and in BLOCK_RAM_LATENCY + 1 cycles. valid: its sums are
    there. ended[n]: a tile's last beat had its turn n cycles ago."""

    def __init__(self, now, before, valid: Signal, ended: list[Value]):
        self.now = now
        self.before = before
        self.valid = valid
        self.ended = ended
