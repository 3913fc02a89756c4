"""Values that go to the external memory and come from it: programs made by hand, on the RTL with the chip's model."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bnnhw.hw.engine.cycles import program_cycles
from bnnhw.hw.engine.engine_shape import EngineShape
from bnnhw.hw.engine.lane_format import VALUE_BITS
from bnnhw.hw.engine.program import packets
from bnnhw.hw.engine.program.factors import Factor
from bnnhw.hw.engine.program.instruction import Layer, Tap
from bnnhw.hw.engine.program.packets import DATA_WORDS, Memory, Status
from bnnhw.hw.engine.program.transfer import Transfer, list_words
from bnnhw.hw.engine.program.value_fields import ValueFields
from tests.engine_rtl import CHIP, CHIP_WORDS, run_packets, small_shape

SIZES: dict[str, Any] = {
    "values": 256,
    "outbox_words": 128,
    "map_words": 128,
    "weight_words": 64,
    "parameters": 64,
    "sum_width": 17,
}
SHAPES = {
    "4x8, 2 rows": small_shape(external=CHIP.shape, **SIZES),
    "4x16, 2 rows": small_shape(rows=16, external=CHIP.shape, **SIZES),
    "4x32, 4 rows": small_shape(rows=32, group_rows=4, group_pixels=4, external=CHIP.shape, **SIZES),
}
shapes = pytest.mark.parametrize("shape", list(SHAPES.values()), ids=list(SHAPES))


class Reference:
    """An engine's memories, filled at random, and what layers of 1 x 1 windows and transfers make of them."""

    def __init__(self, shape: EngineShape, rng: np.random.Generator):
        self.shape = shape
        array = shape.array
        self.maps = rng.integers(0, 1 << 32, (shape.map_words, array.pixels), np.uint32)
        self.weights = rng.integers(0, 1 << 32, (shape.weight_words, array.rows), np.uint32)
        self.factors = [
            Factor(factor=int(factor), offset=int(offset), adds=bool(adds), ends=True)
            for factor, offset, adds in zip(
                rng.integers(-4000, 4000, shape.parameters * array.group_rows),
                rng.integers(-60000, 60000, shape.parameters * array.group_rows),
                rng.random(shape.parameters * array.group_rows) < 0.8,
                strict=True,
            )
        ]
        self.values = np.zeros((shape.values, array.pixels, array.group_rows), np.int64)
        self.outbox = np.zeros((shape.outbox_words, array.pixels, array.group_rows), np.int64)
        self.external = rng.integers(0, 1 << 32, CHIP_WORDS // 2, np.uint32)

    def load(self, layers: Sequence[Layer], transfers: Sequence[Transfer], *, most: int) -> list[np.ndarray]:
        """The packets that bring all of it into an engine, with a program of layers of so many beats at most."""
        shape = self.shape
        taps = [Tap(0, idle=True).word(shape)] * (most - 1) + [Tap(0).word(shape)]
        contents = {
            Memory.INSTRUCTIONS: list_words(layers, shape),
            Memory.TRANSFERS: list_words(transfers, shape),
            Memory.TAPS: np.array(taps, np.uint32),
            Memory.WEIGHTS: self.weights.ravel(),
            Memory.FACTORS: np.array([word for factor in self.factors for word in factor.words()], np.uint32),
            Memory.MAPS: self.maps.ravel(),
            Memory.EXTERNAL: self.external,
        }
        return [packet for memory, words in contents.items() for packet in packets.write(memory, 0, words)]

    def run(self, layer: Layer) -> None:
        """Residuals, sums of the row tiles' one word, values to their place."""
        shape, fields, row_groups = self.shape, layer.values, self.shape.array.row_groups
        kept = self.outbox if fields.sends_values else self.values
        for tile in range(layer.row_tiles):
            groups = slice(layer.parameters + tile * row_groups, layer.parameters + (tile + 1) * row_groups)
            factors = np.array(self.factors, object).reshape(-1, shape.array.group_rows)[groups]
            for column in range(layer.columns):
                words = self.maps[layer.origin + column]
                sums = np.bitwise_count(words[:, None] ^ self.weights[layer.weights + tile]).astype(np.int64)
                sums = sums.reshape(shape.array.pixels, row_groups, -1).transpose(1, 0, 2)
                for group, of_group in enumerate(sums):
                    factor = np.array([each.factor for each in factors[group]])
                    offset = np.array([each.offset for each in factors[group]])
                    adds = np.array([each.adds for each in factors[group]])
                    at = tile * row_groups + group
                    residual = self.values[fields.values_in + column * fields.in_column_step + at] * adds
                    value = clipped(clipped(of_group * factor + offset >> fields.shift) + residual)
                    kept[fields.values_out + column * fields.out_step + at] = value

    def move(self, transfer: Transfer) -> None:
        """Words of the bus between the external memory and the memory of values, or out of the outbox of values."""
        place = transfer.place * self.shape.burst_words
        words = slice(place, place + transfer.bus_words(self.shape))
        memory = self.outbox if transfer.stores else self.values
        of_engine = memory.astype(np.int16).view(np.uint32).reshape(-1)
        inside = slice(transfer.address, transfer.address + transfer.bus_words(self.shape))
        if transfer.stores:
            self.external[words] = of_engine[inside]
        else:
            of_engine[inside] = self.external[words]
            memory[:] = of_engine.view(np.int16).reshape(memory.shape)


def clipped(values: np.ndarray) -> np.ndarray:
    most = 1 << VALUE_BITS - 1
    return np.clip(values, -most, most - 1)


def layer_of(shape: EngineShape, *, beats: int, columns: int, row_tiles: int, behind: int = 0, **fields) -> Layer:
    """A layer of 1 x 1 windows whose taps lie at the end of a table of `beats` or more: the last one reads."""
    step = row_tiles * shape.array.row_groups
    values = ValueFields(shift=3, in_column_step=step, out_step=step, **fields)
    return Layer(taps=0, weights=0, parameters=0, beats=beats, weight_step=1, columns=columns, row_tiles=row_tiles,
                 origin=0, step_column=1, in_columns=columns, in_lines=1, first_pixels=0, last_pixels=0, discard=1,
                 values=values, behind=behind)  # fmt: skip


@shapes
def test_values_are_sent_and_read(shape):
    """A layer keeps values, the next one adds them to its own and sends these out; the host reads them there."""
    rng = np.random.default_rng(1)
    reference = Reference(shape, rng)
    words = 3 * 2 * shape.array.row_groups
    sizes = {"beats": shape.least_beats + 1, "columns": 3, "row_tiles": 2}
    kept = layer_of(shape, keeps_values=1, values_out=17, **sizes)
    sent = layer_of(shape, sends_values=1, values_in=17, values_out=25, **sizes)
    sent = replace(sent, weights=4, parameters=shape.array.row_groups)
    begin = shape.value_lanes * 25
    bursts = words * shape.value_lanes // shape.burst_words
    stored = Transfer(stores=True, memory=Memory.VALUES, place=100, bursts=bursts,
                      address=begin, behind=2)  # fmt: skip
    load = reference.load([kept, sent], [stored], most=sizes["beats"])
    for layer in (kept, sent):
        reference.run(layer)
    reference.move(stored)
    place = 100 * shape.burst_words
    reads = [packets.read(at, memory=Memory.EXTERNAL) for at in (place - 4, *range(place, place + 4 * 64, 64), 0)]
    cycles = program_cycles(shape, [kept, sent], [stored])
    odd = [packets.read(place + at, memory=Memory.EXTERNAL) for at in (1, 2)]
    answers = run_packets(shape, [*load, packets.run(limit=cycles), *odd, *reads], stalls=(0.2, 0.2), cycles=cycles)
    ran, *unknown = answers[len(load) : len(load) + 3]
    assert (ran.status, ran.cycles) == (Status.DONE, cycles)
    assert [each.status for each in unknown] == [Status.UNKNOWN] * 2
    for request, answer in zip(reads, answers[len(load) + 3 :], strict=True):
        assert answer.status is Status.DONE
        np.testing.assert_array_equal(answer.data, reference.external[request[1] : request[1] + DATA_WORDS])


def test_reads_across_the_end_of_the_memory():
    """Behind it, the words at its begin: first those that a test pattern left there."""
    shape = SHAPES["4x8, 2 rows"]
    last = (1 << CHIP.shape.address_bits) * shape.burst_words
    begin, end = np.arange(64, dtype=np.uint32), np.arange(100, 132, dtype=np.uint32)
    requests = [
        *packets.write(Memory.EXTERNAL, 0, begin),
        *packets.write(Memory.EXTERNAL, last - 32, end),
        packets.read(last - 32, memory=Memory.EXTERNAL),
    ]
    *_, answer = run_packets(shape, requests)
    assert answer.status is Status.DONE
    np.testing.assert_array_equal(answer.data, np.concatenate([end, begin[:32]]))


def test_an_engine_without_external_memory_has_none_to_read():
    read, again = run_packets(small_shape(), [packets.read(0, memory=Memory.EXTERNAL), packets.read(0)])
    assert (read.status, again.status) == (Status.UNKNOWN, Status.DONE)
