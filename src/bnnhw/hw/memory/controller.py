"""SdramController: an SDRAM chip as a memory that is read and written in runs of bursts."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.targets import Target, check_target

from .calibration import Calibration
from .pins import sdram_pins
from .power_up import PowerUp
from .read_path import ReadPath
from .refresh_debt import RefreshDebt
from .run_splitter import RunSplitter
from .scheduler import BurstScheduler
from .timing import SdramChip
from .write_path import WritePath

__all__ = ["SdramController"]


class SdramController(wiring.Component):
    """A word of the chip in nearly every cycle of runs; what is written is what is read, in the order of the commands.

    It starts the chip, finds the latency of its words with a test pattern, and takes commands from then on. The pattern
    overwrites the first PATTERN_BURSTS bursts. The pins come from registers, and `dq_i` goes into one; each further one
    on the way, at the pads, costs a cycle of latency, which is found.

    Parameters
    ----------
    chip : SdramChip
    clock_hz : int
        Of `sync`, and of the chip.
    batch : int
        Refreshes that are done together, from 1 to the chip's `postponed`: each batch costs about a period beside them.
    phases : int
        Phases of the chip's clock, for a board that can shift it; see Calibration.
    target : Target

    Members
    -------
    memory : In(the port of chip.shape)
    pins : Out(the chip's pins)
    phase : Out(range(phases))
        Of the chip's clock.
    ready, failed : Out(1)
        The memory works; no latency and no phase gave the pattern back.
    """

    memory: wiring.PureInterface
    pins: wiring.PureInterface
    phase: Signal
    ready: Signal
    failed: Signal

    def __init__(self, *, chip: SdramChip, clock_hz: int, batch: int = 8, phases: int = 1, target: Target):
        check_target(target)
        if not 1 <= batch <= chip.postponed:
            raise ValueError(f"batch={batch} must be from 1 to postponed={chip.postponed} of {chip.name}")
        self.chip = chip
        self.timing = chip.timing(clock_hz)
        if obstacles := self.timing.obstacles():
            raise ValueError(f"clock_hz={clock_hz} must be lower for {chip.name}: {'; '.join(obstacles)}")
        self.batch = batch
        self.target = target
        self.calibration = Calibration(shape=chip.shape, phases=phases)
        super().__init__(
            {
                "memory": In(chip.shape.signature),
                "pins": Out(sdram_pins(chip)),
                "phase": Out(self.calibration.phase.shape()),
                "ready": Out(1),
                "failed": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        chip, timing, pins = self.chip, self.timing, self.pins
        m.submodules.power_up = power_up = PowerUp(timing=timing, address_bits=len(pins.a))
        m.submodules.splitter = splitter = RunSplitter(shape=chip.shape)
        m.submodules.debt = debt = RefreshDebt(interval=timing.refi, batch=self.batch)
        m.submodules.scheduler = scheduler = BurstScheduler(chip=chip, timing=timing, address_bits=len(pins.a))
        m.submodules.read_path = read_path = ReadPath(width=chip.width, cas=timing.cas)
        m.submodules.write_path = write_path = WritePath(width=chip.width, target=self.target)
        m.submodules.calibration = calibration = self.calibration
        wiring.connect(m, splitter.o, scheduler.bursts)

        m.d.comb += [
            calibration.run.eq(power_up.done),
            power_up.hold.eq(calibration.hold),
            debt.run.eq(power_up.done),
            debt.paid.eq(scheduler.refreshed),
            scheduler.run.eq(power_up.done),
            scheduler.due.eq(debt.due),
            scheduler.owed.eq(debt.owed),
            scheduler.room.eq(read_path.room),
            scheduler.words.eq(write_path.words),
            read_path.begin.eq(scheduler.begin_read),
            read_path.reading.eq(scheduler.reading),
            read_path.latency.eq(calibration.latency),
            read_path.dq.eq(pins.dq_i),
            write_path.begin.eq(scheduler.begin_write),
            write_path.writing.eq(scheduler.writing),
            self.phase.eq(calibration.phase),
            self.ready.eq(calibration.ready),
            self.failed.eq(calibration.failed),
        ]
        m.d.sync += [
            Cat(pins.ras, pins.cas, pins.we).eq(power_up.operation | scheduler.operation),  # one of both is NOTHING
            pins.ba.eq(scheduler.bank),
            pins.a.eq(Mux(power_up.done, scheduler.address, power_up.address)),
            pins.dqm.eq(~power_up.done),
            pins.dq_o.eq(write_path.data),
            pins.dq_oe.eq(scheduler.writing),
        ]
        with m.If(calibration.ready):
            self._connect(m, self.memory, splitter, read_path, write_path)
        with m.Else():
            self._connect(m, calibration.memory, splitter, read_path, write_path)
        return m

    def _connect(self, m: Module, user, splitter: RunSplitter, read_path: ReadPath, write_path: WritePath) -> None:
        """To the one who uses the memory."""
        streams = ((user.command, splitter.i), (user.w, write_path.i), (read_path.o, user.r))
        for source, sink in streams:
            m.d.comb += [
                sink.payload.eq(source.payload),
                sink.valid.eq(source.valid),
                source.ready.eq(sink.ready),
            ]
