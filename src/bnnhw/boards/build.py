"""From a schedule, or any component with a link, to a bitstream."""

import importlib.metadata
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from bnnhw.boards.toolchain.process import run_tool
from bnnhw.boards.toolchain.routing import RoutedReport, place_and_route
from bnnhw.boards.toolchain.synthesis import SynthesisReport, run_yosys, synthesise
from bnnhw.boards.toolchain.tools import YOSYS, find_tool
from bnnhw.compiler.dataflow.schedule import Schedule
from bnnhw.hw.targets import ClockSettings, ToolChain
from bnnhw.hw.top import LinkPort, Top

from .board import Board
from .design import LinkedComponent, emit_design
from .link_choice import LinkChoice

__all__ = ["BuildFigures", "BuildOptions", "Progress", "StopAfter", "build", "build_component", "make_top"]

StopAfter = Literal["rtl", "synth", "route"]
Progress = Callable[[str, str], None]
"""Called with a stage's name ("rtl", "synthesis", "place and route", "bitstream") and what it is doing."""


@dataclass(frozen=True, kw_only=True)
class BuildOptions:
    """How far a build goes, and how hard it tries.

    Attributes
    ----------
    seed, retries : int
        The placer's first seed, and how many further ones may be tried where the clock is missed.
    stop_after : "rtl", "synth" or "route", optional
    timeout_s : float, optional
        Seconds that a tool may take.
    """

    seed: int = 1
    retries: int = 0
    stop_after: StopAfter | None = None
    timeout_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class BuildFigures:
    """What a build found out.

    Attributes
    ----------
    clock_hz : float
        The core's clock exactly as the PLL makes it.
    synthesis, routing : SynthesisReport, RoutedReport or None
        The design's resources after each; None where the build stopped before.
    attempts : tuple of RoutedReport
        One for each seed that was tried; `routing` is the fastest.
    seconds : dict
        Stage to seconds.
    versions : dict
        Program to the version that made the files.
    """

    clock_hz: float
    synthesis: SynthesisReport | None = None
    routing: RoutedReport | None = None
    attempts: tuple[RoutedReport, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def is_timing_met(self) -> bool | None:
        """Whether the routed design stands its clock; None before routing."""
        return None if self.routing is None else self.routing.fmax_hz >= self.clock_hz


def make_top(schedule: Schedule, *, clock_hz: int, port: LinkPort, network_id: bytes) -> Top:
    """The schedule's core behind the link, in a clock of exactly `clock_hz`."""
    return Top(
        core=schedule.core(),
        port=port,
        clock_hz=clock_hz,
        network_id=network_id,
        input_elements=schedule.input_beats * schedule.input_lanes,
        output_elements=schedule.output_elements,
        target=schedule.device.target,
    )


def build(
    schedule: Schedule,
    board: Board,
    folder: Path,
    options: BuildOptions = BuildOptions(),
    *,
    clock_hz: float,
    link: LinkChoice,
    network_id: bytes,
    progress: Progress | None = None,
) -> BuildFigures:
    """Writes top.il, the file of pins, top.v, top.json, top.config, top.report.json, the bitstream and logs/.

    The core runs at the highest frequency up to `clock_hz` that the board's PLL makes. Where the routed design is
    slower than its clock, up to `options.retries` further seeds are tried, and the fastest result is kept: whether it
    is fast enough is the caller's to judge. The same schedule, board, versions and seed give the same bytes.

    Raises
    ------
    ToolError
        When a tool is missing, fails, or runs for longer than `options.timeout_s`.
    ValueError
        When the PLL or the UART cannot make its rate, the board has no such link, or the design is larger than the
        device.
    """
    link.check(board)
    pll = board.target.clock_settings(input_hz=board.clock_hz, output_hz=round(clock_hz))
    port = link.port(board, clock_hz=pll.output_hz)
    top = make_top(schedule, clock_hz=pll.output_hz, port=port, network_id=network_id)
    return build_component(top, board, folder, options, pll=pll, progress=progress)


def build_component(
    component: LinkedComponent,
    board: Board,
    folder: Path,
    options: BuildOptions = BuildOptions(),
    *,
    pll: ClockSettings,
    progress: Progress | None = None,
) -> BuildFigures:
    """`build` for any component with a link, which runs at exactly `pll.output_hz`."""
    say = progress or (lambda stage, note: None)
    tools, timeout_s = board.target.tools, options.timeout_s
    say("rtl", "elaborating")
    started = time.monotonic()
    files = emit_design(component, board, pll=pll)
    figures = BuildFigures(clock_hz=pll.output_hz, versions=_versions(tools, options.stop_after))
    seconds = figures.seconds
    (folder / "top.il").write_text(files.rtlil)
    (folder / f"top.{tools.pins_suffix}").write_text(files.pins)
    say("rtl", "writing Verilog")
    _write_verilog(folder, timeout_s=timeout_s)
    seconds["rtl"] = time.monotonic() - started
    if options.stop_after == "rtl":
        return figures

    synthesis = synthesise(folder, tools, timeout_s=timeout_s, on_pass=lambda name: say("synthesis", name))
    seconds["synthesis"] = synthesis.seconds
    _check_fits(synthesis, board)
    figures = replace(figures, synthesis=synthesis)
    if options.stop_after == "synth":
        return figures

    attempts = _route(folder, board, options, luts=synthesis.cells.logic, wanted_hz=pll.output_hz, say=say)
    best = max(attempts, key=lambda report: report.fmax_hz)
    _keep_attempt(folder, best, attempts)
    seconds["place and route"] = sum(report.seconds for report in attempts)
    figures = replace(figures, routing=best, attempts=tuple(attempts))
    if options.stop_after == "route":
        return figures

    say("bitstream", "packing")
    seconds["bitstream"] = _pack(folder, tools, timeout_s=timeout_s)
    return figures


def _write_verilog(folder: Path, *, timeout_s: float | None) -> None:
    """top.v from top.il, before any optimisation."""
    run_yosys(
        ["read_rtlil top.il", "proc -nomux -norom", "memory_collect", "write_verilog -noattr top.v"],
        cwd=folder,
        log=folder / "logs" / "verilog.log",
        timeout_s=timeout_s,
    )


def _check_fits(synthesis: SynthesisReport, board: Board) -> None:
    """Raises ValueError where the device has too little of something: nextpnr would look for a place for minutes."""
    device, cells = board.device, synthesis.cells
    wants = {
        device.target.cell_names.luts: (cells.logic, device.luts),
        "flip-flops": (cells.ffs, device.ffs),
        "block RAMs": (cells.ebr, device.ebr),
        "multipliers": (cells.multipliers, device.multipliers),
    }
    for what, (needed, available) in wants.items():
        if needed > available:
            raise ValueError(
                f"the design needs {needed:,} {what}, {needed / available - 1:.0%} more than the {available:,} of the "
                f"{device.name} of {board.name}; take a smaller folding, or a larger board"
            )


def _route(
    folder: Path, board: Board, options: BuildOptions, *, luts: int, wanted_hz: float, say: Progress
) -> list[RoutedReport]:
    """One report for each seed that was tried: the last one, if any, reaches `wanted_hz`."""
    attempts: list[RoutedReport] = []
    for seed in range(options.seed, options.seed + options.retries + 1):
        attempts.append(
            place_and_route(
                folder,
                device=board.device,
                package=board.package,
                speed=board.speed,
                seed=seed,
                luts=luts,
                wanted_hz=wanted_hz,
                output=f"top.seed{seed}",
                timeout_s=options.timeout_s,
                on_phase=lambda phase, seed=seed: say("place and route", f"seed {seed}: {phase}"),
            )
        )
        if attempts[-1].fmax_hz >= wanted_hz:
            break
    return attempts


def _keep_attempt(folder: Path, best: RoutedReport, attempts: list[RoutedReport]) -> None:
    """Gives the best attempt's files the names without a seed, and removes the others'."""
    for report in attempts:
        for suffix in ("config", "report.json"):
            path = folder / f"top.seed{report.seed}.{suffix}"
            if report is best:
                path.replace(folder / f"top.{suffix}")
            else:
                path.unlink()


def _pack(folder: Path, tools: ToolChain, *, timeout_s: float | None) -> float:
    """The bitstream from top.config; the seconds that it took."""
    tool = find_tool(tools.pack)
    options = (option.format(config="top.config", bitstream=tools.bitstream) for option in tools.pack_options)
    return run_tool(
        [*tool.command, *options],
        name=tool.name,
        cwd=folder,
        log=folder / "logs" / f"{tool.name}.log",
        timeout_s=timeout_s,
    )


def _versions(tools: ToolChain, stop_after: StopAfter | None) -> dict[str, str]:
    """What decides the bits beside model, board and seed. Raises ToolError where a tool that is needed is missing."""
    packages = ("bnnhw", "amaranth", "amaranth-boards")
    needed = {"rtl": 1, "synth": 1, "route": 2, None: 3}[stop_after]
    found = [find_tool(program) for program in (YOSYS, tools.place_and_route, tools.pack)[:needed]]
    versions = {package: importlib.metadata.version(package) for package in packages}
    return versions | {tool.name: tool.version for tool in found}
