"""The engine's conversation: what it answers, and that what is not known changes nothing. Sizes that are refused."""

import numpy as np
import pytest

from bnnhw.hw.engine.engine import Engine
from bnnhw.hw.engine.engine_shape import WORD, EngineShape
from bnnhw.hw.engine.lane_format import VALUE_BITS
from bnnhw.hw.engine.program import packets
from bnnhw.hw.engine.program.factors import Factor
from bnnhw.hw.engine.program.instruction import Layer, Tap
from bnnhw.hw.engine.program.packets import DATA_WORDS, HEADER_WORDS, PACKET_WORDS, Answer, Memory, Request, Status
from bnnhw.hw.engine.program.value_fields import ValueFields
from bnnhw.hw.targets import PORTABLE
from tests.engine_rtl import CHIP, run_packets, small_shape

SHAPE = small_shape()


def odd_packet(kind: int, *, memory: int = 0, count: int = DATA_WORDS) -> np.ndarray:
    packet = np.full(PACKET_WORDS, 0xFFFFFFFF, np.uint32)
    packet[:HEADER_WORDS] = kind | memory << 4 | count << 8, 0
    return packet


def dot_products(*, pixels: int = SHAPE.array.pixels, row_tiles: int = 1) -> tuple[list[np.ndarray], np.ndarray]:
    """The packets of a program of one layer, each pixel's one word against 8 rows, and its sums (pixels, rows); those
    of the first `pixels` go to the host, for `row_tiles` tiles of the same rows."""
    rng = np.random.default_rng(1)
    words = rng.integers(0, 1 << 32, SHAPE.array.pixels, np.uint32)
    weights = rng.integers(0, 1 << 32, SHAPE.array.rows, np.uint32)
    taps = [Tap(0, idle=True)] * (SHAPE.least_beats - 1) + [Tap(0)]
    layer = Layer(
        taps=0,
        weights=0,
        parameters=0,
        beats=len(taps),
        weight_step=0,
        pool_columns=pixels,
        row_tiles=row_tiles,
        origin=5,
        in_columns=1,
        in_lines=1,
        first_pixels=0,
        last_pixels=0,
        capture=1,
    )
    program = {
        Memory.INSTRUCTIONS: (0, [*layer.words(SHAPE), 0]),
        Memory.TAPS: (0, [tap.word(SHAPE) for tap in taps]),
        Memory.WEIGHTS: (0, weights),
        Memory.MAPS: (5 * SHAPE.array.pixels, words),
    }
    load = [packet for memory, (at, data) in program.items() for packet in packets.write(memory, at, np.array(data))]
    return load, np.bitwise_count(words[:, None] ^ weights[None])


def test_runs_what_was_written():
    load, sums = dot_products()
    *_, ran, part = run_packets(SHAPE, [*load, packets.run(), packets.read(7)])
    np.testing.assert_array_equal(ran.data[: sums.size], sums.ravel())
    np.testing.assert_array_equal(part.data[: sums.size - 7], sums.ravel()[7:])
    assert part.cycles == ran.cycles > 0


def test_the_first_pixels_alone_give_sums():
    """In each tile of rows anew; the second one has the first one's rows again."""
    load, sums = dot_products(pixels=2, row_tiles=2)
    *_, ran = run_packets(SHAPE, [*load, packets.run()])
    np.testing.assert_array_equal(ran.data[:32].reshape(2, 2, 8), np.stack([sums[:2], sums[:2]]))


def test_plain_amaranth_gives_the_same_answers():
    load, sums = dot_products()
    shape = small_shape(target=PORTABLE)
    assert shape.identity == SHAPE.identity
    *_, ran = run_packets(shape, [*load, packets.run()])
    np.testing.assert_array_equal(ran.data[: sums.size], sums.ravel())


def test_streams_are_words_of_the_bus():
    engine = Engine(SHAPE)
    assert len(engine.i.payload) == len(engine.o.payload) == WORD


def test_a_repeated_run_answers_again():
    """Its maps may have been written over meanwhile."""
    load, sums = dot_products()
    spoilt = packets.write(Memory.MAPS, 0, np.zeros(64, np.uint32))
    *_, ran, _, again, other = run_packets(
        SHAPE, [*load, packets.run(tag=5), *spoilt, packets.run(tag=5), packets.run(tag=6)]
    )
    np.testing.assert_array_equal(again.data, ran.data)
    assert again.cycles == ran.cycles
    assert (other.data[: sums.size] != sums.ravel()).any()


@pytest.mark.parametrize(
    "packet",
    [
        odd_packet(0),
        odd_packet(15),
        odd_packet(Request.WRITE, memory=len(Memory)),
        odd_packet(Request.WRITE, memory=15),
    ],
    ids=["kind 0", "kind 15", "memory 5", "memory 15"],
)
def test_what_is_not_known_changes_nothing(packet):
    load, sums = dot_products()
    answers = run_packets(SHAPE, [*load, packet, packets.run()])
    assert answers[-2].status is Status.UNKNOWN
    assert answers[-1].status is Status.DONE
    np.testing.assert_array_equal(answers[-1].data[: sums.size], sums.ravel())


def test_long_writes_are_cut_into_packets():
    data = np.arange(DATA_WORDS + 3, dtype=np.uint32)
    first, second = packets.write(Memory.TAPS, 10, data)
    assert (first[1], second[1]) == (10, 10 + DATA_WORDS)
    np.testing.assert_array_equal(np.concatenate([first[HEADER_WORDS:], second[HEADER_WORDS : HEADER_WORDS + 3]]), data)


