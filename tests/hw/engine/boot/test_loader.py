"""An engine that begins with the programs of a flash: found by a host, and never a wrong answer where it is damaged."""

from dataclasses import replace
from functools import cache
from itertools import accumulate

import numpy as np
import pytest
from amaranth.hdl import Module, Mux, ResetInserter, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from bnnhw.boards.host.flash_image import flash_image
from bnnhw.boards.host.residents import Resident, Residents, digest_of
from bnnhw.compiler import evaluate
from bnnhw.compiler.engine.compile import compile_program
from bnnhw.compiler.engine.program import EngineProgram
from bnnhw.hw.engine.boot.engine_with_flash import EngineWithFlash
from bnnhw.hw.engine.boot.flash_reader import FlashReader
from bnnhw.hw.engine.boot.image import MOST_PACKETS, boot_image, image_bytes
from bnnhw.hw.engine.engine_shape import NOTED_WORDS, WORD
from bnnhw.hw.engine.engine_with_memory import EngineWithMemory
from bnnhw.hw.engine.program import packets
from bnnhw.hw.engine.program.packets import PACKET_WORDS, Answer, Status
from bnnhw.hw.engine.program.packets import Memory as Place
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.sim.batch.simulator import BatchSimulator
from bnnhw.sim.memory.flash_model import FlashChip, FlashModel
from bnnhw.sim.memory.sdram_model import SdramModel
from tests.engine_rtl import CHIP, CHIP_WORDS, small_shape
from tests.hw.engine.test_external import network, random_bits

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportOperatorIssue=false
# pyright: reportCallIssue=false, reportGeneralTypeIssues=false
# (amaranth's types are loose)

CLOCK_HZ = 50_000_000
OFFSET = 0x200000
ROOM = 1 << 16
"""Bytes of the simulated flash, from OFFSET on."""
SHAPE = small_shape(weight_words=64, external=CHIP.shape)
GRAPH, OTHER = network(96, 130, 100, 10), network(30, 510, 10)
PROGRAM, SECOND = compile_program(GRAPH, SHAPE), compile_program(OTHER, SHAPE)
SETTINGS = 4
"""Beats before the packets of a lane, which say how its flash is damaged."""
PATIENCE = 1_000_000


class Started(wiring.Component):
    """An engine with both of its chips. The first SETTINGS beats, while all else is in its reset, are: where the image
    begins in `content`, a place in it, a mask that its byte there is damaged with, and from where on it is erased.
    A fault of a chip's use ends the answers."""

    i: stream.Interface
    o: stream.Interface

    def __init__(self, content: bytes):
        self.content = content
        engine = EngineWithMemory(SHAPE, chip=CHIP, clock_hz=CLOCK_HZ)
        self.engine = EngineWithFlash(engine, offset=OFFSET, clock_hz=CLOCK_HZ)
        super().__init__({"i": In(flat_stream(WORD)), "o": Out(flat_stream(WORD))})

    def elaborate(self, platform) -> Module:
        m = Module()
        left = Signal(range(SETTINGS + 1), init=SETTINGS)
        waits = left != 0
        settings = [Signal(WORD, name=name) for name in ("begin", "place", "mask", "end")]
        begin, place, mask, end = settings
        reset = ResetInserter(waits)
        engine = self.engine
        sdram = SdramModel(chip=CHIP, timing=CHIP.timing(CLOCK_HZ), words=CHIP_WORDS)
        flash = FlashModel(chip=FlashChip(), clock_hz=CLOCK_HZ)
        m.submodules.engine, m.submodules.sdram, m.submodules.flash = reset(engine), reset(sdram), reset(flash)
        depth = 1 << (len(self.content) - 1).bit_length()
        m.submodules.memory = memory = Memory(shape=8, depth=depth, init=self.content)
        port = memory.read_port(domain="comb")
        at = Signal(24)
        m.d.comb += [
            at.eq(flash.address - OFFSET),
            port.addr.eq(at + begin),
            flash.read_data.eq(Mux(at >= end, 0xFF, port.data ^ Mux(at == place, mask, 0))),
        ]
        wiring.connect(m, engine.pins, sdram.pins)
        wiring.connect(m, engine.flash, flash.pins)
        faultless = (sdram.faults == 0) & (flash.faults == 0)
        m.d.comb += [
            engine.i.payload.eq(self.i.payload),
            engine.i.valid.eq(self.i.valid & ~waits),
            self.i.ready.eq(engine.i.ready | waits),
            self.o.payload.eq(engine.o.payload),
            self.o.valid.eq(engine.o.valid & faultless & ~waits),
            engine.o.ready.eq(self.o.ready & faultless),
        ]
        with m.If(waits & self.i.valid):
            m.d.sync += [
                left.eq(left - 1),
                *(now.eq(behind) for now, behind in zip(settings, [*settings[1:], self.i.payload], strict=True)),
            ]
        return m


