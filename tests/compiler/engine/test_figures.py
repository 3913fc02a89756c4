"""What a program moves: by layer as much as in its lists, and as the memory chip counts it in a run."""

from dataclasses import replace

import numpy as np
import pytest
from amaranth.hdl import Cat, Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.compiler.engine.compile import compile_program
from bnnhw.compiler.engine.external.scheduled import scheduled_program, segmentations
from bnnhw.compiler.engine.figures import LayerFigures, LayerMoves, Moved
from bnnhw.compiler.engine.from_graph import engine_network
from bnnhw.compiler.engine.program import EngineProgram
from bnnhw.hw.engine.engine_shape import WORD, EngineShape
from bnnhw.hw.engine.program import packets
from bnnhw.hw.engine.program.instruction import END, instruction_words
from bnnhw.hw.engine.program.packets import PACKET_WORDS, Answer, Memory, Status
from bnnhw.hw.engine.program.transfer import transfer_layout
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.sim.batch.simulator import PATIENCE, BatchSimulator
from bnnhw.sim.memory.engine_with_chip import EngineWithChip
from tests.engine_rtl import CHIP, CHIP_WORDS, small_shape

from .external.test_scheduled import image

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false
# (amaranth's types are loose)

CLOCK_HZ = 100_000_000
SIZES = {"map_words": 64, "weight_words": 256, "parameters": 64, "outbox_words": 64, "external": CHIP.shape}
SHAPE = small_shape(instructions=1024, transfers=2048, **SIZES)
SHORT_LISTS = small_shape(instructions=64, transfers=64, **SIZES)
BYTES = WORD // 8
COUNTED = 1 << 4  # bytes that one of the chip's counts stands for: a burst


def listed(program: EngineProgram) -> list[tuple[bool, Memory, Moved]]:
    """(stores, memory, what it moves) of each transfer, as the words of the list say it."""
    shape, layout = program.shape, transfer_layout(program.shape)
    words = program.contents[Memory.TRANSFERS]
    if Memory.TRANSFERS in program.rewound:
        # Both lists lie behind weights and maps, that of layers first: this one begins as its memory does.
        (_, _), (_, count) = program.external_parts
        external = program.contents[Memory.EXTERNAL][-count:]
        (begin,) = [at for at in range(count) if np.array_equal(external[at : at + len(words)], words)]
        words = external[begin:]
    size = instruction_words(layout)
    end = next(at for at in range(0, len(words), size) if words[at] == END)
    found = []
    for each in words[:end].reshape(-1, size):
        bits = sum(int(word) << WORD * at for at, word in enumerate(each[1:]))
        value = {name: bits >> field.offset & (1 << field.width) - 1 for name, field in layout}
        moved = Moved(bytes=(value["words"] + 1) * BYTES, cycles=value["cycles"])
        assert (value["pieces"] + 1) * value["bursts"] * shape.burst_words * BYTES == moved.bytes
        found.append((bool(value["stores"]), Memory(value["memory"]), moved))
    return found


def total(moves: list[Moved]) -> Moved:
    return Moved(bytes=sum(each.bytes for each in moves), cycles=sum(each.cycles for each in moves))


@pytest.mark.parametrize("shape", [SHAPE, SHORT_LISTS], ids=["lists stay", "lists in halves"])
@pytest.mark.parametrize("frames", [4, 12])
def test_layers_move_together_what_the_lists_do(shape: EngineShape, frames: int):
    network = engine_network(image(lines=12, columns=4, channels=36))
    for segments in segmentations(network, shape):
        program = scheduled_program(network, shape, frames=frames, segments=segments)
        transfers = listed(program)
        loads = [(to, moved) for stores, to, moved in transfers if not stores]
        into = {memory: total([moved for to, moved in loads if to is memory]) for memory in Memory}
        weights = (into[Memory.WEIGHTS], into[Memory.PARAMETERS], into[Memory.FACTORS])
        assert total([each.weights for each in program.moves]) == total(list(weights))
        assert total([each.maps_in for each in program.moves]) == total([into[Memory.MAPS], into[Memory.WINDOWS]])
        assert total([each.maps_out for each in program.moves]) == total(
            [moved for stores, _, moved in transfers if stores]
        )
        assert program.list_moves == total([into[Memory.INSTRUCTIONS], into[Memory.TRANSFERS]])
        assert (program.list_moves.bytes > 0) == (shape is SHORT_LISTS)
        everything = [moved for _, _, moved in transfers]
        assert total([*(each.all for each in program.moves), program.list_moves]) == total(everything)


