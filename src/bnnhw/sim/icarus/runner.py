"""The slow, independent simulator that the fast one is checked against: Icarus Verilog, driven by cocotb.

Tests: tests/sim/test_units.py
"""

import importlib.util
import re
import shutil
import time
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
from amaranth.hdl import Elaboratable

from bnnhw.sim.batch.simulator import BatchResult, check_frames
from bnnhw.sim.errors import DeadlockError, SimulationError
from bnnhw.sim.netlist.families import READ_CELLS, VERILOG
from bnnhw.sim.netlist.netlist import convert_component, run_yosys

__all__ = ["CocotbSimulator", "CocotbUart", "VerilogBuild"]


class VerilogBuild:
    """A design compiled by Icarus Verilog, in a temporary folder of its own.

    Parameters
    ----------
    design : str
        RTLIL of a module `top`, which may instantiate cells of a family.
    """

    def __init__(self, design: str):
        if importlib.util.find_spec("cocotb") is None or shutil.which("iverilog") is None:
            raise SimulationError("cocotb and iverilog are required; install iverilog and `pip install bnnhw[dev]`")
        from cocotb_tools.runner import Verilog, get_runner

        self.folder = Path(mkdtemp(prefix="bnnhw-"))
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        commands = [*READ_CELLS, "read_rtlil design", "hierarchy -top top", "proc", "write_verilog -noattr top.v"]
        run_yosys(commands, folder=self.folder, files={"design": design})
        self._runner = get_runner("icarus")
        sources = [Verilog(path) for path in (self.folder / "top.v", *VERILOG)]
        self._call(self._runner.build, "iverilog", sources=sources, hdl_toplevel="top", timescale=("1ns", "1ns"))

    def run_bench(self, module: str, **job: Any) -> dict[str, np.ndarray]:
        """Runs the cocotb test of a module of bnnhw.sim.icarus.benches on a job, whose results it returns.

        Raises
        ------
        SimulationError
            With the first line in which a test says why it failed.
        """
        from cocotb_tools.check_results import get_results

        results = self.folder / "results.xml"
        results.unlink(missing_ok=True)
        job_file, result_file = self.folder / "job.npz", self.folder / "result.npz"
        np.savez(job_file, **job)
        log = self._call(
            self._runner.test,
            module,
            test_module=f"bnnhw.sim.icarus.benches.{module}",
            hdl_toplevel="top",
            test_dir=self.folder,
            results_xml=str(results),
            extra_env={"COCOTB_ANSI_OUTPUT": "0", "BNNHW_JOB": str(job_file), "BNNHW_RESULT": str(result_file)},
        )
        tests, failures = get_results(results)
        if failures or not tests:
            raise SimulationError(f"{module}: {_first_error(log)}")
        with np.load(result_file) as found:
            return dict(found)

    def _call(self, step: Callable[..., object], name: str, **options: Any) -> str:
        """What cocotb's runner logs in a step; an error where the step fails or ends the program."""
        log = self.folder / "log"
        try:
            step(build_dir=self.folder, log_file=log, **options)
        except (RuntimeError, SystemExit) as error:
            raise SimulationError(f"{name}: {_first_error(log.read_text(errors='replace'))}") from error
        return log.read_text(errors="replace")


def _first_error(log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    raised = [match.group() for line in lines if (match := re.search(r"\b\w*(Error|Exception): .*", line))]
    errors = [line for line in lines if "error" in line.lower()]
    return (raised or errors or lines[-1:] or ["no output"])[0]


class CocotbSimulator:
    """A `BatchSimulator` of one lane in Icarus Verilog, which also checks that a stalled beat of `o` stays."""

    def __init__(self, component: Elaboratable):
        self.build = VerilogBuild(convert_component(component))

    def run(
        self,
        frames: np.ndarray,
        *,
        output_beats: int,
        stall_probability: tuple[float, float] = (0.0, 0.0),
        seed: int = 0,
        patience: int = 10_000,
        drain: int = 64,
    ) -> BatchResult:
        """As `BatchSimulator.run`; stalls are drawn from another generator."""
        frames = check_frames(frames)
        count, beats, words = frames.shape
        started = time.perf_counter()
        found = self.build.run_bench(
            "streams",
            beats=frames.reshape(-1, words),
            outputs=count * output_beats,
            stalls=stall_probability,
            seed=seed,
            patience=patience,
            drain=drain,
        )
        seconds = time.perf_counter() - started
        outputs, accepted, produced = (found[name] for name in ("outputs", "accepted_cycles", "output_cycles"))
        cycles = int(found["cycles"])
        if len(accepted) < count * beats or len(produced) < count * output_beats:
            raise DeadlockError(
                f"no beat moved for {patience} cycles: {len(accepted)} of {count * beats} beats went in, "
                f"{len(produced)} of {count * output_beats} came out, in {cycles} cycles"
            )
        if len(produced) > count * output_beats:
            surplus = len(produced) - count * output_beats
            raise SimulationError(f"{surplus} beats left besides the {output_beats} of each frame")
        return BatchResult(
            outputs.reshape(count, output_beats, -1).astype(np.uint64),
            accepted.reshape(count, beats),
            produced.reshape(count, output_beats),
            1,
            cycles,
            seconds,
        )


class CocotbUart:
    """A component with a UART at its pins `rx` and `tx`, in Icarus Verilog."""

    def __init__(self, component: Elaboratable, *, cycles_per_bit: int):
        self.build = VerilogBuild(convert_component(component))
        self.cycles_per_bit = cycles_per_bit

    def exchange(self, writes: Sequence[bytes | int], *, silence: int = 200) -> bytes:
        """The bytes that answer `writes`, in which an int is a pause in bit times.

        Ends when nothing has come for `silence` bit times.
        """
        flat = [code for write in writes for code in ([-write] if isinstance(write, int) else write)]
        found = self.build.run_bench("uart", writes=flat, cycles_per_bit=self.cycles_per_bit, silence=silence)
        return found["received"].tobytes()
