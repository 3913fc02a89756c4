"""Sends bytes to the pin `rx` of a design and records those that leave its pin `tx`, 8N1.

BNNHW_JOB holds `writes`, bytes or, where negative, pauses in bit times; `cycles_per_bit`, and `silence`: the bit times
without a byte from the design after which the bench ends. BNNHW_RESULT gets the bytes as `received`.
"""

import os

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, FallingEdge, RisingEdge

PERIOD_NS = 10


@cocotb.test()
async def exchange_bytes(dut):
    with np.load(os.environ["BNNHW_JOB"]) as job:
        writes, bit, silence = job["writes"].tolist(), int(job["cycles_per_bit"]), int(job["silence"])
    dut.rst.value = 0
    dut.rx.value = 1
    cocotb.start_soon(Clock(dut.clk, PERIOD_NS, unit="ns").start())
    received: list[int] = []
    quiet = [0]  # cycles
    cocotb.start_soon(_receive(dut, bit, received, quiet))
    await ClockCycles(dut.clk, 4)
    for write in writes:
        if write < 0:
            await ClockCycles(dut.clk, -write * bit)
        else:
            for level in (0, *(write >> n & 1 for n in range(8)), 1):
                dut.rx.value = level
                await ClockCycles(dut.clk, bit)
    quiet[0] = 0
    while quiet[0] < silence * bit:
        await RisingEdge(dut.clk)
        quiet[0] += 1
    np.savez(os.environ["BNNHW_RESULT"], received=np.array(received, np.uint8))


async def _receive(dut, bit: int, received: list[int], quiet: list[int]) -> None:
    """Samples every bit of `tx` in its middle."""
    while True:
        await FallingEdge(dut.tx)
        await ClockCycles(dut.clk, bit // 2)
        value = 0
        for n in range(8):
            await ClockCycles(dut.clk, bit)
            value |= int(dut.tx.value) << n
        await ClockCycles(dut.clk, bit)
        assert int(dut.tx.value) == 1, f"byte {len(received)} has a low stop bit"
        received.append(value)
        quiet[0] = 0
