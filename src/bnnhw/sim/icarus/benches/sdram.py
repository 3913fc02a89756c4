"""A controller of an SDRAM chip at its three streams, with the chip at its pins in plain Python, which watches them.

BNNHW_JOB holds `beats`, rows of (stream, payload): 0 for commands, 1 for words to write, each stream in its order;
`reads`, the words to be read; `latency`, the registers between chip and controller; `stalls`, the chances that a
stream pauses in a cycle; `chip`, the fields of its SdramChip as JSON; `clock_hz` and `patience`. BNNHW_RESULT gets
`words`, `faults`, and `cycles`.
"""

import json
import os
import random
from collections import deque

import cocotb
import numpy as np
from cocotb.triggers import Timer

from bnnhw.hw.memory.timing import SdramChip
from bnnhw.sim.memory.reference_chip import ReferenceChip

PERIOD_NS = 8
PINS = ("ba", "a", "dqm", "dq_o", "dq_oe")


@cocotb.test()
async def read_and_write(dut):
    """Every cycle: inputs at the falling edge, outputs read before the rising one."""
    with np.load(os.environ["BNNHW_JOB"]) as job:
        beats = {port: job["beats"][job["beats"][:, 0] == n, 1].tolist() for n, port in enumerate(("command", "w"))}
        wanted, latency, patience = int(job["reads"]), int(job["latency"]), int(job["patience"])
        stalls, rng = job["stalls"].tolist(), random.Random(int(job["seed"]))
        fields = json.loads(str(job["chip"]))
        chip = SdramChip(**{**fields, "cas_periods_ns": tuple(map(tuple, fields["cas_periods_ns"]))})
        reference = ReferenceChip(chip, int(job["clock_hz"]))
    late = deque([0] * latency)
    sent, offering = dict.fromkeys(beats, 0), dict.fromkeys(beats, False)
    words: list[int] = []
    quiet = cycle = 0
    dut.rst.value = 0
    while quiet < patience and len(words) < wanted:
        for (port, each), stall in zip(beats.items(), stalls, strict=False):
            offering[port] |= sent[port] < len(each) and rng.random() >= stall
            getattr(dut, f"memory__{port}__valid").value = offering[port]
            getattr(dut, f"memory__{port}__payload").value = each[sent[port]] if offering[port] else 0
        taking = rng.random() >= stalls[-1]
        dut.memory__r__ready.value = taking
        dut.clk.value = 0
        await Timer(PERIOD_NS // 2, unit="ns")
        pins = {name: int(getattr(dut, f"pins__{name}").value) for name in PINS}
        operation = sum(int(getattr(dut, f"pins__{name}").value) << n for n, name in enumerate(("ras", "cas", "we")))
        late.append(reference.cycle(operation=operation, **pins) or 0)
        dut.pins__dq_i.value = late.popleft()
        quiet += 1
        for port in beats:
            if offering[port] and int(getattr(dut, f"memory__{port}__ready").value):
                sent[port] += 1
                offering[port], quiet = False, 0
        if taking and int(dut.memory__r__valid.value):
            words.append(int(dut.memory__r__payload.value))
            quiet = 0
        await Timer(1, unit="ns")
        dut.clk.value = 1
        await Timer(PERIOD_NS // 2 - 1, unit="ns")
        cycle += 1
    np.savez(
        os.environ["BNNHW_RESULT"],
        words=np.array(words, np.int64),
        faults=int(reference.faults),
        cycles=cycle,
    )
