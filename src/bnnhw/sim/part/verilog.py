"""A core's Verilog, and models of the cells of a family that it has.

Tests: tests/sim/part/test_part.py
"""

import re
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from bnnhw.hw.axi_stream import AxiStreamCore
from bnnhw.hw.core import Core
from bnnhw.sim.netlist.families import model_library
from bnnhw.sim.netlist.netlist import convert_component, run_yosys

__all__ = ["cell_models", "core_verilog"]

_MODULE = re.compile(r"^module\s+(\w+).*?\bendmodule\b", re.MULTILINE | re.DOTALL)
_TIMING = re.compile(r"^\s*specify\b.*?\bendspecify\n", re.MULTILINE | re.DOTALL)


def core_verilog(core: Core, name: str) -> str:
    """The Verilog of `core` with AXI4-Streams, as the module `name` and modules that begin with `name` and a dot."""
    # Multiplexers for all processes: of some that yosys writes as `always @*` the results stay X in Icarus Verilog.
    commands = ["read_rtlil design", "proc", "memory_collect", "write_verilog -noattr design.v"]
    with TemporaryDirectory(prefix="bnnhw-") as folder:
        files = {"design": convert_component(AxiStreamCore(core), name=name)}
        run_yosys(commands, folder=Path(folder), files=files)
        return (Path(folder) / "design.v").read_text()


def cell_models(verilog: str) -> str:
    """Verilog models, without timing, of the families' cells that a design's Verilog has; empty where it has none."""
    models, used = _models(), set[str]()
    left = [verilog]
    while left:
        found = models.keys() & set(re.findall(r"\w+", left.pop())) - used
        used |= found
        left += [models[name] for name in found]
    return "".join(f"{models[name]}\n\n" for name in sorted(used))


@cache
def _models() -> dict[str, str]:
    """Each cell that has a model: its module."""
    return {match[1]: _TIMING.sub("", match[0]) for match in _MODULE.finditer(model_library())}
