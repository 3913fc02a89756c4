"""One helper that drives any component with flat streams in Amaranth's simulator, with seeded random stalls."""

import random
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator

from bnnhw.hw.stream.flow import Channel, Flow, Network, sink_process

PATIENCE = 2000  # cycles without a transfer on any stream after which a component counts as standing still
LINGER = 24  # cycles watched after the last expected beat, for surplus ones


@dataclass(frozen=True)
class PortTrace:
    """What crossed a port, and when: cycle k is the one before clock edge k, counted from the reset.

    offered : of an input the first cycle in which each beat was offered.
    ready : of an output the cycles in which its reader was ready.
    """

    beats: list[int] = field(default_factory=list)
    cycles: list[int] = field(default_factory=list)
    offered: list[int] = field(default_factory=list)
    ready: list[int] = field(default_factory=list)


class Producer:
    """What feeds an input."""

    def __init__(self, port: Any, beats: Sequence[int], cycles: Sequence[int] | None):
        self.port, self.beats, self.cycles = port, beats, cycles
        self.trace = PortTrace()
        self.offering = False

    def drive(self, ctx: Any, cycle: int, rng: random.Random, stall: float) -> None:
        sent = len(self.trace.cycles)
        if not self.offering and sent < len(self.beats):
            self.offering = rng.random() >= stall if self.cycles is None else cycle >= self.cycles[sent]
            if self.offering:
                self.trace.offered.append(cycle)
                ctx.set(self.port.payload, self.beats[sent])
        ctx.set(self.port.valid, self.offering)
        if not self.offering:
            ctx.set(self.port.payload, rng.getrandbits(len(self.port.payload)))

    def observe(self, ctx: Any, cycle: int) -> bool:
        """Whether a beat was accepted."""
        if not (self.offering and ctx.get(self.port.ready)):
            return False
        self.trace.beats.append(self.beats[len(self.trace.cycles)])
        self.trace.cycles.append(cycle)
        self.offering = False
        return True


class Consumer:
    """What reads an output."""

    def __init__(self, name: str, port: Any):
        self.name, self.port = name, port
        self.trace = PortTrace()
        self.pending: int | None = None  # the beat that was offered but not taken

    def drive(self, ctx: Any, cycle: int, ready: bool) -> None:
        ctx.set(self.port.ready, ready)
        if ready:
            self.trace.ready.append(cycle)

    def observe(self, ctx: Any, cycle: int, where: str) -> bool:
        """Whether a beat was taken."""
        valid, payload, ready = (ctx.get(part) for part in (self.port.valid, self.port.payload, self.port.ready))
        if self.pending is not None:
            assert valid, f"{where}: the beat that {self.name} offered was withdrawn"
            assert payload == self.pending, f"{where}: the beat that {self.name} offered changed from {self.pending:#x}"
        self.pending = payload if valid and not ready else None
        if valid and ready:
            self.trace.beats.append(payload)
            self.trace.cycles.append(cycle)
        return bool(valid and ready)


def run_ports(
    dut: Any,
    beats: Mapping[str, Sequence[int]],
    outputs: Mapping[str, int],
    *,
    seed: int = 0,
    stalls: tuple[float, float] = (0.3, 0.3),
    patience: int = PATIENCE,
    input_cycles: Mapping[str, Sequence[int]] | None = None,
    to_standstill: bool = False,
    inner: Mapping[str, Any] | None = None,
) -> dict[str, PortTrace]:
    """Offers `beats` to the inputs of `dut` and collects so many beats from its outputs, port by port.

    stalls: chances that a producer, or a consumer, pauses in a cycle; (0, 0) runs at full throughput.
    input_cycles: the first cycles at which the beats are offered, in place of the producers' random pauses.
    to_standstill: runs until nothing has moved for `patience` cycles, however many beats have come.
    inner: streams inside; the cycles of their handshakes are traced, too.

    Checks on the way that no `valid` of an output depends on a `ready`, that an offered beat stays until it is taken,
    that nothing deadlocks, that no beat too many comes out, and that the handshakes are those of `dut.flow`, if it has
    one. Payloads are flat: a beat is an int.
    """
    rng = random.Random(seed)
    producers = {
        name: Producer(getattr(dut, name), each, input_cycles[name] if input_cycles else None)
        for name, each in beats.items()
    }
    consumers = {name: Consumer(name, getattr(dut, name)) for name in outputs}
    inside = {name: PortTrace() for name in inner or ()}

    async def testbench(ctx: Any) -> None:
        cycle = idle = linger = 0
        while linger < LINGER:
            where = f"seed={seed} cycle={cycle}"
            for producer in producers.values():
                producer.drive(ctx, cycle, rng, stalls[0])
            before = [ctx.get(consumer.port.valid) for consumer in consumers.values()]
            for consumer in consumers.values():
                consumer.drive(ctx, cycle, rng.random() >= stalls[1])
            for valid, consumer in zip(before, consumers.values(), strict=True):
                assert ctx.get(consumer.port.valid) == valid, f"{where}: {consumer.name}.valid depends on a ready"
            moved = [consumer.observe(ctx, cycle, where) for consumer in consumers.values()]
            moved += [producer.observe(ctx, cycle) for producer in producers.values()]
            for name, stream in (inner or {}).items():
                moved.append(ctx.get(stream.valid) and ctx.get(stream.ready))
                if moved[-1]:
                    inside[name].cycles.append(cycle)
            idle = 0 if any(moved) else idle + 1
            missing = {name: expected - len(consumers[name].trace.beats) for name, expected in outputs.items()}
            assert min(missing.values()) >= 0, f"{where}: more beats than the expected {dict(outputs)}"
            left = {name: len(each) - len(producers[name].trace.beats) for name, each in beats.items()}
            if to_standstill:
                if idle >= patience:
                    return
            else:
                assert idle < patience, f"{where}: deadlock with {left} beats not yet in and {missing} not yet out"
                linger += not any(missing.values()) and not any(left.values())
            await ctx.tick()
            cycle += 1

    bench = Module()
    bench.domains.sync = ClockDomain()  # for a dut that is only wires
    bench.submodules.dut = dut
    simulator = Simulator(bench)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
    inputs = {name: producer.trace for name, producer in producers.items()}
    read = {name: consumer.trace for name, consumer in consumers.items()}
    if hasattr(dut, "flow"):
        check_flow(dut.flow, inputs, read)
    return {**inputs, **read, **inside}


def check_flow(flow: Callable[..., Flow], inputs: Mapping[str, PortTrace], outputs: Mapping[str, PortTrace]) -> None:
    """The handshakes came in exactly the cycles of a flow."""
    channels = {name: Channel() for name in (*inputs, *outputs)}
    for name, trace in inputs.items():
        for cycle in trace.offered:
            channels[name].give(cycle)
    sinks = [sink_process(channels[name], taken_when(trace.ready)) for name, trace in outputs.items()]
    Network([*flow(**channels), *sinks]).run()
    for name, trace in (*inputs.items(), *outputs.items()):
        assert list(channels[name].takes) == trace.cycles, name


def taken_when(ready: Sequence[int]) -> Callable[[int], int]:
    """In which cycle a reader that is ready in these takes the beat that is offered from a cycle on."""

    def take(cycle: int) -> int:
        following = bisect_left(ready, cycle)
        return ready[following] if following < len(ready) else max(cycle, ready[-1] + 1)

    return take
