"""SdramModel: an SDRAM chip at its pins, for the simulators."""

from functools import reduce
from operator import or_

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from bnnhw.hw.memory.pins import Operation, sdram_pins
from bnnhw.hw.memory.port import BURST
from bnnhw.hw.memory.timing import SdramChip, SdramTiming

from .bank_model import BankModel
from .elapsed import elapsed
from .faults import Fault
from .start_up_rules import StartUpRules

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportGeneralTypeIssues=false
# pyright: reportOperatorIssue=false
# (amaranth's types are loose)

__all__ = ["SdramModel"]

COUNT_BITS = 40


class SdramModel(wiring.Component):
    """Answers as the chip does, and says what was wrong. A word that is read stands at the pins `cas` cycles after its
    place in the burst; words are 0 where nobody drives.

    Parameters
    ----------
    chip : SdramChip
    timing : SdramTiming
        What it wants of whoever uses it: `chip.timing(clock_hz)`, or something else to see that it is missed.
    words : int, optional
        Of its memory, a power of two. Addresses row:bank:column wrap there. None where the memory is outside.

    Members
    -------
    pins : In(the chip's pins)
    faults : Out(len(Fault))
        Of Fault: every fault so far.
    bytes_read, bytes_written : Out(40)
        Over the data pins.
    address, write, write_data : Out, read_data : In(width)
        Of a memory outside, which reads without a clock.
    """

    pins: wiring.PureInterface
    faults: Signal
    bytes_read: Signal
    bytes_written: Signal
    address: Signal
    write: Signal
    write_data: Signal
    read_data: Signal

    def __init__(self, *, chip: SdramChip, timing: SdramTiming, words: int | None):
        if words is not None and (words < BURST or words & (words - 1)):
            raise ValueError(f"words={words} must be a power of two and at least {BURST}")
        self.chip = chip
        self.timing = timing
        self.words = words
        outside = {
            "address": Out(range(chip.rows * chip.banks * chip.columns)),
            "write": Out(1),
            "write_data": Out(chip.width),
            "read_data": In(chip.width),
        }
        super().__init__(
            (outside if words is None else {})
            | {
                "pins": In(sdram_pins(chip)),
                "faults": Out(len(Fault)),
                "bytes_read": Out(COUNT_BITS),
                "bytes_written": Out(COUNT_BITS),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        pins = self.pins
        operation = Cat(pins.ras, pins.cas, pins.we)
        now = {each: operation == each for each in Operation}
        transfer = now[Operation.READ] | now[Operation.WRITE]
        everything = pins.a[10]
        precharge_all = now[Operation.PRECHARGE] & everything

        m.submodules.rules = rules = StartUpRules(timing=self.timing)
        m.d.comb += [
            rules.command.eq(operation != Operation.NOTHING),
            rules.precharge_all.eq(precharge_all),
            rules.refresh.eq(now[Operation.REFRESH]),
            rules.set_mode.eq(now[Operation.SET_MODE]),
            rules.other.eq(now[Operation.ACTIVATE] | transfer),
            rules.address.eq(pins.a),
        ]
        banks = []
        for number in range(self.chip.banks):
            bank = BankModel(timing=self.timing, row_bits=(self.chip.rows - 1).bit_length())
            m.submodules[f"bank{number}"] = bank
            here = pins.ba == number
            m.d.comb += [
                bank.activate.eq(now[Operation.ACTIVATE] & here),
                bank.precharge.eq(now[Operation.PRECHARGE] & (here | everything)),
                bank.transfer.eq(transfer & here),
                bank.address.eq(pins.a),
            ]
            banks.append(bank)
        any_open = Cat(bank.is_open for bank in banks).any()
        recovered = Cat(bank.recovered for bank in banks).all()
        idle = now[Operation.REFRESH] | now[Operation.SET_MODE]
        apart = elapsed(m, now[Operation.ACTIVATE], self.timing.rrd, name="rrd")
        found: dict[Fault, Value] = {
            Fault.OPEN: idle & any_open,
            Fault.T_RP: idle & ~recovered,
            Fault.T_RRD: now[Operation.ACTIVATE] & ~apart,
            Fault.BUS: self._transfer(m, rules, banks, now),
        }
        bits = Cat(found.get(fault, 0) for fault in Fault)
        parts = [bits, rules.faults, *(bank.faults for bank in banks)]
        m.d.sync += self.faults.eq(reduce(or_, parts, self.faults))
        return m

    def _transfer(self, m: Module, rules: StartUpRules, banks: list[BankModel], now: dict[Operation, Value]) -> Value:
        """The bursts, and whether the data pins are driven by both or by nobody."""
        pins = self.pins
        begins = now[Operation.READ] | now[Operation.WRITE]
        column, bank, row = Signal(range(self.chip.columns)), Signal.like(pins.ba), Signal.like(banks[0].row)
        left, writes = Signal(range(BURST)), Signal()
        ends = now[Operation.STOP] | now[Operation.PRECHARGE] & (pins.a[10] | (pins.ba == bank))
        column_now, bank_now = Mux(begins, pins.a, column)[: len(column)], Mux(begins, pins.ba, bank)[: len(bank)]
        row_now = Mux(begins, Array(each.row for each in banks)[pins.ba], row)
        going = begins | (left != 0) & ~ends
        writing, reading = Signal(), Signal()
        within = BURST.bit_length() - 1
        m.d.comb += [
            writing.eq(going & Mux(begins, now[Operation.WRITE], writes)),
            reading.eq(going & ~writing),
        ]
        stores = writing & ~pins.dqm
        read = self._memory(m, Cat(column_now, bank_now, row_now), stores)
        m.d.sync += [
            left.eq(Mux(begins, BURST - 1, Mux(going, left - 1, 0))),
            bank.eq(bank_now),
            row.eq(row_now),
            column.eq(Cat((column_now + 1)[:within], column_now[within:])),
            writes.eq(writing),
        ]
        for number, each in enumerate(banks):
            m.d.comb += each.wrote.eq(writing & (bank_now == number))

        # Words on their way, by the cycles to go: dqm hides the one of two cycles later.
        longest = 3
        word = [Signal(self.chip.width, name=f"word{n}") for n in range(longest)]
        valid = [Signal(name=f"valid{n}") for n in range(longest)]
        drove = Signal()
        for n in range(longest):
            enters = rules.cas == n + 1
            later = (word[n + 1], valid[n + 1]) if n + 1 < longest else (0, 0)
            shown = Mux(enters, reading, later[1])
            m.d.sync += [
                word[n].eq(Mux(enters, read, later[0])),
                valid[n].eq(shown & ~pins.dqm if n == 1 else shown),
            ]
        size = self.chip.width // 8
        m.d.comb += pins.dq_i.eq(Mux(valid[0], word[0], 0))
        m.d.sync += [
            drove.eq(valid[0]),
            self.bytes_read.eq(self.bytes_read + Mux(valid[0], size, 0)),
            self.bytes_written.eq(self.bytes_written + Mux(stores, size, 0)),
        ]
        return pins.dq_oe & (valid[0] | drove) | writing & ~pins.dq_oe

    def _memory(self, m: Module, address: Value, stores: Value) -> Value:
        """The word at an address, where that of the pins is stored at the end of the cycle."""
        if self.words is None:
            m.d.comb += [self.address.eq(address), self.write.eq(stores), self.write_data.eq(self.pins.dq_o)]
            return self.read_data
        m.submodules.memory = memory = Memory(shape=self.chip.width, depth=self.words, init=[])
        read, write = memory.read_port(domain="comb"), memory.write_port()
        m.d.comb += [
            read.addr.eq(address),
            write.addr.eq(address),
            write.data.eq(self.pins.dq_o),
            write.en.eq(stores),
        ]
        return read.data