BOTH, ONE = flash_image([PROGRAM, SECOND]), flash_image([SECOND])
BEGIN = SHAPE.external_bursts.start
NOTE = Residents(
    SHAPE, (Resident(digest_of(SECOND), range(BEGIN, BEGIN + SECOND.external_words // SHAPE.burst_words)),)
)
FOREIGN = boot_image(replace(SHAPE, taps=2048).identity, NOTE.words(), SECOND.load_outside(base=BEGIN))
"""What another engine would start with."""
RUNS_AWAY = boot_image(SHAPE.identity, Residents(SHAPE).words(), [packets.run(), packets.read(0)])
"""Packets that no image has, with all that makes it look right: none of them may do what it says."""
IMAGES = (BOTH, ONE, FOREIGN, RUNS_AWAY)
BOTH_AT, ONE_AT, FOREIGN_AT, RUNS_AWAY_AT, NONE_AT = accumulate(map(len, IMAGES), initial=0)


@cache
def simulator() -> BatchSimulator:
    return BatchSimulator(Started(b"".join(IMAGES)))


Damage = tuple[int, int, int, int]
WHOLE: Damage = (BOTH_AT, 0, 0, ROOM)


def ask(
    damages: list[Damage], requests: list[list[np.ndarray]], *, stalls: tuple[float, float] = (0.0, 0.0)
) -> tuple[list[list[Answer]], np.ndarray]:
    """The answers of engines with damaged flashes, each to its requests; and when it took the first word of these."""
    longest = max(map(len, requests))
    beats = [
        np.concatenate([np.array(damage, np.uint32), *each, *[packets.read(0)] * (longest - len(each))])
        for damage, each in zip(damages, requests, strict=True)
    ]
    result = simulator().run(
        np.array(beats, np.uint64)[:, :, None],
        output_beats=longest * PACKET_WORDS,
        stall_probability=stalls,
        patience=PATIENCE,
    )
    words = result.outputs[:, :, 0].astype(np.uint32).reshape(len(damages), longest, PACKET_WORDS)
    answers = [[Answer.of(each) for each in lane[: len(own)]] for lane, own in zip(words, requests, strict=True)]
    return answers, result.accepted_cycles[:, SETTINGS] - result.accepted_cycles[:, SETTINGS - 1]


READ_NOTE = packets.read(0, memory=Place.EXTERNAL)


def run_there(program: EngineProgram, inputs: np.ndarray, *, base: int) -> list[np.ndarray]:
    """What a host sends that finds the program there."""
    return [
        *program.load_engine(),
        *program.feed(program.network.codes(inputs), base=base),
        packets.run(limit=program.cycles, base=base),
        *program.reads(base=base),
    ]


def answers_of(program: EngineProgram, answers: list[Answer], inputs: np.ndarray) -> np.ndarray:
    """Those of the network, from the last answers of a lane."""
    last = answers[-1 - len(program.reads()) :]
    assert {answer.status for answer in answers} == {Status.DONE}
    assert last[0].cycles == program.cycles
    return program.network.answers(program.outputs(last)[: len(inputs)])


@pytest.mark.parametrize("stalls", [(0.0, 0.0), (0.3, 0.3)])
def test_a_host_finds_the_programs_and_sends_none(stalls: tuple[float, float]):
    """Both; what lies there is all of them, and they answer right. They come in the time that is foreseen."""
    lanes = ((PROGRAM, GRAPH, NOTE.programs[0].bursts.stop), (SECOND, OTHER, BEGIN))
    requests, batches = [], []
    for program, graph, base in lanes:
        batches.append(random_bits(graph, program.frames))
        read_back = [packets.read(int(packet[1]), memory=Place.EXTERNAL) for packet in program.load_outside(base=base)]
        requests.append([READ_NOTE, *read_back, *run_there(program, batches[-1], base=base)])
    found, begins = ask([WHOLE] * 2, requests, stalls=stalls)
    for (program, graph, base), inputs, answers in zip(lanes, batches, found, strict=True):
        resident = Residents.of(answers[0].data, SHAPE).find(digest_of(program))
        assert resident is not None
        assert resident.bursts.start == base
        known = program.load_outside(base=base)
        for packet, answer in zip(known, answers[1:], strict=False):
            wanted = packets.data_of(packet)
            np.testing.assert_array_equal(answer.data[: len(wanted)], wanted)
        (wanted,) = evaluate(graph, {"x": inputs}).values()
        np.testing.assert_array_equal(answers_of(program, answers, inputs), wanted)
    reader = FlashReader(offset=OFFSET, clock_hz=CLOCK_HZ)
    words = len(BOTH) // 4
    assert words * reader.cycles_per_word < begins.min() < (words + 2 * NOTED_WORDS) * reader.cycles_per_word + 20_000


def damages() -> list[Damage]:
    """Bits and bytes that are wrong, at random places and in each part; ends that are missing; foreign images."""
    rng = np.random.default_rng(12)
    size = len(ONE)
    places = [*range(0, 24, 3), 20, 23, 275, 276, 277, 284, *rng.integers(0, size, 40).tolist()]
    found = [(ONE_AT, place, 1 << int(rng.integers(8)), ROOM) for place in places]
    found += [(ONE_AT, int(rng.integers(size)), int(rng.integers(1, 256)), ROOM) for _ in range(30)]
    found += [(ONE_AT, 0, 0, int(end)) for end in [0, 1, 20, size - 1, *rng.integers(20, size, 20)]]
    return [*found, *((at, 0, 0, ROOM) for at in (FOREIGN_AT, RUNS_AWAY_AT, NONE_AT))]


def test_a_damaged_flash_starts_no_program_and_stops_no_host():
    """The host finds no program; it brings one, as ever, and that answers right."""
    known = damages()
    assert len(known) >= 100
    noted, _ = ask(known, [[READ_NOTE]] * len(known))
    for damage, (answer,) in zip(known, noted, strict=True):
        assert answer.status is Status.DONE
        assert Residents.of(answer.data, SHAPE).programs == (), damage
    inputs = random_bits(OTHER, SECOND.frames)
    (wanted,) = evaluate(OTHER, {"x": inputs}).values()
    requests = [READ_NOTE, *SECOND.load_outside(base=BEGIN), *run_there(SECOND, inputs, base=BEGIN)]
    found, _ = ask(known, [requests] * len(known))
    for answers in found:
        np.testing.assert_array_equal(answers_of(SECOND, answers, inputs), wanted)


def test_an_image_has_packets_and_not_too_many():
    packet = packets.read(0)
    note = Residents(SHAPE).words()
    assert len(boot_image(SHAPE.identity, note, [packet] * 3)) == image_bytes(3)
    for count in (0, MOST_PACKETS + 1):
        with pytest.raises(ValueError, match=rf"^{count} packets must be 1 to 65535$"):
            boot_image(SHAPE.identity, note, [packet] * count)


def test_programs_that_have_no_room_are_refused():
    many = [
        replace(PROGRAM, external_parts=tuple((at + 4 * number, count) for at, count in PROGRAM.external_parts))
        for number in range(11)
    ]
    with pytest.raises(ValueError, match=r"^the memory has no room for 11 programs side by side; leave some out$"):
        flash_image(many)
    assert flash_image([PROGRAM, SECOND, PROGRAM]) == flash_image([PROGRAM, SECOND])
    small = compile_program(network(30, 10), SHAPE)
    with pytest.raises(ValueError, match=r"^a program that is all in block RAM is brought by the host; leave it"):
        flash_image([PROGRAM, small])
