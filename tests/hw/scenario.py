"""One helper that drives any component with streams `i` and `o` in Amaranth's simulator, with seeded random stalls."""

import random
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator

from bnnhw.hw.stream.flow import Channel, Flow, flow_cycles

PATIENCE = 2000  # cycles without a transfer on either side after which a scenario counts as a deadlock
LINGER = 24  # cycles watched after the last expected beat, for surplus ones


@dataclass(frozen=True)
class Trace:
    """What crossed the ports: cycle k is the one before clock edge k, counted from the reset."""

    outputs: list[int]
    input_cycles: list[int]
    output_cycles: list[int]
    offered_cycles: list[int] = field(default_factory=list)  # the first in which each input beat was offered
    ready_cycles: list[int] = field(default_factory=list)  # those in which the consumer was ready


def run_scenario(
    dut: Any,
    beats: Sequence[int],
    *,
    outputs: int,
    seed: int = 0,
    stalls: tuple[float, float] = (0.3, 0.3),
    patience: int = PATIENCE,
    input_cycles: Sequence[int] | None = None,
) -> Trace:
    """Offers `beats` to `dut.i` and collects `outputs` beats from `dut.o`.

    stalls: chances that the producer, or the consumer, pauses in a cycle; (0, 0) runs at full throughput.
    input_cycles: the first cycles at which the beats are offered, in place of the producer's random pauses.

    Checks on the way that `o.valid` does not depend on `o.ready`, that an offered beat stays until it is taken, that
    nothing deadlocks, that no beat too many comes out, and that the handshakes are those of `dut.flow`, if it has one.
    Payloads are flat: a beat is an int.
    """
    rng = random.Random(seed)
    trace = Trace([], [], [])

    async def testbench(ctx: Any) -> None:
        offering = False
        pending: int | None = None  # the beat that the consumer has seen but not taken
        cycle = idle = linger = 0
        while linger < LINGER:
            sent = len(trace.input_cycles)
            if not offering and sent < len(beats):
                offering = cycle >= input_cycles[sent] if input_cycles is not None else rng.random() >= stalls[0]
                if offering:
                    trace.offered_cycles.append(cycle)
                    ctx.set(dut.i.payload, beats[sent])
            ctx.set(dut.i.valid, offering)
            if not offering:
                ctx.set(dut.i.payload, rng.getrandbits(len(dut.i.payload)))

            before = ctx.get(dut.o.valid)
            ready = rng.random() >= stalls[1]
            ctx.set(dut.o.ready, ready)
            valid = ctx.get(dut.o.valid)
            assert valid == before, f"seed={seed} cycle={cycle}: o.valid depends on o.ready"
            payload = ctx.get(dut.o.payload)
            if ready:
                trace.ready_cycles.append(cycle)
            if pending is not None:
                assert valid, f"seed={seed} cycle={cycle}: the offered beat was withdrawn"
                assert payload == pending, f"seed={seed} cycle={cycle}: the offered beat changed from {pending:#x}"
            pending = payload if valid and not ready else None

            idle += 1
            if offering and ctx.get(dut.i.ready):
                trace.input_cycles.append(cycle)
                offering = False
                idle = 0
            if valid and ready:
                trace.outputs.append(payload)
                trace.output_cycles.append(cycle)
                idle = 0
            assert len(trace.outputs) <= outputs, f"seed={seed} cycle={cycle}: more than the expected {outputs} beats"
            assert idle < patience, (
                f"seed={seed} cycle={cycle}: deadlock after {len(trace.input_cycles)} of {len(beats)} beats in "
                f"and {len(trace.outputs)} of {outputs} out"
            )
            if len(trace.outputs) == outputs and len(trace.input_cycles) == len(beats):
                linger += 1
            await ctx.tick()
            cycle += 1

    bench = Module()
    bench.domains.sync = ClockDomain()  # for a dut that is only wires
    bench.submodules.dut = dut
    simulator = Simulator(bench)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
    if hasattr(dut, "flow"):
        check_flow(dut.flow, trace)
    return trace


def check_flow(flow: Callable[[Channel, Channel], Flow], trace: Trace) -> None:
    """The handshakes of a trace came in exactly the cycles of a flow."""
    ready = trace.ready_cycles

    def take(cycle: int) -> int:
        following = bisect_left(ready, cycle)
        return ready[following] if following < len(ready) else max(cycle, ready[-1] + 1)

    assert flow_cycles(flow, trace.offered_cycles, take) == (trace.input_cycles, trace.output_cycles)


def pack(values: Sequence[int], width: int) -> int:
    """The beat of `values`, `width` bits each, value 0 lowest."""
    beat = 0
    for position, value in enumerate(values):
        beat |= (int(value) & ((1 << width) - 1)) << (position * width)
    return beat


def unpack(beat: int, width: int, count: int) -> list[int]:
    """The `count` unsigned values of `width` bits in `beat`, value 0 lowest."""
    return [beat >> (position * width) & ((1 << width) - 1) for position in range(count)]
