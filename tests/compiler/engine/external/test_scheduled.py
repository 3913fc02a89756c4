"""Programs that are larger than the engine: random networks by RTL and the memory chip's model, in the cycles foreseen,
in small memories, in runs of more frames than the array holds, and with layers that keep their maps."""

import numpy as np
import pytest

from bnnhw.compiler import Graph, IntType, Node, TensorType, Value, evaluate
from bnnhw.compiler.engine.compile import compile_program
from bnnhw.compiler.engine.external.ring import Ring
from bnnhw.compiler.engine.external.scheduled import scheduled_program, segmentations
from bnnhw.compiler.engine.first_layer import with_windows
from bnnhw.compiler.engine.from_graph import engine_network
from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.ops import Conv, MaxPool, Threshold
from bnnhw.compiler.ir.types import BinaryType
from bnnhw.hw.engine.cycles import program_cycles
from bnnhw.hw.engine.program import packets
from bnnhw.hw.engine.program.instruction import instruction_words, layer_layout
from bnnhw.hw.engine.program.packets import Memory, Status
from bnnhw.hw.engine.program.transfer import Transfer
from tests.compiler.engine.test_compile import random_inputs, random_network
from tests.engine_graphs import densenet7, random_graph
from tests.engine_rtl import CHIP, run_packets, run_program, small_shape

TABLES = {"instructions": 4096, "transfers": 8192, "results": 4096, "external": CHIP.shape}
SHAPES = (
    small_shape(map_words=256, weight_words=128, parameters=64, outbox_words=64, **TABLES),
    small_shape(map_words=64, weight_words=256, parameters=64, outbox_words=64, **TABLES),
)
_QUICK = (1, 29, 36, 43, 47)
_GRAPHS = (27, 57)


@pytest.mark.parametrize(
    "seed", [*_QUICK, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(300) if seed not in _QUICK)]
)
def test_random_networks(seed):
    rng = np.random.default_rng(seed)
    compare(random_network(rng, labels=seed % 2 == 0), seed, rng)


@pytest.mark.parametrize(
    "seed", [*_GRAPHS, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(300) if seed not in _GRAPHS)]
)
def test_random_graphs(seed):
    rng = np.random.default_rng(seed)
    compare(random_graph(rng, labels=seed % 2 == 0), seed, rng)


def compare(graph: Graph, seed: int, rng: np.random.Generator) -> None:
    """Two runs by RTL, in memories, of frames and with segments that depend on the seed; or it does not fit."""
    shape = SHAPES[seed % len(SHAPES)]
    network = with_windows(engine_network(graph), shape)
    cuts = segmentations(network, shape)
    frames, segments = shape.array.pixels * (1 + seed % 3), cuts[seed % len(cuts)]
    try:
        program = scheduled_program(network, shape, frames=frames, segments=segments)
    except ScheduleError:  # wide dense layers, many channels or scores
        with pytest.raises(ScheduleError, match=r"of this engine; take one with more|at once, and the engine has"):
            scheduled_program(network, shape, frames=frames, segments=segments)
        return
    batches = [random_inputs(graph, count, rng) for count in (program.frames, program.frames - 1)]
    stalls = (0.2, 0.2) if seed % 2 else (0.0, 0.0)
    for inputs, found in zip(batches, run_program(program, batches, stalls=stalls), strict=True):
        (wanted,) = evaluate(graph, {"x": inputs}).values()
        np.testing.assert_array_equal(found, wanted)


def image(*, lines: int, columns: int, channels: int) -> Graph:
    """Two convolutions of a map, and its scores."""
    rng = np.random.default_rng(lines)

    def signs(*shape: int) -> np.ndarray:
        return (2 * rng.integers(0, 2, shape) - 1).astype(np.int8)

    nodes = (
        Node("first", Conv(signs(40, 3, 3, channels), padding=(1, 1), pad_value=0), ("x",), "a"),
        Node("first_sign", Threshold(rng.integers(-4, 5, 40)), ("a",), "b"),
        Node("second", Conv(signs(33, 3, 3, 40), padding=(1, 1), pad_value=-1), ("b",), "c"),
        Node("second_sign", Threshold(rng.integers(-4, 5, 33)), ("c",), "d"),
        Node("pool", MaxPool((2, 2), (2, 2), None), ("d",), "e"),
        Node("scores", Conv(signs(3, 1, 1, 33)), ("e",), "f"),
    )
    return Graph((Value("x", TensorType((lines, columns, channels), IntType(0, 3))),), nodes, ("f",))


