"""All that the folder of a core alone holds.

Tests: tests/api/test_build_core.py
"""

import hashlib
from dataclasses import replace
from importlib import metadata
from pathlib import Path

from bnnhw.compiler.dataflow.schedule import Schedule
from bnnhw.compiler.ir.graph import Graph
from bnnhw.compiler.report import BuildReport, Provenance, write
from bnnhw.compiler.report.data import DesignResources
from bnnhw.compiler.report.from_schedule import cells_of, from_schedule
from bnnhw.compiler.units.stage import core_resources
from bnnhw.hw.targets import Target
from bnnhw.sim.netlist.netlist import yosys_version
from bnnhw.sim.part.part import Part
from bnnhw.sim.part.write import write_part

from .golden import golden_frames, save_golden

GOLDEN_CYCLES, LEAST_GROUPS, MOST_GROUPS = 20_000, 2, 8
"""Golden groups of frames: as many as pass in so many cycles, within these bounds: benches shall take minutes."""


def fill_part(
    folder: Path, graph: Graph, schedule: Schedule, *, name: str, target: Target, board: str, model: Path
) -> BuildReport:
    """Writes the core of `schedule`, which `graph` of the file `model` became, as the module `name` with primitives of
    `target`; the report that is there."""
    groups = min(MOST_GROUPS, max(LEAST_GROUPS, GOLDEN_CYCLES // schedule.timing.initiation_interval))
    images, answers = golden_frames(schedule, samples=groups * schedule.vectors)
    part = Part(
        name=name,
        network=str(graph.meta.get("network") or model.stem),
        classes=tuple(graph.meta["classes"]),
        schedule=schedule,
        target=target,
        images=images,
        answers=answers,
    )
    write_part(part, folder)
    save_golden(folder / "golden.npz", images, answers)
    (folder / "folding.json").write_text(schedule.plan.to_json())
    verilog = folder / f"{name}.v"
    report = from_schedule(
        schedule,
        graph.meta,
        provenance=Provenance(
            bnnhw=metadata.version("bnnhw"),
            model_sha256=hashlib.sha256(model.read_bytes()).hexdigest(),
            board=board,
            seed=0,
            versions={"amaranth": metadata.version("amaranth"), "yosys": yosys_version()},
            artifacts={verilog.name: hashlib.sha256(verilog.read_bytes()).hexdigest()},
        ),
    )
    report = replace(report, resources=DesignResources(estimated=cells_of(core_resources(schedule.stages))))
    write(report, folder)
    return report
