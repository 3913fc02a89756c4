"""Programs side by side in an engine's external memory, as the host notes them there."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bnnhw.boards.engines.manifest import EngineManifest
from bnnhw.boards.engines.sizes import EngineSizes
from bnnhw.boards.host import engine_board
from bnnhw.boards.host.engine_board import EngineBoard
from bnnhw.boards.host.link import LinkError
from bnnhw.boards.host.residents import Resident, Residents, digest_of
from bnnhw.compiler.engine.compile import compile_program
from bnnhw.compiler.engine.program import EngineProgram
from bnnhw.hw.engine.engine_shape import NOTED_WORDS
from bnnhw.hw.engine.program import packets
from bnnhw.hw.engine.program.packets import DATA_WORDS, PACKET_WORDS, Memory, Request, Status
from bnnhw.hw.targets.ecp5 import ECP5
from tests.hw.engine.test_external import network

SIZES = EngineSizes(
    pixels=4, rows=8, simd=32, group_pixels=2, group_rows=2, sum_width=14, map_words=1024, weight_words=64, taps=256,
    parameters=256, instructions=512, results=256, memory="MT48LC16M16A2-75",
)  # fmt: skip
MANIFEST = EngineManifest(
    board="ulx3s-12f", sizes=SIZES, clock_hz=100e6, fmax_hz=None, baud=3_000_000, seed=1, versions={}
)
SHAPE = SIZES.shape(ECP5)
BURSTS = range(NOTED_WORDS // SHAPE.burst_words, 1 << 21)


class Engine:
    """An engine's packets and its external memory, in the place of a link; its runs take no time. After `lives` packets
    the line is dead."""

    def __init__(self):
        self.memory = np.random.default_rng(0).integers(0, 1 << 32, 1 << 14, np.uint32)
        self.written: list[int] = []
        self.bases: list[int] = []
        self.lives = 1 << 30
        self.is_open = False
        self.timeout_s = 0.0
        self.patience: list[float] = []

    def info(self) -> None:
        self.is_open = True

    def close(self) -> None:
        self.is_open = False

    def infer_many(self, requests: Iterable[bytes]) -> Iterator[Any]:
        assert self.is_open
        for request in requests:
            self.lives -= 1
            if self.lives < 0:
                raise LinkError("the line is dead")
            self.patience.append(self.timeout_s)
            yield SimpleNamespace(outputs=self.answer(np.frombuffer(request, "<u4")).tobytes())

    def answer(self, words: np.ndarray) -> np.ndarray:
        answer = np.zeros(PACKET_WORDS, "<u4")
        answer[0] = Status.DONE
        is_external = words[0] >> 4 & 0xF == Memory.EXTERNAL
        at, kind = int(words[1]), words[0] & 0xF
        if kind == Request.WRITE and is_external:
            data = packets.data_of(words)
            self.memory[at : at + len(data)] = data
            self.written.append(at)
        elif kind == Request.READ and is_external:
            answer[2:] = self.memory[at : at + DATA_WORDS]
        elif kind == Request.RUN:
            self.bases.append(int(words[4]))
        return answer


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    made = Engine()
    monkeypatch.setattr(engine_board, "open_line", lambda **options: None)
    monkeypatch.setattr(engine_board, "BoardLink", lambda *args, **options: made)
    return made


def program(*widths: int) -> EngineProgram:
    found = compile_program(network(*widths), SHAPE)
    assert found.external_parts
    return found


FIRST, SECOND = program(96, 130, 100, 10), program(30, 510, 10)


def connect(which: EngineProgram) -> EngineBoard:
    return EngineBoard(which, MANIFEST, port="line")


def lies_at(engine: Engine, which: EngineProgram) -> int:
    """The base of the next run."""
    with connect(which) as board:
        list(board.answers([np.ones(which.network.host.inputs[0].type.shape, np.int64)]))
    base = engine.bases[-1]
    for address, words in which.outside(base=base):
        np.testing.assert_array_equal(engine.memory[address : address + len(words)], words)
    return base


def test_programs_lie_side_by_side(engine: Engine):
    """Each is brought once, and found by later hosts, who write nothing but which one was used last."""
    for which, is_there, written in (
        (FIRST, False, None),
        (FIRST, True, []),
        (SECOND, False, None),
        (FIRST, True, [0]),
        (SECOND, True, [0]),
    ):
        engine.written.clear()
        with connect(which) as board:
            assert board.was_resident == is_there
        assert (engine.written == written) == is_there
    assert sorted([lies_at(engine, FIRST), lies_at(engine, SECOND)]) == [
        BURSTS.start,
        BURSTS.start + FIRST.external_words // SHAPE.burst_words,
    ]


def test_a_board_goes_from_one_program_to_the_other(engine: Engine):
    with connect(FIRST) as board:
        for which in (SECOND, FIRST):
            board.load(which)
            list(board.answers([np.ones(which.network.host.inputs[0].type.shape, np.int64)]))
    assert engine.bases[0] > engine.bases[1] == BURSTS.start


@pytest.mark.parametrize("where", ["the note", "all of the program"])
def test_what_was_lost_is_brought_again(engine: Engine, where: str):
    base = lies_at(engine, FIRST) * SHAPE.burst_words
    lost = slice(0, NOTED_WORDS) if where == "the note" else slice(base, base + FIRST.external_words)
    engine.memory[lost] ^= 1
    with connect(FIRST) as board:
        assert not board.was_resident
    assert lies_at(engine, FIRST) * SHAPE.burst_words == base


@pytest.mark.parametrize("packets_sent", range(1, 20))
def test_a_program_that_came_in_part_is_brought_again(
    engine: Engine, packets_sent: int, monkeypatch: pytest.MonkeyPatch
):
    """By the note alone, without a look at what lies there; and the one beside it stays."""
    monkeypatch.setattr(engine_board, "_COMPARED", 0)
    lies_at(engine, SECOND)
    engine.lives = packets_sent
    with pytest.raises(LinkError, match="dead"):
        connect(FIRST)
    engine.lives = 1 << 30
    with connect(SECOND) as board:
        assert board.was_resident
    with connect(FIRST) as board:
        assert not board.was_resident
    lies_at(engine, FIRST)


def test_a_host_is_patient_with_a_board_that_starts(engine: Engine):
    """As long as the engine may take for all of its flash; with what comes after that no more than ever."""
    starting = replace(MANIFEST, flash_at=2 << 20)
    with EngineBoard(FIRST, starting, port="line", timeout_s=0.5):
        first, *others = engine.patience
    assert first == 0.5 + starting.start_s > 1
    assert set(others) == {0.5 + FIRST.cycles / MANIFEST.clock_hz}


def test_a_load_that_breaks_off_closes_the_line(engine: Engine):
    """No program runs from tables of which some are another one's."""
    board = connect(FIRST)
    engine.lives = 3
    with pytest.raises(LinkError, match="dead"):
        board.load(SECOND)
    assert not engine.is_open


