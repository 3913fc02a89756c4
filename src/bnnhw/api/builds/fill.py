"""All that a build's folder holds, from the parts that the rooms make.

Tests: tests/api/test_examples.py
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

from bnnhw.boards.board import get_board
from bnnhw.boards.build import BuildFigures, BuildOptions, build
from bnnhw.boards.link_choice import LinkChoice
from bnnhw.boards.manifest import MANIFEST, Manifest, describe_build, network_id
from bnnhw.compiler.dataflow.schedule import Schedule
from bnnhw.compiler.ir.graph import Graph
from bnnhw.compiler.report import BuildPhase, BuildReport, Clock, Link, Provenance, write
from bnnhw.compiler.report.from_schedule import from_schedule
from bnnhw.compiler.search.candidates import find_candidates

from .golden import golden_frames, save_golden
from .link_rate import link_frames_per_second
from .plan import PlanOptions

GOLDEN_SAMPLES, GOLDEN_ELEMENTS = 16, 2**19
"""Golden images, and elements of theirs: fewer images where they are large, one at least."""
STAGES = ("rtl", "synthesis", "place and route", "bitstream")


def fill_folder(
    folder: Path,
    model: Path,
    graph: Graph,
    integers: Graph,
    plan: PlanOptions,
    options: BuildOptions,
    *,
    progress: Callable[[str, str], None],
) -> BuildReport:
    """Builds `model`, whose trained and integer graphs are given, into `folder`; the report that is there."""
    schedule, board = plan.schedule(integers), plan.target
    model_sha256 = hashlib.sha256(model.read_bytes()).hexdigest()
    figures = build(
        schedule,
        board,
        folder,
        options,
        clock_hz=schedule.clock_hz,
        link=plan.link_choice,
        network_id=network_id(schedule, model_sha256),
        progress=progress,
    )
    manifest = describe_build(
        schedule,
        classes=tuple(graph.meta["classes"]),
        link=plan.link_choice,
        clock_hz=figures.clock_hz,
        model_sha256=model_sha256,
        board=board.name,
        seed=figures.routing.seed if figures.routing else options.seed,
        versions=figures.versions,
    )
    (folder / MANIFEST).write_text(manifest.to_json())
    (folder / "folding.json").write_text(schedule.plan.to_json())
    images, answers = golden_frames(schedule, samples=golden_samples(integers))
    save_golden(folder / "golden.npz", images, answers)
    report = make_report(folder, manifest, graph, integers, schedule, figures)
    write(report, folder)
    return report


def golden_samples(graph: Graph) -> int:
    """How many golden images a design gets."""
    return min(GOLDEN_SAMPLES, max(1, GOLDEN_ELEMENTS // graph.inputs[0].type.size))


def make_report(
    folder: Path, manifest: Manifest, graph: Graph, integers: Graph, schedule: Schedule, figures: BuildFigures
) -> BuildReport:
    """The report of what `build` made in `folder`."""
    routing, board = figures.routing, get_board(manifest.board)
    artifacts = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (folder / "top.v", folder / "top.json", folder / schedule.device.target.tools.bitstream)
        if path.exists()
    }

    def link_of(choice: LinkChoice) -> Link:
        choice = choice.on(board)
        rate = link_frames_per_second(integers, choice, schedule, clock_hz=manifest.clock_hz)
        return Link(name=choice.name, frames_per_second=rate)

    return from_schedule(
        schedule,
        graph.meta,
        provenance=Provenance(
            bnnhw=manifest.versions["bnnhw"],
            model_sha256=manifest.model_sha256,
            board=manifest.board,
            seed=manifest.seed,
            versions=manifest.versions,
            artifacts=artifacts,
        ),
        clock=Clock(
            asked_hz=schedule.clock_hz, actual_hz=figures.clock_hz, fmax_hz=routing.fmax_hz if routing else None
        ),
        link=link_of(manifest.link_choice),
        other_links=tuple(link_of(LinkChoice.of(each)) for each in board.links if each != manifest.link_choice.medium),
        synthesised=figures.synthesis.cells if figures.synthesis else None,
        routed=routing.cells if routing else None,
        stages=tuple(BuildPhase(name=name, seconds=figures.seconds.get(name)) for name in STAGES),
        candidates=find_candidates(schedule),
    )
