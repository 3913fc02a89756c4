"""Frames to a board's pins, close behind each other, and those that come back.

JOB holds `clock_ns`, the period of the board's oscillator, `frames`, the numbers of those
that are `damaged` as the PHY says, and `silence`: the ns without a frame from the
board after which the bench ends. RESULT gets the frames with the time at which each began, in ns.
"""

import os
import pickle
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import SimTimeoutError, Timer, with_timeout
from cocotbext.eth import GmiiFrame, RgmiiPhy


@cocotb.test()
async def exchange(dut):
    job = pickle.loads(Path(os.environ["JOB"]).read_bytes())
    phy = RgmiiPhy(dut.tx_data, dut.tx_ctl, dut.tx_clk, dut.phy_data, dut.phy_ctl, dut.phy_clk, speed=1000e6)
    cocotb.start_soon(Clock(dut.clk100, job["clock_ns"], unit="ns").start())
    await Timer(200, "ns")
    dut.broken.value = 0
    for number, payload in enumerate(job["frames"]):
        frame = GmiiFrame.from_payload(payload)
        if number in job["damaged"]:
            frame.error = [n == 40 for n in range(len(frame.data))]
        await phy.rx.send(frame)
    received = []
    try:
        while True:
            frame = await with_timeout(phy.tx.recv(), job["silence"], "ns")
            assert frame.check_fcs()
            assert not any(frame.error or ())
            received.append((bytes(frame.get_payload()), frame.sim_time_start / 1000))
    except SimTimeoutError:
        assert dut.broken.value == 0
        Path(os.environ["RESULT"]).write_bytes(pickle.dumps(received))
