"""The event-driven engine on small designs of its own, driven through their UART."""

# pyright: reportAttributeAccessIssue=false
# (the members of amaranth's memory ports are not typed)

import pytest
from amaranth.hdl import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from bnnhw.hw.link.phy.uart import UartReceiver, UartTransmitter, baud_rate
from bnnhw.hw.stream.fifo import Fifo
from bnnhw.hw.targets import PORTABLE
from bnnhw.sim.batch.simulator import compile_design
from bnnhw.sim.board.uart_engine import UartEngine
from bnnhw.sim.errors import SimulationError
from bnnhw.sim.netlist.netlist import convert_component


class Echo(wiring.Component):
    """Sends what it receives, inverted, by way of a queue; nothing moves between two bytes."""

    rx: Signal
    tx: Signal

    def __init__(self, *, clock_hz: int, baud: int):
        self.rate = baud_rate(clock_hz=clock_hz, baud=baud)
        super().__init__({"rx": In(1, init=1), "tx": Out(1, init=1)})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.receiver = receiver = UartReceiver(rate=self.rate)
        m.submodules.fifo = fifo = Fifo(width=8, depth=256, target=PORTABLE)
        m.submodules.transmitter = transmitter = UartTransmitter(rate=self.rate)
        wiring.connect(m, fifo.o, transmitter.i)
        m.d.comb += [
            receiver.rx.eq(self.rx),
            fifo.i.payload.eq(~receiver.data),
            fifo.i.valid.eq(receiver.valid),
            self.tx.eq(transmitter.tx),
        ]
        return m


class Contest(wiring.Component):
    """tx is rx by way of a memory into which one port always writes 1, and a later one 0 while rx is low."""

    rx: Signal
    tx: Signal

    def __init__(self):
        super().__init__({"rx": In(1, init=1), "tx": Out(1, init=1)})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.row = row = Memory(shape=unsigned(1), depth=2, init=[1, 1])
        always, low, read = row.write_port(), row.write_port(), row.read_port(domain="comb")
        m.d.comb += [always.data.eq(1), always.en.eq(1), low.en.eq(~self.rx), self.tx.eq(read.data)]
        return m


class Glitch(wiring.Component):
    """tx is low for one cycle where rx falls."""

    rx: Signal
    tx: Signal

    def __init__(self):
        super().__init__({"rx": In(1, init=1), "tx": Out(1, init=1)})

    def elaborate(self, platform) -> Module:
        m = Module()
        last = Signal(init=1)
        m.d.sync += [last.eq(self.rx), self.tx.eq(self.rx | ~last)]
        return m


class Broken(wiring.Component):
    """Holds tx low for ever after the first edge of rx."""

    rx: Signal
    tx: Signal

    def __init__(self):
        super().__init__({"rx": In(1, init=1), "tx": Out(1, init=1)})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.d.sync += self.tx.eq(self.tx & self.rx)
        return m


class Wide(wiring.Component):
    """Has a tx of two bits."""

    rx: Signal
    tx: Signal

    def __init__(self):
        super().__init__({"rx": In(1), "tx": Out(2)})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.d.sync += self.tx.eq(Cat(self.rx, self.tx))
        return m


def engine_of(component: wiring.Component, *, clock_hz: int, baud: int) -> UartEngine:
    return UartEngine(compile_design(convert_component(component)), rx="rx", tx="tx", clock_hz=clock_hz, baud=baud)


def run(engine: UartEngine, data: bytes) -> bytes:
    """What comes back until nothing moves any more."""
    queue, answer, idle = bytearray(data), b"", False
    while not idle:
        part, idle = engine.run(queue)
        answer += part
    assert not queue
    return answer


DATA = bytes(range(0, 256, 3))


@pytest.mark.parametrize(("clock_hz", "baud"), [(12_500_000, 3_000_000), (100_000_000, 3_000_000), (1_000_000, 9600)])
def test_carries_bytes_at_the_lines_rate(clock_hz: int, baud: int):
    engine = engine_of(Echo(clock_hz=clock_hz, baud=baud), clock_hz=clock_hz, baud=baud)
    assert run(engine, b"") == b""
    for data in (DATA, b"\x00", b"\xff\x00"):
        started = engine.cycle
        assert run(engine, data) == bytes(byte ^ 0xFF for byte in data)
        byte_cycles = 10 * clock_hz / baud
        assert engine.cycle - started == pytest.approx(byte_cycles * (len(data) + 1), abs=byte_cycles / 2 + 40)


def test_time_stands_still_while_nothing_moves():
    engine = engine_of(Echo(clock_hz=12_500_000, baud=3_000_000), clock_hz=12_500_000, baud=3_000_000)
    run(engine, b"x")
    cycle = engine.cycle
    assert engine.run(bytearray()) == (b"", True)
    assert engine.cycle == cycle


@pytest.mark.parametrize(
    ("component", "answer"), [(Contest(), DATA), (Glitch(), b""), (Broken(), b"")], ids=["contest", "glitch", "broken"]
)
def test_what_the_line_says(component: wiring.Component, answer: bytes):
    assert run(engine_of(component, clock_hz=12_500_000, baud=1_000_000), DATA) == answer


@pytest.mark.parametrize(
    ("rx", "tx", "message"),
    [
        ("nothing", "tx", r"port nothing of one bit is required; the ports are \['clk', 'rst', 'rx', 'tx'\]"),
        ("rx", "nothing", "port nothing of one bit is required"),
        ("rx", "tx", "port tx of one bit is required"),
        ("tx", "tx", "port tx of one bit is required"),
    ],
)
def test_needs_pins_of_one_bit(rx: str, tx: str, message: str):
    program = compile_design(convert_component(Wide()))
    with pytest.raises(SimulationError, match=message):
        UartEngine(program, rx=rx, tx=tx, clock_hz=12_500_000, baud=3_000_000)


WORK = 20_000


class Restless(wiring.Component):
    """The echo beside a counter that never rests; it says that it is busy for WORK cycles after the line was low."""

    rx: Signal
    tx: Signal
    busy: Signal
    count: Signal

    def __init__(self, *, clock_hz: int, baud: int):
        self.echo = Echo(clock_hz=clock_hz, baud=baud)
        super().__init__({"rx": In(1, init=1), "tx": Out(1, init=1), "busy": Out(1), "count": Out(20)})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.echo = echo = self.echo
        left = Signal(range(WORK + 1))
        m.d.comb += [echo.rx.eq(self.rx), self.tx.eq(echo.tx), self.busy.eq(left != 0)]
        m.d.sync += [self.count.eq(self.count + 1), left.eq(Mux(self.rx, left - self.busy, WORK))]
        return m


def test_a_design_that_never_rests_says_when_it_is_busy():
    """Time goes on for some thousand cycles after its work, and stands still then."""
    clock_hz, baud = 12_500_000, 3_000_000
    design = convert_component(Restless(clock_hz=clock_hz, baud=baud))
    engine = UartEngine(compile_design(design), rx="rx", tx="tx", clock_hz=clock_hz, baud=baud, busy="busy")
    for data in (b"", DATA):
        before = engine.cycle
        assert run(engine, data) == bytes(255 - byte for byte in data)
        work = 10 * len(data) * clock_hz // baud + (WORK if data else 0)
        assert 9_000 <= engine.cycle - before - work <= 11_000
        assert engine.value("count") == engine.cycle % 2**20
