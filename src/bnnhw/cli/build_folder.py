"""All that a build's folder holds, from the parts that the rooms make."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from bnnhw.boards.board import Board
from bnnhw.boards.build import BuildFigures, build
from bnnhw.boards.manifest import MANIFEST, describe_build, network_id
from bnnhw.compiler.ir import Graph, evaluate, random_feeds
from bnnhw.compiler.report import BuildReport, Clock, Link, Provenance, Resources, Stage, write
from bnnhw.compiler.report.from_schedule import from_schedule
from bnnhw.compiler.schedule import Schedule
from bnnhw.hw.protocol import Frame, Kind, encode

if TYPE_CHECKING:
    from bnnhw.boards.routing import RoutedReport
    from bnnhw.boards.synthesis import SynthesisReport

GOLDEN_SAMPLES = 16
BITS_PER_BYTE = 10  # a start bit, eight data bits, a stop bit
STAGES = ("rtl", "synthesis", "place and route", "bitstream")


@dataclass(frozen=True, kw_only=True)
class BuildOptions:
    """What the user asked for; see `bnnhw build --help`."""

    clock_hz: float
    baud: int
    seed: int
    retries: int
    stop_after: Literal["rtl", "synth", "route"] | None
    timeout_s: float | None


def fill_folder(
    folder: Path,
    model: Path,
    graph: Graph,
    schedule: Schedule,
    board: Board,
    options: BuildOptions,
    *,
    progress: Callable[[str, str], None],
) -> BuildReport:
    """Builds `schedule` of the trained `graph` of `model` for `board` into `folder`; the report that went there too."""
    model_sha256 = hashlib.sha256(model.read_bytes()).hexdigest()
    figures = build(
        schedule,
        board,
        folder,
        clock_hz=options.clock_hz,
        baud=options.baud,
        network_id=network_id(schedule, model_sha256),
        seed=options.seed,
        retries=options.retries,
        stop_after=options.stop_after,
        timeout_s=options.timeout_s,
        progress=progress,
    )
    seed = figures.routing.seed if figures.routing else options.seed
    manifest = describe_build(
        schedule,
        classes=tuple(graph.meta["classes"]),
        baud=options.baud,
        clock_hz=figures.clock_hz,
        model_sha256=model_sha256,
        board=board.name,
        seed=seed,
        versions=figures.versions,
    )
    (folder / MANIFEST).write_text(manifest.to_json())
    (folder / "folding.json").write_text(schedule.plan.to_json())
    write_golden(folder / "golden.npz", schedule)
    report = make_report(folder, graph, schedule, board, options, figures, model_sha256=model_sha256, seed=seed)
    write(report, folder)
    return report


def write_golden(path: Path, schedule: Schedule) -> None:
    """Seeded random images with the answers that the integer graph gives: a self-test for any board."""
    (value,) = schedule.host_graph.inputs
    images = random_feeds(schedule.host_graph, samples=GOLDEN_SAMPLES, seed=0)[value.name]
    (between,) = evaluate(schedule.host_graph, {value.name: images}).values()
    (answers,) = evaluate(schedule.core_graph, {schedule.core_graph.inputs[0].name: between}).values()
    np.savez(path, images=images, answers=answers)


def make_report(
    folder: Path,
    graph: Graph,
    schedule: Schedule,
    board: Board,
    options: BuildOptions,
    figures: BuildFigures,
    *,
    model_sha256: str,
    seed: int,
) -> BuildReport:
    """The report of what `build` made in `folder`."""
    routing = figures.routing
    artifacts = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (folder / "top.v", folder / "top.json", folder / "top.bit")
        if path.exists()
    }
    return from_schedule(
        schedule,
        graph.meta,
        provenance=Provenance(
            bnnhw=figures.versions["bnnhw"],
            model_sha256=model_sha256,
            board=board.name,
            seed=seed,
            versions=figures.versions,
            artifacts=artifacts,
        ),
        clock=Clock(
            asked_hz=options.clock_hz, actual_hz=figures.clock_hz, fmax_hz=routing.fmax_hz if routing else None
        ),
        link=link_of(schedule, options.baud),
        synthesised=synthesised_cells(figures.synthesis),
        routed=routed_cells(routing),
        stages=tuple(Stage(name=name, seconds=figures.seconds.get(name)) for name in STAGES),
    )


def link_of(schedule: Schedule, baud: int) -> Link:
    """The UART, and the frames a second that it carries with requests close behind each other, none of them escaped."""
    image = bytes(-(-schedule.input_beats * schedule.input_lanes * schedule.input_width // 8))
    bits = BITS_PER_BYTE * len(encode(Frame(Kind.INFER, 0, image)))
    return Link(name=f"UART, {baud / 1e6:g} Mbaud", frames_per_second=baud / bits)


def synthesised_cells(report: "SynthesisReport | None") -> Resources | None:
    if report is None:
        return None
    return Resources(comb=report.lut4, lut4=report.luts, ccu2c=report.ccu2c, ff=report.ff, ebr=report.ebr)


def routed_cells(report: "RoutedReport | None") -> Resources | None:
    if report is None:
        return None
    return Resources(comb=report.trellis_comb, lut4=report.luts, ccu2c=report.ccu2c, ff=report.ff, ebr=report.ebr)
