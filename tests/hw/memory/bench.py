"""A controller with a model of its chip, behind the two streams of the batch simulator; and what goes through them."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportGeneralTypeIssues=false
# pyright: reportOperatorIssue=false
# (amaranth's types are loose)

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from amaranth.hdl import Array, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.logic.delays import delays
from bnnhw.hw.memory.calibration import SETTLING
from bnnhw.hw.memory.controller import SdramController
from bnnhw.hw.memory.port import BURST
from bnnhw.hw.memory.timing import SdramChip, SdramTiming
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.targets import PORTABLE
from bnnhw.sim.batch.simulator import BatchResult, BatchSimulator
from bnnhw.sim.memory.faults import Fault
from bnnhw.sim.memory.sdram_model import SdramModel

MOST_DELAY = 15
COMMAND, WORD, STATUS, SETTING = range(4)
"""Kinds of input beats. A STATUS is answered when all words read so far have left and the start-up has ended."""
SETTINGS = data.StructLayout({"delay": range(MOST_DELAY + 1), "first": 8, "last": 8})
"""Registers between chip and controller, and the phases of the clock at which commands arrive and words are right."""
ANSWERS = data.StructLayout(
    {
        **{"word": 32, "status": 1, "ready": 1, "failed": 1, "disturbed": 1},
        **{"phase": 8, "faults": len(Fault), "read": 32, "written": 32},
    }
)
ANY_PHASE = {"first": 0, "last": 255}


class MemoryBench(wiring.Component):
    """The controller, the model, and between them what SETTING beats say."""

    def __init__(self, chip: SdramChip, clock_hz: int, *, wanted: SdramTiming | None, words: int, **options):
        self.controller = SdramController(chip=chip, clock_hz=clock_hz, target=PORTABLE, **options)
        self.model = SdramModel(chip=chip, timing=wanted or chip.timing(clock_hz), words=words)
        self.payload_bits = max(chip.shape.command_bits, chip.width)
        super().__init__({"i": In(flat_stream(self.payload_bits + 2)), "o": Out(flat_stream(ANSWERS.size))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.controller = controller = self.controller
        m.submodules.model = model = self.model
        memory, pins = controller.memory, controller.pins
        kind = self.i.payload[self.payload_bits :]
        settings, answer = SETTINGS(Signal(SETTINGS.size)), ANSWERS(self.o.payload)
        open_words = Signal(24)
        phase, moving, disturbed = Signal.like(controller.phase), Signal(range(SETTLING)), Signal()
        moves = (controller.phase != phase) | (moving != 0)
        m.d.sync += [phase.eq(controller.phase), moving.eq(Mux(moving == 0, 0, moving - 1))]
        with m.If(controller.phase != phase):
            m.d.sync += moving.eq(SETTLING - 2)
        with m.If(moves & (pins.ras | pins.cas | pins.we)):
            m.d.sync += disturbed.eq(1)
        m.d.comb += [
            memory.command.payload.eq(self.i.payload),
            memory.command.valid.eq(self.i.valid & (kind == COMMAND)),
            memory.w.payload.eq(self.i.payload),
            memory.w.valid.eq(self.i.valid & (kind == WORD)),
            memory.r.ready.eq(self.o.ready),
        ]
        tells = self.i.valid & (kind == STATUS) & (open_words == 0) & (controller.ready | controller.failed)
        with m.Switch(kind):
            with m.Case(COMMAND):
                m.d.comb += self.i.ready.eq(memory.command.ready)
            with m.Case(WORD):
                m.d.comb += self.i.ready.eq(memory.w.ready)
            with m.Case(STATUS):
                m.d.comb += self.i.ready.eq(tells & self.o.ready)
            with m.Case(SETTING):
                m.d.comb += self.i.ready.eq(1)
                with m.If(self.i.valid):
                    m.d.sync += settings.eq(self.i.payload)
        command = controller.chip.shape.view(memory.command.payload)
        begun = memory.command.valid & memory.command.ready & ~command.write
        m.d.sync += open_words.eq(
            open_words + Mux(begun, command.bursts * BURST, 0) - (memory.r.valid & memory.r.ready)
        )
        m.d.comb += [
            self.o.valid.eq(memory.r.valid | tells),
            answer.word.eq(memory.r.payload),
            answer.status.eq(~memory.r.valid),
            answer.ready.eq(controller.ready),
            answer.failed.eq(controller.failed),
            answer.phase.eq(controller.phase),
            answer.disturbed.eq(disturbed),
            answer.faults.eq(model.faults),
            answer.read.eq(model.bytes_read),
            answer.written.eq(model.bytes_written),
        ]
        wrong = (controller.phase < settings.first) | (controller.phase > settings.last) | moves
        m.d.comb += [getattr(model.pins, name).eq(getattr(pins, name)) for name in ("ba", "a", "dqm", "dq_o", "dq_oe")]
        m.d.comb += [getattr(model.pins, name).eq(getattr(pins, name) & ~wrong) for name in ("ras", "cas", "we")]
        late = Array(delays(m, model.pins.dq_i, MOST_DELAY, name="late", reset_less=False))[settings.delay]
        m.d.comb += pins.dq_i.eq(late ^ wrong)
        return m


@dataclass
class Answer:
    """What a lane gave: the words, and its last status."""

    words: list[int]
    ready: bool
    failed: bool
    disturbed: bool  # a command, while the clock moved
    phase: int
    faults: Fault
    bytes_read: int
    bytes_written: int
    cycles: list[int]


@dataclass
class Lane:
    """Input beats, and how many words are read."""

    bench: "Bench"
    beats: list[int] = field(default_factory=list)
    reads: int = 0

    def _add(self, kind: int, payload: int) -> None:
        self.beats.append(payload | kind << self.bench.payload_bits)

    def set(self, **settings: int) -> None:
        """From here on."""
        self._add(SETTING, SETTINGS.const({**ANY_PHASE, **settings}).as_value().value)

    def command(self, address: int, bursts: int, *, write: bool) -> None:
        self._add(COMMAND, self.bench.chip.shape.pack(address=address, bursts=bursts, write=write))
        self.reads += 0 if write else bursts * BURST

    def words(self, words: Sequence[int]) -> None:
        for word in words:
            self._add(WORD, word)

    def status(self) -> None:
        self._add(STATUS, 0)
        self.reads += 1


class Bench:
    """A compiled MemoryBench."""

    def __init__(
        self, chip: SdramChip, clock_hz: int, *, wanted: SdramTiming | None = None, words: int = 1 << 14, **options
    ):
        component = MemoryBench(chip, clock_hz, wanted=wanted, words=words, **options)
        self.chip = chip
        self.bursts = words // BURST
        self.payload_bits = component.payload_bits
        self.simulator = BatchSimulator(component)

    def lane(self, **settings: int) -> Lane:
        """A lane that begins with these settings."""
        lane = Lane(self)
        lane.set(**settings)
        return lane

    def run(self, lanes: Sequence[Lane], *, stalls: tuple[float, float] = (0, 0), seed: int = 0) -> list[Answer]:
        """All lanes side by side, each with its status in the end."""
        for lane in lanes:
            lane.status()
        outputs = max(lane.reads for lane in lanes)
        for lane in lanes:
            for _ in range(outputs - lane.reads):
                lane.status()
        longest = max(len(lane.beats) for lane in lanes)
        idle = self.payload_bits
        frames = np.zeros((len(lanes), longest, 1), np.uint64)
        for frame, lane in zip(frames, lanes, strict=True):
            frame[: len(lane.beats), 0] = lane.beats
            frame[len(lane.beats) :, 0] = lane.beats[0] | SETTING << idle  # the first ones' again, when all is done
        result = self.simulator.run(frames, output_beats=outputs, stall_probability=stalls, seed=seed)
        return [self._answer(result, number) for number in range(len(lanes))]

    def _answer(self, result: BatchResult, number: int) -> Answer:
        beats, cycles = result.outputs[number], result.output_cycles[number]
        of_words = beats[:, 0] >> ANSWERS["status"].offset & 1 == 0
        last = ANSWERS.from_bits(int.from_bytes(beats[-1].tobytes(), "little") & ((1 << ANSWERS.size) - 1))
        return Answer(
            (beats[of_words, 0] & ((1 << self.chip.width) - 1)).tolist(),
            bool(last.ready),
            bool(last.failed),
            bool(last.disturbed),
            last.phase,
            Fault(last.faults),
            last.read,
            last.written,
            cycles[of_words].tolist(),
        )
