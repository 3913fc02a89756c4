"""BurstScheduler: which command stands at the chip's pins in which cycle.

Tests: tests/hw/memory/test_controller.py
"""

from dataclasses import dataclass

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.stream.buffer import flat_stream

from .pins import ALL_BANKS, Operation
from .port import BURST
from .timing import SdramChip, SdramTiming

__all__ = ["BurstScheduler"]

LAST = BURST - 1


@dataclass(frozen=True)
class _State:
    """The slot, one-hot; this period's burst; the next one, and of its row whether it is open and is opened now."""

    slot: Signal
    now: data.View
    there: Signal
    following: data.View
    waiting: Signal
    ready: Signal
    opens: Signal
    is_open: Signal  # of each bank
    refreshing: Signal


class BurstScheduler(wiring.Component):
    """Periods of BURST cycles: each transfers a burst and prepares the row of the next one.

    | slot | |
    |---|---|
    | 0 | READ or WRITE, if there is a burst |
    | 0, 1 | the next burst's row is compared with the one that is open in its bank |
    | precharge_slot | PRECHARGE of the bank, if another row is open there |
    | activate_slot | ACTIVATE, if its row is not open |
    | 7 | whether the next burst goes in the next period, or waits |

    So bursts follow each other without a gap while neighbours of different rows are in different banks. Otherwise there
    is a period between them; and one between a read and a write, as the words of the read are still on their way. A
    batch of refreshes comes instead of periods: PRECHARGE of all banks, the refreshes back to back, and on.

    Parameters
    ----------
    chip : SdramChip
    timing : SdramTiming

    Members
    -------
    run : In(1)
        The chip works. It may end while no burst is under way; then all banks are precharged before it begins again.
    bursts : In(stream of unsigned(address_bits + 1))
        Cat(address, write).
    room, words : In(1)
        A read may begin: its words have room; a write may: its words are there. Asked for in the last slot.
    due, owed : In(1)
        A batch of refreshes is due, or may be done while there is nothing else.
    refreshed : Out(1)
    operation, bank, address : Out
        For the pins, in a register behind.
    reading, writing : Out(1)
        In each cycle of a burst, the first one with its command.
    begin_read, begin_write : Out(1)
        In the cycle before it.
    """

    run: Signal
    bursts: stream.Interface
    room: Signal
    words: Signal
    due: Signal
    owed: Signal
    refreshed: Signal
    operation: Signal
    bank: Signal
    address: Signal
    reading: Signal
    writing: Signal
    begin_read: Signal
    begin_write: Signal

    def __init__(self, *, chip: SdramChip, timing: SdramTiming, address_bits: int):
        self.chip = chip
        self.timing = timing
        inputs = dict.fromkeys(("run", "room", "words", "due", "owed"), In(1))
        outputs = dict.fromkeys(("refreshed", "reading", "writing", "begin_read", "begin_write"), Out(1))
        super().__init__(
            {
                **inputs,
                **outputs,
                "bursts": In(flat_stream(chip.shape.address_bits + 1)),
                "operation": Out(3),
                "bank": Out(range(chip.banks)),
                "address": Out(address_bits),
            }
        )

    def _burst(self, name: str) -> data.View:
        fields = {
            "column": range(self.chip.columns // BURST),
            "bank": range(self.chip.banks),
            "row": range(self.chip.rows),
            "write": 1,
        }
        return data.StructLayout(fields)(Signal(self.chip.shape.address_bits + 1, name=name))

    def elaborate(self, platform) -> Module:
        m = Module()
        s = _State(
            slot=Signal(BURST, init=1),
            now=self._burst("now"),
            there=Signal(),
            following=self._burst("following"),
            waiting=Signal(),
            ready=Signal(),
            opens=Signal(),
            is_open=Signal(self.chip.banks),
            refreshing=Signal(),
        )
        m.d.sync += s.slot.eq(s.slot.rotate_left(1))
        m.d.comb += [self.bank.eq(s.following.bank), self.address.eq(s.following.row)]  # where nothing else is said
        self._transfer(m, s)
        with m.If(self.run & ~s.refreshing):
            self._prepare(m, s)
        self._refresh(m, s)
        self._decide(m, s)
        return m

    def _transfer(self, m: Module, s: _State) -> None:
        """The burst of this period."""
        m.d.comb += [self.reading.eq(s.there & ~s.now.write), self.writing.eq(s.there & s.now.write)]
        with m.If(s.slot[0]):
            m.d.comb += [
                self.operation.eq(Mux(s.there, Mux(s.now.write, Operation.WRITE, Operation.READ), Operation.NOTHING)),
                self.bank.eq(s.now.bank),
                self.address.eq(Cat(Const(0, (BURST - 1).bit_length()), s.now.column)),
            ]

    def _prepare(self, m: Module, s: _State) -> None:
        """Opens the row of the burst that follows."""
        following, rows = (
            s.following,
            Array(Signal(range(self.chip.rows), name=f"row{n}") for n in range(self.chip.banks)),
        )
        row = Signal(range(self.chip.rows))  # the one that is open in its bank, if one is
        is_open, busy, closes, hit = Signal(), Signal(), Signal(), Signal()
        with m.If(s.slot[0]):
            m.d.sync += [
                row.eq(rows[following.bank]),
                is_open.eq(s.is_open.bit_select(following.bank, 1)),
                busy.eq(s.there & (s.now.bank == following.bank)),
            ]
        with m.If(s.slot[1]):
            other = row != following.row
            m.d.sync += [
                hit.eq(s.waiting & is_open & ~other),
                closes.eq(s.waiting & is_open & other & ~busy),
                s.opens.eq(s.waiting & (~is_open | (other & ~busy))),
            ]
        with m.If(s.slot[self.timing.precharge_slot]):
            m.d.sync += s.ready.eq(hit)
            with m.If(closes):
                m.d.comb += [self.operation.eq(Operation.PRECHARGE), self.address.eq(0)]
        with m.If(s.slot[self.timing.activate_slot] & s.opens):
            m.d.comb += self.operation.eq(Operation.ACTIVATE)
            m.d.sync += [
                s.ready.eq(1),
                rows[following.bank].eq(following.row),
                s.is_open.bit_select(following.bank, 1).eq(1),
            ]

    def _refresh(self, m: Module, s: _State) -> None:
        """Refreshes until none is owed. A row that this period opens is used first: it must stay open for tRAS."""
        timing = self.timing
        closed = Signal()
        rest = Signal(range(-1, max(timing.rfc, timing.rp)))  # cycles to the next command, less one
        m.d.sync += rest.eq(Mux(rest[-1], rest, rest - 1))
        with m.If(~self.run):
            m.d.sync += s.is_open.eq(0)
        with m.Elif(~s.refreshing):
            m.d.sync += closed.eq(0)
            with m.If(s.slot[LAST] & (self.due | (self.owed & ~s.waiting)) & ~s.opens):
                m.d.sync += s.refreshing.eq(1)
        with m.Elif(~closed), m.If(s.slot[timing.precharge_slot]):
            m.d.comb += [self.operation.eq(Operation.PRECHARGE), self.address.eq(ALL_BANKS)]
            m.d.sync += [closed.eq(1), s.is_open.eq(0), rest.eq(timing.rp - 2)]
        with m.Elif(rest[-1] & self.owed):
            m.d.comb += [self.operation.eq(Operation.REFRESH), self.refreshed.eq(1)]
            m.d.sync += rest.eq(timing.rfc - 2)
        with m.Elif(s.slot[LAST] & ~self.owed & (rest <= timing.activate_slot)):
            m.d.sync += s.refreshing.eq(0)

    def _decide(self, m: Module, s: _State) -> None:
        """Whether the burst that follows is that of the next period, and which one follows then."""
        turns = s.there & ~s.now.write & s.following.write
        able = Mux(s.following.write, self.words, self.room)
        fire = Signal()
        m.d.comb += [
            fire.eq(s.slot[LAST] & s.waiting & s.ready & able & ~turns & ~s.refreshing & ~(self.due & ~s.opens)),
            self.begin_read.eq(fire & ~s.following.write),
            self.begin_write.eq(fire & s.following.write),
            self.bursts.ready.eq(s.slot[LAST] & self.run & (fire | ~s.waiting)),
        ]
        with m.If(s.slot[LAST]):
            m.d.sync += s.there.eq(fire)
        with m.If(fire):
            m.d.sync += s.now.eq(s.following)
        with m.If(self.bursts.ready):
            m.d.sync += [s.following.eq(self.bursts.payload), s.waiting.eq(self.bursts.valid)]
