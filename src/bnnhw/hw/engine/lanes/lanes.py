"""All lanes: factors of rows, the values of a tile, and what thresholds are compared with.

Tests: tests/compiler/engine/test_values.py
"""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.engine.engine_shape import WORD, EngineShape
from bnnhw.hw.engine.lane_format import VALUE_BITS, VALUE_LATENCY
from bnnhw.hw.engine.program.factors import FACTOR_WORDS, factor_layout
from bnnhw.hw.engine.program.instruction import layer_layout
from bnnhw.hw.engine.wide_memory import WideMemory
from bnnhw.hw.logic.delays import delay
from bnnhw.hw.targets import BLOCK_RAM_LATENCY

from .lane import RESIDUAL_DELAY, Lane
from .values import Values

__all__ = ["Lanes"]


class Lanes(wiring.Component):
    """A lane for each sum that leaves the array in a cycle; what is said of the first group of pixels meets group g
    g cycles later.

    Members
    -------
    write : In(1), write_address : In(WORD), write_data : In(WORD)
        A word of the bus: of each row its factor (`factor_layout`).
    layer : In(layer_layout(shape))
    begin : In(1), parameters : In
        BLOCK_RAM_LATENCY + 1 cycles before a tile's first sums: where the factors of its rows begin.
    first, valid : In(1), values_in, values_out : In(value_address_bits)
        There are a tile's first sums, and any; where its first residuals and values are.
    follows, ends : In(1)
        With a tile's sums: they are added to those of the tile before it; they are those of the last tile that is.
    begins_window : In(1), outside : In(pixels)
        With a tile's sums: it is of a pooling window's first place; pixels for which its place is none of the map's.
    sums : In(pixels * group_rows * sum_width)
    gives_bits : Out(1)
        The rows whose sums are there give bits.
    numbers : Out(pixels * group_rows * sum_width)
        shape.lane_latency cycles after the sums: the same, or values in offset binary, `layer.compared_bit` highest.
    sends : Out(1), place : Out(value_address_bits), values : Out(pixels * group_rows * VALUE_BITS)
        Values go out: to which address, and which.
    bus_write, bus_address, bus_data, by_host, address, word
        As `Values` has them.
    """

    write: Signal
    write_address: Signal
    write_data: Signal
    layer: Any
    begin: Signal
    parameters: Signal
    first: Signal
    valid: Signal
    values_in: Signal
    values_out: Signal
    follows: Signal
    ends: Signal
    begins_window: Signal
    outside: Signal
    sums: Signal
    gives_bits: Signal
    numbers: Signal
    sends: Signal
    place: Signal
    values: Signal
    bus_write: Signal
    bus_address: Signal
    bus_data: Signal
    by_host: Signal
    address: Signal
    word: Signal

    def __init__(self, shape: EngineShape):
        self.shape = shape
        array = shape.array
        sums = array.pixels * array.group_rows * array.sum_width
        super().__init__(
            {
                "write": In(1),
                "write_address": In(WORD),
                "write_data": In(WORD),
                "layer": In(layer_layout(shape)),
                "begin": In(1),
                "parameters": In((shape.parameters - 1).bit_length()),
                "first": In(1),
                "valid": In(1),
                "values_in": In(shape.value_address_bits),
                "values_out": In(shape.value_address_bits),
                "follows": In(1),
                "ends": In(1),
                "begins_window": In(1),
                "outside": In(array.pixels),
                "sums": In(sums),
                "gives_bits": Out(1),
                "numbers": Out(sums),
                "sends": Out(1),
                "place": Out(shape.value_address_bits),
                "values": Out(array.pixels * array.group_rows * VALUE_BITS),
                "bus_write": In(1),
                "bus_address": In(WORD),
                "bus_data": In(WORD),
                "by_host": In(1),
                "address": In(shape.result_address_bits),
                "word": Out(WORD),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        array, layer = self.shape.array, self.layer
        factors = self._factors(m)
        first_row = factor_layout()(factors[: FACTOR_WORDS * WORD])
        is_last, is_value = Signal(), Signal()  # sums of a channel's last row, and those that make a value
        m.d.comb += [
            is_last.eq(self.valid & first_row.ends),
            is_value.eq(is_last & self.ends),
            self.gives_bits.eq(first_row.gives_bits & self.ends),
        ]
        m.submodules.values = values = Values(self.shape)
        writes = Cat(is_value & layer.keeps_values, is_value & layer.sends_values)
        m.d.comb += [
            values.read_address.eq(
                delay(m, self._place(m, self.values_in, is_value, name="in"), _READ_DELAY, name="read_address")
            ),
            self.place.eq(
                delay(m, self._place(m, self.values_out, is_value, name="out"), VALUE_LATENCY, name="write_address")
            ),
            Cat(values.write, self.sends).eq(delay(m, writes, VALUE_LATENCY, name="write")),
            values.write_address.eq(
                Mux(
                    layer.takes_greatest,
                    delay(m, values.read_address, VALUE_LATENCY - _READ_DELAY, name="greatest_address"),
                    self.place,
                )
            ),
            values.data.eq(self.values),
            values.bus_write.eq(self.bus_write),
            values.bus_address.eq(self.bus_address),
            values.bus_data.eq(self.bus_data),
            values.by_host.eq(self.by_host),
            values.address.eq(self.address),
            self.word.eq(values.word),
        ]
        always = 1 << VALUE_BITS - 1  # from the begin, or yosys shares the register of that bit over the whole chip
        tops = {name: Signal(VALUE_BITS, init=always, name=name) for name in ("tops", "residual_tops")}
        m.d.sync += [
            tops["tops"].eq(~0 << layer.value_clip),
            tops["residual_tops"].eq(~0 << layer.residual_clip),
        ]
        place = self._place(m, Const(0, (array.row_groups - 1).bit_length()), is_last, name="channels")
        was_last = Signal()
        m.d.sync += was_last.eq(first_row.ends)
        controls: Value = Cat(self.first | was_last, self.follows, is_last & ~self.ends, place, factors)
        window: Value = delay(m, Cat(self.begins_window, self.outside), RESIDUAL_DELAY - 1, name="window")
        for group in range(array.pixel_groups):
            for pixel in range(group * array.group_pixels, (group + 1) * array.group_pixels):
                is_outside = delay(m, window[1 + pixel], 1, name=f"outside{pixel}_")
                for row in range(array.group_rows):
                    lane = self._lane(m, pixel, row, controls, tops, values, window[0])
                    m.d.comb += [lane.takes_greater.eq(layer.takes_greatest), lane.takes_residual.eq(is_outside)]
            controls = delay(m, controls, 1, name=f"factors{group}_")
            window = delay(m, window, 1, name=f"window{group}_")
        return m

    def _factors(self, m: Module) -> Value:
        """Those of the rows whose sums are there."""
        rows = self.shape.array.group_rows
        columns = rows * FACTOR_WORDS
        m.submodules.factors = memory = WideMemory(
            depth=self.shape.parameters, width=columns * WORD, column=WORD, target=self.shape.target
        )
        memory.connect_bus(m, self.write, self.write_address, self.write_data)
        m.d.sync += memory.read_address.eq(memory.read_address + 1)
        with m.If(self.begin):
            m.d.sync += memory.read_address.eq(self.parameters)
        return memory.read_data

    def _place(self, m: Module, begin: Value, is_value: Value, *, name: str) -> Value:
        """The word, or the number, of the channels whose sums are there: the tile's one behind the other."""
        following = Signal(len(begin), name=f"{name}_following")
        here = Mux(self.first, begin, following)
        m.d.sync += following.eq(here + is_value)
        return here

    def _lane(
        self,
        m: Module,
        pixel: int,
        row: int,
        controls: Value,
        tops: dict[str, Signal],
        values: Values,
        begins_window: Value,
    ) -> Lane:
        """A pixel's lane of a row of each group. Before a window's first value the greatest one is the least number."""
        array, layer = self.shape.array, self.layer
        number, width = pixel * array.group_rows + row, array.group_rows * FACTOR_WORDS * WORD
        name = f"{pixel}_{row}"
        m.submodules[f"lane{name}"] = lane = Lane(
            sum_width=array.sum_width, places=array.row_groups, target=self.shape.target
        )
        flags, of_rows = controls[:-width], controls[-width:]
        factors = factor_layout()(of_rows.word_select(row, FACTOR_WORDS * WORD))
        adds = delay(m, factors.adds, RESIDUAL_DELAY - 1, name=f"adds{name}_")
        residual = Signal(VALUE_BITS, name=f"residual{name}", reset_less=True)
        begins = layer.takes_greatest & begins_window
        m.d.sync += residual.eq(values.words.word_select(number, VALUE_BITS) & (adds & ~begins).replicate(VALUE_BITS))
        with m.If(begins):
            m.d.sync += residual[-1].eq(1)
        sums = self.sums.word_select(number, array.sum_width)
        late = delay(m, sums, VALUE_LATENCY, name=f"sum{name}_")
        compared = Signal(array.sum_width, name=f"compared{name}", reset_less=True)
        offset_binary = Cat(lane.value[:-1], ~lane.value[-1])
        numbers = Cat(lane.value[:-1], offset_binary.bit_select(layer.compared_bit, 1))
        m.d.sync += compared.eq(Mux(layer.compares_values, numbers, late))
        m.d.comb += [
            lane.sum.eq(sums),
            lane.factor.eq(factors.factor),
            lane.offset.eq(factors.offset),
            Cat(lane.begins, lane.goes_on, lane.keeps, lane.place).eq(flags),
            lane.double.eq(factors.doubles),
            lane.shift.eq(layer.shift),
            *(getattr(lane, name).eq(each) for name, each in tops.items()),
            lane.residual.eq(residual),
            self.values.word_select(number, VALUE_BITS).eq(lane.value),
            self.numbers.word_select(number, array.sum_width).eq(compared),
        ]
        return lane


_READ_DELAY = RESIDUAL_DELAY - 1 - BLOCK_RAM_LATENCY
"""Cycles from a channel's last sum to the address of its residual."""