def test_an_image_goes_through_the_banks_in_bands_of_lines():
    graph = image(lines=10, columns=4, channels=36)
    network = engine_network(graph)
    program = scheduled_program(network, SHAPES[1])
    assert program.input.words > SHAPES[1].map_words
    rng = np.random.default_rng(4)
    inputs = rng.integers(0, 4, (program.frames, 10, 4, 36))
    (found,) = run_program(program, [inputs])
    (wanted,) = evaluate(graph, {"x": inputs}).values()
    np.testing.assert_array_equal(found, wanted)


def test_parts_begin_at_any_column():
    """Where a line's bits have no room in half of the outbox: windows reach beyond the parts, and to neighbours."""
    shape = small_shape(map_words=512, weight_words=128, parameters=64, outbox_words=64, **TABLES)
    graph = image(lines=4, columns=68, channels=32)
    program = scheduled_program(engine_network(graph), shape)
    layout = layer_layout(shape)
    lists = program.contents[Memory.INSTRUCTIONS][:-1].reshape(-1, instruction_words(layout))
    begins = [layout.from_bits(int.from_bytes(each[1:].tobytes(), "little")).first_column for each in lists]
    assert {0, 17} <= set(begins)
    inputs = np.random.default_rng(4).integers(0, 4, (program.frames, 4, 68, 32))
    (found,) = run_program(program, [inputs], stalls=(0.1, 0.1))
    (wanted,) = evaluate(graph, {"x": inputs}).values()
    np.testing.assert_array_equal(found, wanted)


