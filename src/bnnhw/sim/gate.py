"""The netlist after synthesis, and after placement, in the batch simulator."""

from pathlib import Path
from tempfile import TemporaryDirectory

from amaranth.hdl import Elaboratable

from .batch import BatchSimulator
from .netlist import convert_component, run_yosys

__all__ = ["GateSimulator", "synthesize"]


def synthesize(component: Elaboratable) -> str:
    """A component as a netlist of ECP5 cells, in yosys' JSON: LUT4, CCU2C, TRELLIS_FF, TRELLIS_DPR16X4, DP16KD."""
    with TemporaryDirectory(prefix="bnnhw-") as name:
        folder = Path(name)
        commands = ["read_rtlil top.il", "synth_lattice -family ecp5 -nowidelut -top top", "write_json -selected top.json"]
        run_yosys(commands, folder=folder, files={"top.il": convert_component(component)})
        return (folder / "top.json").read_text()


class GateSimulator(BatchSimulator):
    """A `BatchSimulator` of the netlist that synthesis makes of a component."""

    def __init__(self, component: Elaboratable):
        self.netlist = synthesize(component)
        self._load(self.netlist, "read_json")
