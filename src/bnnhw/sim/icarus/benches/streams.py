"""Feeds the stream `i` of a design, collects what leaves at its stream `o`, and watches that the protocol is kept.

The beats come from the file BNNHW_JOB, results go to the file BNNHW_RESULT; both as `bnnhw.sim.icarus.runner` has them.
"""

import os
import random

import cocotb
import numpy as np
from cocotb.triggers import Timer

PERIOD_NS = 10


@cocotb.test()
async def move_beats(dut):
    """Every cycle: inputs at the falling edge, outputs read before the rising one."""
    with np.load(os.environ["BNNHW_JOB"]) as job:
        beats = [int.from_bytes(beat.tobytes(), "little") for beat in job["beats"]]
        wanted, patience, drain = int(job["outputs"]), int(job["patience"]), int(job["drain"])
        stall_in, stall_out = job["stalls"].tolist()
        rng = random.Random(int(job["seed"]))
    width = len(dut.i__payload)
    accepted: list[int] = []
    outputs: list[int] = []
    output_cycles: list[int] = []
    offering, held, quiet, cycle = False, None, 0, 0
    if hasattr(dut, "rst"):
        dut.rst.value = 0
    while quiet < patience and drain >= 0:
        if not offering and len(accepted) < len(beats):
            offering = rng.random() >= stall_in
        taking = rng.random() >= stall_out
        dut.i__valid.value = offering
        dut.i__payload.value = beats[len(accepted)] if offering else rng.getrandbits(width)
        dut.o__ready.value = taking
        await _clock(dut, 0)
        valid, ready = int(dut.o__valid.value), int(dut.i__ready.value)
        payload = int(dut.o__payload.value) if valid else None
        if held is not None:
            assert payload == held, f"cycle {cycle}: o changed from {held:#x} to {payload} before it was taken"
        held = None if taking else payload
        quiet += 1
        if offering and ready:
            accepted.append(cycle)
            offering, quiet = False, 0
        if payload is not None and taking:
            outputs.append(payload)
            output_cycles.append(cycle)
            quiet = 0
        if len(outputs) >= wanted and len(accepted) == len(beats):
            drain -= 1
        await _clock(dut, 1)
        cycle += 1
    words = (len(dut.o__payload) + 63) // 64
    np.savez(
        os.environ["BNNHW_RESULT"],
        outputs=np.frombuffer(b"".join(beat.to_bytes(8 * words, "little") for beat in outputs), "<u8"),
        accepted_cycles=np.array(accepted, np.int64),
        output_cycles=np.array(output_cycles, np.int64),
        cycles=cycle,
    )


async def _clock(dut, level: int) -> None:
    """Half a period; a design without registers has no clock."""
    if hasattr(dut, "clk"):
        dut.clk.value = level
    await Timer(PERIOD_NS // 2, unit="ns")