def test_a_program_for_another_engine_is_refused(engine: Engine):
    with (
        connect(FIRST) as board,
        pytest.raises(ValueError, match=r"^the program is for the engine [0-9a-f]+, and ulx3s-12f has"),
    ):
        board.load(replace(FIRST, shape=replace(SHAPE, taps=512)))
    assert board.program is FIRST


def resident(number: int, *, bursts: int) -> Resident:
    return Resident(bytes([number]) * 16, range(0, bursts))


def test_the_one_that_was_not_used_for_longest_makes_room():
    """The others stay, and none lies on another one."""
    rng = np.random.default_rng(3)
    known = Residents(SHAPE)
    for _ in range(300):
        wanted = resident(int(rng.integers(40)), bursts=int(rng.integers(1, BURSTS.stop // 2)))
        before = known.without(wanted.digest)
        after, first = before.room_for(len(wanted.bursts))
        assert after.programs == before.programs[: len(after.programs)]
        known = after.used(Resident(wanted.digest, range(first, first + len(wanted.bursts))))
        assert Residents.of(known.words(), SHAPE) == known
        places = sorted((each.bursts for each in known.programs), key=lambda each: each.start)
        edges = [edge for each in places for edge in (each.start, each.stop)]
        assert edges == sorted(edges)
        assert BURSTS.start <= edges[0]
        assert edges[-1] <= BURSTS.stop
    assert Residents(SHAPE).room_for(len(BURSTS))[1] == BURSTS.start
    with pytest.raises(ValueError, match=r"bursts=2097137 of a program must be at most 2097136, the memory's"):
        known.room_for(len(BURSTS) + 1)


def test_a_note_has_room_for_ten():
    known = Residents(SHAPE)
    for number in range(12):
        known, first = known.room_for(1)
        known = known.used(Resident(bytes([number]) * 16, range(first, first + 1)))
    assert [each.digest[0] for each in known.programs] == [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]


@pytest.mark.parametrize("bit", [0, 33, 64, 2047])
def test_a_damaged_note_says_nothing(bit: int):
    words = Residents(SHAPE, (resident(1, bursts=4),)).words()
    words[bit // 32] ^= np.uint32(1 << bit % 32)
    assert Residents.of(words, SHAPE) == Residents(SHAPE)


def test_digests_differ():
    changed = replace(FIRST, external_parts=tuple((address + 4, count) for address, count in FIRST.external_parts))
    assert len({digest_of(FIRST), digest_of(SECOND), digest_of(changed)}) == 3
