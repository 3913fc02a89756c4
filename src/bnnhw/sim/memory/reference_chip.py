"""ReferenceChip: an SDRAM chip in plain Python, in nanoseconds, that SdramModel is checked against.

Tests: tests/sim/memory/test_sdram_model.py
"""

from dataclasses import dataclass, field

from bnnhw.hw.memory.pins import ALL_BANKS, SAMPLED_BURST, Operation
from bnnhw.hw.memory.port import BURST
from bnnhw.hw.memory.timing import MODE_CYCLES, SdramChip

from .faults import Fault

__all__ = ["ReferenceChip"]

NEVER = -1e12
ROUNDING_NS = 1e-3
FIRST_REFRESHES = 2


@dataclass
class _Bank:
    """The row that is open or was last, and when it was last activated, precharged and written, in nanoseconds."""

    is_open: bool = False
    row: int = 0
    activated: float = NEVER
    precharged: float = NEVER
    wrote: float = NEVER


@dataclass
class _Burst:
    """Where the next word lies, and how many are left."""

    bank: int
    row: int
    column: int
    write: bool
    left: int = BURST


@dataclass
class ReferenceChip:
    """A chip at a clock: `cycle` is what happens in one of its cycles.

    Attributes
    ----------
    faults : Fault
        Of all cycles so far.
    memory : dict
        Words by (bank, row, column); others are 0.
    """

    chip: SdramChip
    clock_hz: int
    faults: Fault = field(default_factory=lambda: Fault(0))
    memory: dict[tuple[int, int, int], int] = field(default_factory=dict)

    def __post_init__(self):
        self._cycle = -1
        self._banks = [_Bank() for _ in range(self.chip.banks)]
        self._burst: _Burst | None = None
        self._refreshed = self._activated = NEVER
        self._refreshes = self._late = 0
        self._precharged = False
        self._mode_cycle: int | None = None
        self._first_mode_ns = 0.0
        self._ticks = 0
        self._cas = 0
        self._driven: dict[int, int] = {}
        self._hidden: set[int] = set()

    def cycle(self, *, operation: int, ba: int, a: int, dqm: int, dq_o: int, dq_oe: int) -> int | None:
        """The pins in the next cycle; the word that the chip drives in it."""
        self._cycle += 1
        self._now = self._cycle * 1e9 / self.clock_hz
        if dqm:
            self._hidden.add(self._cycle + 2)
        self._refresh_interval(operation)
        if operation != Operation.NOTHING:
            self._always(operation)
            self._command(Operation(operation), ba, a)
        writes = self._word(dq_o, dqm)
        driven = {c: word for c, word in self._driven.items() if c not in self._hidden}
        if (dq_oe and {self._cycle, self._cycle - 1} & driven.keys()) or (writes and not dq_oe):
            self.faults |= Fault.BUS
        self._driven.pop(self._cycle - 2, None)
        return driven.get(self._cycle)

    def _soon(self, since: float, least_ns: float, fault: Fault) -> None:
        if self._now - since < least_ns - ROUNDING_NS:
            self.faults |= fault

    def _always(self, operation: int) -> None:
        """What holds for every command."""
        if self._now < self.chip.start_up_ns - ROUNDING_NS:
            self.faults |= Fault.START_UP
        if self._mode_cycle is not None and self._cycle - self._mode_cycle < MODE_CYCLES:
            self.faults |= Fault.MODE
        self._soon(self._refreshed, self.chip.t_rfc_ns, Fault.T_RFC)
        if operation in (Operation.ACTIVATE, Operation.READ, Operation.WRITE) and self._mode_cycle is None:
            self.faults |= Fault.START_UP

    def _command(self, operation: Operation, ba: int, a: int) -> None:
        match operation:
            case Operation.ACTIVATE:
                self._activate(self._banks[ba], a)
            case Operation.READ | Operation.WRITE:
                if not self._banks[ba].is_open:
                    self.faults |= Fault.IDLE
                self._soon(self._banks[ba].activated, self.chip.t_rcd_ns, Fault.T_RCD)
                self._burst = _Burst(ba, self._banks[ba].row, a % self.chip.columns, operation == Operation.WRITE)
            case Operation.PRECHARGE:
                every = bool(a & ALL_BANKS)
                self._precharged |= every
                for number, bank in enumerate(self._banks):
                    if every or number == ba:
                        self._precharge(number, bank)
            case Operation.REFRESH | Operation.SET_MODE:
                for bank in self._banks:
                    self.faults |= Fault.OPEN if bank.is_open else Fault(0)
                    self._soon(bank.precharged, self.chip.t_rp_ns, Fault.T_RP)
                if operation == Operation.REFRESH:
                    self._refreshed = self._now
                    self._refreshes += 1
                else:
                    self._set_mode(a)
            case _:
                self._burst = None

    def _activate(self, bank: _Bank, row: int) -> None:
        if bank.is_open:
            self.faults |= Fault.OPEN
        self._soon(bank.precharged, self.chip.t_rp_ns, Fault.T_RP)
        self._soon(bank.activated, self.chip.t_rc_ns, Fault.T_RC)
        self._soon(self._activated, self.chip.t_rrd_ns, Fault.T_RRD)
        bank.is_open, bank.row = True, row % self.chip.rows
        bank.activated = self._activated = self._now

    def _precharge(self, number: int, bank: _Bank) -> None:
        if self._burst is not None and self._burst.bank == number:
            self._burst = None
        if bank.is_open:
            self._soon(bank.activated, self.chip.t_ras_ns, Fault.T_RAS)
            self._soon(bank.wrote, self.chip.t_wr_ns, Fault.T_WR)
            bank.is_open, bank.precharged = False, self._now

    def _set_mode(self, mode: int) -> None:
        if not self._precharged or self._refreshes < FIRST_REFRESHES:
            self.faults |= Fault.START_UP
        cas = mode >> 4 & 7
        if mode & 15 != SAMPLED_BURST or not self.chip.timing(self.clock_hz).cas <= cas <= 3:
            self.faults |= Fault.MODE
        if self._mode_cycle is None:
            self._first_mode_ns = self._now
        self._mode_cycle, self._cas = self._cycle, cas

    def _refresh_interval(self, operation: int) -> None:
        if self._mode_cycle is not None:
            ticks = int((self._now - self._first_mode_ns + ROUNDING_NS) * self.chip.rows / self.chip.refresh_ns)
            if self._late > self.chip.postponed:
                self.faults |= Fault.REFRESH
            self._late += ticks - self._ticks - (operation == Operation.REFRESH)
            self._late, self._ticks = max(self._late, 0), ticks

    def _word(self, dq_o: int, dqm: int) -> bool:
        """The burst's word of this cycle; whether the chip takes it from its pins."""
        burst = self._burst
        if burst is None:
            return False
        place = burst.bank, burst.row, burst.column
        if burst.write:
            self._banks[burst.bank].wrote = self._now
            if not dqm:
                self.memory[place] = dq_o
        elif self._cas:
            self._driven[self._cycle + self._cas] = self.memory.get(place, 0)
        burst.column = burst.column // BURST * BURST + (burst.column + 1) % BURST
        burst.left -= 1
        if not burst.left:
            self._burst = None
        return burst.write
