"""SDRAM chips as their data sheets have them, in nanoseconds, and in cycles of a clock."""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from .port import BURST, MemoryShape

__all__ = ["CHIPS", "IS42S16160B", "MT48LC16M16A2", "W9825G6KH", "SdramChip", "SdramTiming", "get_chip"]

COMPARED = 2
"""Slots in which the rows are compared, before a bank may be precharged."""
MODE_CYCLES = 2
"""tMRD, from setting the mode to the next command (JEDEC JESD21-C)."""


@dataclass(frozen=True, kw_only=True)
class SdramTiming:
    """What must lie between commands, in cycles; `cas` is the latency of a read.

    The controller works in periods of BURST cycles, a burst in each. In the period before, its row is prepared, as late
    as possible: its bank is precharged in `precharge_slot` and activated in `activate_slot`.
    """

    cas: int
    rcd: int
    rp: int
    ras: int
    rc: int
    rfc: int
    wr: int
    rrd: int
    refi: int
    start_up: int
    postponed: int

    @property
    def activate_slot(self) -> int:
        """Row to column: the burst begins in slot 0 of the next period."""
        return BURST - self.rcd

    @property
    def precharge_slot(self) -> int:
        """Precharge to activate."""
        return self.activate_slot - self.rp

    def obstacles(self) -> list[str]:
        """Why the controller cannot keep these in its periods: a chip that wants so much needs a slower clock."""
        slot = self.precharge_slot
        limits = [
            ("tRCD + tRP", self.rcd + self.rp, BURST - COMPARED),
            ("tWR", self.wr, slot + 1),
            ("tRAS", self.ras, BURST + self.rcd + slot),
            ("tRC", self.rc, 2 * BURST),
            ("tRRD", self.rrd, BURST),
        ]
        return [f"{name} takes {cycles} cycles, and may take {most}" for name, cycles, most in limits if cycles > most]


@dataclass(frozen=True, kw_only=True)
class SdramChip:
    """A chip of single data rate.

    Attributes
    ----------
    rows, columns, banks, width : int
        Of each bank its rows, of each row its columns, of each column its bits.
    cas_periods_ns : tuple of (int, float)
        The CAS latencies, and the shortest period of the clock at each of them.
    t_rcd_ns, t_rp_ns, t_ras_ns, t_rc_ns, t_rfc_ns, t_wr_ns, t_rrd_ns : float
        Row to column, precharge, activate to precharge, activate to activate of a bank, refresh, last word written to
        precharge, activate to activate of two banks.
    refresh_ns : float
        The time in which each row must be refreshed once.
    start_up_ns : float
        From power to the first command.
    postponed : int
        Refreshes that may be late together.
    """

    name: str
    rows: int
    columns: int
    banks: int
    width: int
    cas_periods_ns: tuple[tuple[int, float], ...]
    t_rcd_ns: float
    t_rp_ns: float
    t_ras_ns: float
    t_rc_ns: float
    t_rfc_ns: float
    t_wr_ns: float
    t_rrd_ns: float
    refresh_ns: float = 64e6
    start_up_ns: float = 200e3
    postponed: int = 8

    def __post_init__(self):
        for name, most in (("rows", 1 << 13), ("columns", 1 << 10), ("banks", 4)):
            value = getattr(self, name)
            if not (2 <= value <= most and value & (value - 1) == 0):
                raise ValueError(f"{name}={value} must be a power of two from 2 to {most}")
        if self.columns < BURST:
            raise ValueError(f"columns={self.columns} must be at least {BURST}, a burst")

    @cached_property
    def shape(self) -> MemoryShape:
        """Of the port. An address is row:bank:column, so that runs go through all banks, each row whole."""
        return MemoryShape((self.rows * self.banks * self.columns // BURST - 1).bit_length(), self.width)

    @property
    def fastest_hz(self) -> int:
        """The fastest clock, rounded down to hertz."""
        return int(10**9 / Fraction(min(period for _, period in self.cas_periods_ns)))

    def timing(self, clock_hz: int) -> SdramTiming:
        """All of it in cycles of a clock: at least so many, of the refreshes' interval at most.

        Raises
        ------
        ValueError
            When the clock is too fast for the chip.
        """
        rate = Fraction(clock_hz) / 10**9

        def least(nanoseconds: float) -> int:
            return max(1, math.ceil(Fraction(nanoseconds) * rate))

        latencies = [cas for cas, period in self.cas_periods_ns if Fraction(period) * rate <= 1]
        if not latencies:
            raise ValueError(f"clock_hz={clock_hz} must be at most {self.fastest_hz}, the fastest of {self.name}")
        return SdramTiming(
            cas=min(latencies),
            rcd=least(self.t_rcd_ns),
            rp=least(self.t_rp_ns),
            ras=least(self.t_ras_ns),
            rc=least(self.t_rc_ns),
            rfc=least(self.t_rfc_ns),
            wr=least(self.t_wr_ns),
            rrd=least(self.t_rrd_ns),
            refi=math.floor(Fraction(self.refresh_ns) / self.rows * rate),
            start_up=least(self.start_up_ns),
            postponed=self.postponed,
        )


MT48LC16M16A2 = SdramChip(
    name="MT48LC16M16A2-75",
    rows=8192,
    columns=512,
    banks=4,
    width=16,
    cas_periods_ns=((2, 10), (3, 7.5)),
    t_rcd_ns=20,
    t_rp_ns=20,
    t_ras_ns=44,
    t_rc_ns=66,
    t_rfc_ns=66,
    t_wr_ns=15,
    t_rrd_ns=15,
)
"""32 MB, the one in the ULX3S's schematic (ram.sch of github.com/emard/ulx3s), in its slowest grade: Micron, 256Mb: x4,
x8, x16 SDRAM, AC operating conditions, as LiteDRAM's modules.py has them, too. It starts up within 100 us; 200 us, and
8 refreshes, are what other makers ask for."""

IS42S16160B = SdramChip(
    name="IS42S16160B-7",
    rows=8192,
    columns=512,
    banks=4,
    width=16,
    cas_periods_ns=((2, 10), (3, 7.5)),
    t_rcd_ns=20,
    t_rp_ns=20,
    t_ras_ns=45,
    t_rc_ns=67.5,
    t_rfc_ns=70,
    t_wr_ns=20,
    t_rrd_ns=15,
)
"""32 MB, on the iCESugar-pro: no times shorter than LiteDRAM's modules.py has them (IS42S16160)."""
W9825G6KH = SdramChip(
    name="W9825G6KH-6",
    rows=8192,
    columns=512,
    banks=4,
    width=16,
    cas_periods_ns=((2, 10), (3, 7.5)),
    t_rcd_ns=20,
    t_rp_ns=20,
    t_ras_ns=45,
    t_rc_ns=66,
    t_rfc_ns=66,
    t_wr_ns=20,
    t_rrd_ns=15,
)
"""32 MB, on the Icepi Zero: LiteDRAM's modules.py has shorter times."""

CHIPS: dict[str, SdramChip] = {chip.name: chip for chip in (MT48LC16M16A2, IS42S16160B, W9825G6KH)}
"""The chips by name."""


def get_chip(name: str) -> SdramChip:
    """The chip of this name. Raises ValueError for an unknown one."""
    if name not in CHIPS:
        raise ValueError(f"memory={name!r} is unknown; the memory chips are {', '.join(CHIPS)}")
    return CHIPS[name]