def test_of_each_layer():
    """One group of frames: weights come once, maps of 4-byte words of each of 4 pixels, the last sums never go out."""
    network = engine_network(image(lines=6, columns=4, channels=36))
    program = scheduled_program(network, replace(SHAPE, map_words=1024, weight_words=1024, parameters=512))
    first, second, last = program.moves
    words = 4 * BYTES  # of all pixels
    assert [each.maps_out.bytes for each in program.moves] == [6 * 4 * 2 * words, 3 * 2 * 2 * words, 0]
    assert [each.maps_in.bytes for each in program.moves] == [6 * 4 * 4 * words, 6 * 4 * 2 * words, 3 * 2 * 2 * words]
    tile = 8 * 32 // 8  # bytes of a word of weights; 8 thresholds are as many
    assert first.weights.bytes == 5 * (9 * 2 + 1) * tile
    assert second.weights.bytes == 5 * (9 * 2 + 1) * tile
    assert last.weights.bytes == 2 * tile


def test_resident_programs_move_nothing():
    for shape in (small_shape(), small_shape(external=CHIP.shape)):
        program = compile_program(image(lines=6, columns=4, channels=3), shape)
        assert {each.all for each in program.moves} == {program.list_moves} == {Moved()}


class Counting(wiring.Component):
    """An engine and its chip: each word of an answer with the bursts that were read and written before it."""

    i: stream.Interface
    o: stream.Interface

    def __init__(self):
        self.engine = EngineWithChip(SHAPE, chip=CHIP, clock_hz=CLOCK_HZ, words=CHIP_WORDS)
        super().__init__({"i": In(flat_stream(WORD)), "o": Out(flat_stream(WORD + 2 * 16))})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.engine = engine = self.engine
        wiring.connect(m, wiring.flipped(self.i), engine.i)
        counts = (engine.model.bytes_read, engine.model.bytes_written)
        m.d.comb += [
            self.o.payload.eq(Cat(engine.o.payload, *((count // COUNTED)[:16] for count in counts))),
            self.o.valid.eq(engine.o.valid),
            engine.o.ready.eq(self.o.ready),
        ]
        return m


def test_the_chip_sees_as_many_bytes():
    """Of the second run, before which the host writes nothing."""
    program = scheduled_program(engine_network(image(lines=12, columns=4, channels=36)), SHAPE, frames=8)
    feed = program.feed(program.network.codes(np.zeros((8, 12, 4, 36), np.int64)))
    runs = [packets.run(tag=tag, limit=program.cycles) for tag in (1, 2)]
    beats = np.concatenate([*program.load(), *feed, *runs]).astype(np.uint64).reshape(1, -1, 1)
    result = BatchSimulator(Counting()).run(
        beats, output_beats=beats.shape[1], stall_probability=(0.0, 0.0), patience=PATIENCE + program.cycles
    )
    first, second = result.outputs[0, :, 0].reshape(-1, PACKET_WORDS)[-2:]
    for words in (first, second):
        answer = Answer.of((words & np.uint64((1 << WORD) - 1)).astype(np.uint32))
        assert (answer.status, answer.cycles) == (Status.DONE, program.cycles)
    counts = [int(words[0]) >> WORD for words in (first, second)]
    read, written = (
        ((counts[1] >> shift & 0xFFFF) - (counts[0] >> shift & 0xFFFF)) % (1 << 16) * COUNTED for shift in (0, 16)
    )
    assert read == sum(each.weights.bytes + each.maps_in.bytes for each in program.moves)
    assert written == sum(each.maps_out.bytes for each in program.moves)


def test_what_rules_a_layer():
    def layer(cycles: int, **moves: int) -> LayerFigures:
        moved = LayerMoves(**{name: Moved(bytes=1, cycles=each) for name, each in moves.items()})
        return LayerFigures(name="conv", cycles=cycles, products=1, used=0.5, moves=moved)

    assert (layer(100, weights=60, maps_in=40).bound_by, layer(100, weights=60, maps_in=40).least_cycles) == (
        "array",
        100,
    )
    assert (layer(99, weights=60, maps_in=40).bound_by, layer(99, weights=60, maps_in=40).least_cycles) == (
        "weights",
        100,
    )
    assert layer(99, weights=50, maps_in=10, maps_out=50).bound_by == "maps"


def test_products_are_those_of_the_network():
    """9 taps of 3 channels of 2 bits, then 9 of 40, then 33, of each frame."""
    program = compile_program(image(lines=6, columns=4, channels=3), small_shape())
    products = [layer.products for layer in program.figures]
    assert products == [program.frames * each for each in (24 * 40 * 27 * 2, 24 * 33 * 360, 6 * 3 * 33)]
    macs = program.shape.array.macs
    assert [layer.used for layer in program.figures] == [
        count / (macs * cycles) for count, cycles in zip(products, program.layer_cycles, strict=True)
    ]