def test_parts_of_columns_with_those_beside_them():
    """Where lines have no room in half of the banks, and frames are no strips."""
    graph = image(lines=4, columns=23, channels=32)
    program = scheduled_program(engine_network(graph), SHAPES[0])
    layout = layer_layout(SHAPES[0])
    lists = program.contents[Memory.INSTRUCTIONS][:-1].reshape(-1, instruction_words(layout))
    layers = [layout.from_bits(int.from_bytes(each[1:].tobytes(), "little")) for each in lists]
    columns = [int(layer.in_columns) for layer in layers[: len(layers) // 2]]  # pyright: ignore[reportArgumentType]
    assert len(set(columns)) > 1  # at the border, and elsewhere
    inputs = np.random.default_rng(4).integers(0, 4, (program.frames, 4, 23, 32))
    (found,) = run_program(program, [inputs], stalls=(0.1, 0.1))
    (wanted,) = evaluate(graph, {"x": inputs}).values()
    np.testing.assert_array_equal(found, wanted)


def test_layers_wait_for_room_in_the_outbox():
    """Where sending takes longer than the layers themselves."""
    rng = np.random.default_rng(6)
    first, second = (
        Conv((2 * rng.integers(0, 2, shape) - 1).astype(np.int8)) for shape in ((256, 1, 1, 32), (3, 1, 1, 256))
    )
    nodes = (
        Node("first", first, ("x",), "a"),
        Node("sign", Threshold(rng.integers(-4, 5, 256)), ("a",), "b"),
        Node("scores", second, ("b",), "c"),
    )
    graph = Graph((Value("x", TensorType((4, 4, 32), BinaryType())),), nodes, ("c",))
    program = scheduled_program(engine_network(graph), SHAPES[0], frames=12)
    inputs = 2 * rng.integers(0, 2, (12, 4, 4, 32)) - 1
    (found,) = run_program(program, [inputs])
    (wanted,) = evaluate(graph, {"x": inputs}).values()
    np.testing.assert_array_equal(found, wanted)


def test_cycles_do_not_depend_on_when_the_memory_refreshes():
    """Whatever the host has done before, and however long it took."""
    graph = image(lines=6, columns=4, channels=36)
    program = scheduled_program(engine_network(graph), SHAPES[0])
    feed = program.feed(program.network.codes(np.zeros((1, 6, 4, 36), np.int64)))
    runs = [packets.run(tag=tag, limit=program.cycles) for tag in range(1, 5)]
    for stalls in ((0.0, 0.0), (0.3, 0.0)):
        answers = run_packets(SHAPES[0], [*program.load(), *feed, *runs], stalls=stalls, cycles=program.cycles)[
            -len(runs) :
        ]
        assert {(answer.status, answer.cycles) for answer in answers} == {(Status.DONE, program.cycles)}


@pytest.mark.parametrize("clock_hz", [25_000_000, pytest.param(133_000_000, marks=pytest.mark.slow)])
def test_cycles_do_not_depend_on_the_clock(clock_hz):
    """Though refreshes come after fewer cycles, and last fewer."""
    program = scheduled_program(engine_network(image(lines=6, columns=4, channels=36)), SHAPES[0])
    feed = program.feed(program.network.codes(np.zeros((1, 6, 4, 36), np.int64)))
    answers = run_packets(
        SHAPES[0],
        [*program.load(), *feed, packets.run(limit=program.cycles)],
        cycles=program.cycles,
        clock_hz=clock_hz,
    )
    assert (answers[-1].status, answers[-1].cycles) == (Status.DONE, program.cycles)


@pytest.mark.parametrize("eighths", [(1,), (4,), range(1, 8)], ids=["early", "late", "seven times"])
def test_a_run_of_more_cycles_than_its_limit_is_stopped(eighths):
    """Asked again, it says so again; the next run of frames is right."""
    graph = image(lines=6, columns=4, channels=36)
    program = scheduled_program(engine_network(graph), SHAPES[0])
    rng = np.random.default_rng(4)
    inputs = rng.integers(0, 4, (1, 6, 4, 36))
    feed = program.feed(program.network.codes(inputs))
    early = [packets.run(tag=5 + at, limit=program.cycles * at // 8) for at in eighths]
    load = [*program.load(), *feed]
    runs = [*early, early[-1]]
    last = [packets.run(tag=1, limit=program.cycles), *program.reads()]
    answers = run_packets(SHAPES[0], [*load, *runs, *feed, *last], cycles=program.cycles)
    assert {answer.status for answer in answers[len(load) :][: len(runs)]} == {Status.STOPPED}
    ran, *read = answers[-len(last) :]
    assert (ran.status, ran.cycles) == (Status.DONE, program.cycles)
    (wanted,) = evaluate(graph, {"x": inputs}).values()
    found = program.network.answers(program.outputs([ran, *read])[:1])
    np.testing.assert_array_equal(found, wanted)


def test_lists_that_wait_for_each_other_are_found():
    shape = SHAPES[0]
    transfer = Transfer(stores=False, memory=Memory.WEIGHTS, place=0, bursts=1, address=0, behind=1)
    with pytest.raises(ValueError, match="layers and transfers wait for each other"):
        program_cycles(shape, [], [transfer])


def test_such_a_program_is_stopped_too():
    shape = SHAPES[0]
    transfer = Transfer(stores=False, memory=Memory.WEIGHTS, place=0, bursts=1, address=0, behind=1)
    words = np.array([*transfer.words(shape), 0], np.uint32)
    load = [*packets.write(Memory.TRANSFERS, 0, words), *packets.write(Memory.INSTRUCTIONS, 0, np.zeros(1, np.uint32))]
    *_, ran = run_packets(shape, [*load, packets.run(limit=5000)])
    assert ran.status is Status.STOPPED


def test_a_ring_gives_the_oldest_room_away():
    ring = Ring(10)
    first, second = ring.claim(4), ring.claim(5)
    first.used_until, second.used_until = 3, 7
    third = ring.claim(3)  # not in the last word
    assert (third.begin, third.behind, first.is_live, second.is_live) == (0, 3, False, True)
    fixed = ring.claim_at(2, 4)
    assert (fixed.behind, third.is_live, second.is_live) == (7, False, False)
    assert [ring.claim(3).behind, ring.claim(3).behind] == [0, 7]  # in its words, and in the rest of the second one
    with pytest.raises(ValueError, match="size=11 must be at most 10"):
        ring.claim(11)


def test_segments_of_graphs():
    """Maps that several layers read stay in the banks where all of these are of one segment, but not those that the
    dense layer reads, which takes whole frames and no strips."""
    shape = small_shape(map_words=1024, weight_words=1024, parameters=256, outbox_words=64, **TABLES)
    network = engine_network(densenet7())
    single, (block, *others) = segmentations(network, shape)
    assert [len(segment.layers) for segment in single] == [1] * 7
    assert [len(segment.layers) for segment in (block, *others)] == [4, 1, 1, 1]
    assert list(block.kept) == [layer.writes for layer in network.layers[:3]]
    assert (sorted(block.kept.values()), block.kept_words) == ([0, 16, 32], 48)


def test_more_than_the_external_memory_is_refused():
    shape = small_shape(
        map_words=64, weight_words=64, external=type(CHIP.shape)(address_bits=6, width=16), outbox_words=64
    )
    with pytest.raises(ScheduleError, match="are more than the external memory's 48; take a board with more"):
        compile_program(image(lines=6, columns=4, channels=36), shape)