def value_packets(shape: EngineShape) -> tuple[list[np.ndarray], np.ndarray]:
    """The packets of a program of one layer whose values are its sums less 16, and its values (pixels, rows)."""
    rng = np.random.default_rng(1)
    array = shape.array
    words = rng.integers(0, 1 << 32, array.pixels, np.uint32)
    weights = rng.integers(0, 1 << 32, array.rows, np.uint32)
    taps = [Tap(0, idle=True)] * (shape.least_beats - 1) + [Tap(0)]
    layer = Layer(taps=0, weights=0, parameters=0, beats=len(taps), weight_step=0, row_tiles=1, origin=5, in_columns=1,
                  in_lines=1, first_pixels=0, last_pixels=0, discard=1,
                  values=ValueFields(keeps_values=1, values_out=3, out_step=array.row_groups))  # fmt: skip
    program = {
        Memory.INSTRUCTIONS: (0, [*layer.words(shape), 0]),
        Memory.TAPS: (0, [tap.word(shape) for tap in taps]),
        Memory.WEIGHTS: (0, weights),
        Memory.FACTORS: (0, Factor(factor=1, offset=-16, ends=True).words() * array.rows),
        Memory.MAPS: (5 * array.pixels, words),
    }
    load = [packet for memory, (at, data) in program.items() for packet in packets.write(memory, at, np.array(data))]
    return load, np.bitwise_count(words[:, None] ^ weights[None]).astype(np.int64) - 16


@pytest.mark.parametrize("group_rows", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_values_are_read(group_rows):
    """Words of a pixel's groups of rows lie behind each other in its memory; on the bus they come pixel by pixel."""
    shape = small_shape(values=64, sum_width=18, group_rows=group_rows)
    load, values = value_packets(shape)
    each = group_rows * VALUE_BITS // WORD * shape.array.pixels
    count = values.size * VALUE_BITS // WORD
    *_, ran, all_of_them, part, unknown = run_packets(
        shape,
        [*load, packets.run(), *(packets.read(3 * each + at, memory=Memory.VALUES) for at in (0, 5)),
         odd_packet(Request.READ, memory=Memory.FACTORS)],
        stalls=(0.2, 0.2),
    )  # fmt: skip
    groups = values.reshape(shape.array.pixels, shape.array.row_groups, group_rows).transpose(1, 0, 2)
    wanted = np.ascontiguousarray(groups, np.int16).view(np.uint32).ravel()
    np.testing.assert_array_equal(all_of_them.data[:count], wanted)
    np.testing.assert_array_equal(part.data[: count - 5], wanted[5:])
    assert (ran.status, unknown.status) == (Status.DONE, Status.UNKNOWN)


def test_an_engine_without_values_has_none_to_read():
    load, sums = dot_products()
    factors = packets.write(Memory.FACTORS, 0, np.ones(8, np.uint32))
    *_, ran, written, read, again = run_packets(
        SHAPE, [*load, packets.run(), *factors, packets.read(0, memory=Memory.VALUES), packets.read(0)]
    )
    assert [each.status for each in (ran, written, again)] == [Status.DONE, Status.UNKNOWN, Status.DONE]
    assert read.status is Status.UNKNOWN
    np.testing.assert_array_equal(again.data[: sums.size], sums.ravel())


def test_an_answer_is_checked():
    with pytest.raises(ValueError, match="an engine's answer has 66 words and begins with a status, not"):
        Answer.of(np.zeros(PACKET_WORDS, np.uint32))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pixels": 6}, r"pixels=6 must be a power of two, 2 at least"),
        ({"simd": 16}, r"simd=16 must be a power of two, 32 at least"),
        ({"map_words": 100}, r"map_words=100 must be a power of two, 64 at least"),
        ({"values": 100}, r"values=100 must be 0, or a power of two, 64 at least"),
        ({"values": 32}, r"values=32 must be 0, or a power of two, 64 at least"),
        ({"values": 64, "group_rows": 1}, r"group_rows=1 must make whole words of the bus of values of 16 bits"),
        ({"values": 64, "sum_width": 16}, r"sum_width=16 must be 17 to 18 in an engine with values"),
        ({"values": 64, "sum_width": 19}, r"sum_width=19 must be 17 to 18 in an engine with values"),
        ({"values": 64, "sum_width": 18, "external": CHIP.shape}, r"outbox_words=512 must be at most values=64"),
        (
            {"values": 512, "sum_width": 18, "pixels": 2, "simd": 64, "external": CHIP.shape},
            r"pixels=2 words of 32 bits must be whole bursts of the external memory, of 128 bits",
        ),
    ],
)
def test_refuses_sizes(changes, message):
    with pytest.raises(ValueError, match=message):
        small_shape(**changes)


def test_refuses_what_does_not_fit_into_a_field():
    with pytest.raises(ValueError, match=r"column=32 of a tap must be in -32\.\.31"):
        Tap(0, column=32).word(SHAPE)
    layer = Layer(taps=0, weights=SHAPE.weight_words, parameters=0, beats=4, weight_step=1, row_tiles=1, origin=0,
                  in_columns=1, in_lines=1, first_pixels=0, last_pixels=0)  # fmt: skip
    with pytest.raises(ValueError, match=r"weights=1024 must fit into 10 bits of an instruction"):
        layer.words(SHAPE)
    with pytest.raises(ValueError, match=r"^offset=2199023255552 of a row must fit into 42 bits$"):
        Factor(offset=1 << 41).words()


def test_lanes_need_values():
    with pytest.raises(ValueError, match=r"^an engine with values=0 has no lanes, which this layer wants$"):
        ValueFields(keeps_values=1).of(SHAPE)
