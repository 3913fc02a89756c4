"""report.html: one file, without scripts, fonts or anything else from outside."""

from dataclasses import dataclass

from markupsafe import Markup

from bnnhw.pages import formats
from bnnhw.pages.environment import page_environment

from .data import BuildReport, deviation, share
from .drawing import BAR, draw
from .names import cell_names
from .plots import CellKind, plot_candidates, plot_cells, plot_cycles

CAPACITIES = {"logic": "luts", "luts": None, "carries": None, "ffs": "ffs", "ebr": "ebr"}
"""Field of Cells -> field of Chip."""


@dataclass(frozen=True, kw_only=True)
class ResourceRow:
    """A kind of cell: how many at each rung, the estimate's deviation from both measurements, and the device's."""

    name: str
    estimated: int | None
    synthesised: int | None
    routed: int | None
    off_synthesised: float | None
    off_routed: float | None
    available: int | None
    share: float | None


def headline(report: BuildReport) -> str:
    """`lfc on ulx3s-85f: 293k frames/s at 150 MHz (2.88k over its link), 14 % of the LUTs, 98.9 % test accuracy`."""
    performance, best = report.performance, report.resources.best
    clock = formats.si(performance.clock.actual_hz, "Hz", 4)
    parts = [f"{formats.si(performance.core_frames_per_second)} frames/s at {clock}"]
    if performance.bound_by == "link":
        parts[0] += f" ({formats.si(performance.frames_per_second)} over its link)"
    if best is not None:
        rung = "" if best is report.resources.routed else f" ({report.resources.best_rung})"
        parts.append(f"{formats.percent(share(best.logic, report.device.luts), 0)} of the LUTs{rung}")
    if (accuracy := report.metrics.get("test_accuracy")) is not None:
        parts.append(f"{formats.percent(accuracy)} test accuracy")
    return f"{report.model} on {report.provenance.board}: {', '.join(parts)}"


def resource_rows(report: BuildReport) -> list[ResourceRow]:
    """The rows of the table that sets estimated, synthesised and routed cells side by side."""
    rungs = (report.resources.estimated, report.resources.synthesised, report.resources.routed)
    names = {**vars(cell_names(report)), "ffs": "flip-flops", "ebr": "block RAM (EBR)"}
    rows = []
    for key, capacity in CAPACITIES.items():
        estimated, synthesised, routed = (getattr(rung, key) if rung else None for rung in rungs)
        best = getattr(report.resources.best, key, None)
        available = getattr(report.device, capacity) if capacity else None
        rows.append(
            ResourceRow(
                name=names[key],
                estimated=estimated,
                synthesised=synthesised,
                routed=routed,
                off_synthesised=deviation(estimated, synthesised),
                off_routed=deviation(estimated, routed),
                available=available,
                share=None if available is None or best is None else share(best, available),
            )
        )
    return rows


def render(report: BuildReport) -> str:
    """The page. The same report gives the same bytes."""
    environment = page_environment("bnnhw.compiler.report")
    return environment.get_template("page.html.j2").render(
        report=report,
        network=report.network,
        performance=report.performance,
        clock=report.performance.clock,
        best=report.resources.best,
        names=cell_names(report),
        headline=headline(report),
        resource_rows=resource_rows(report),
        shares=[row for row in resource_rows(report) if row.share is not None],
        cycles_plot=Markup(plot_cycles(report)) if report.units else None,
        drawing=draw(report) if report.streams else None,
        bar_length=BAR,
        cell_plots=_cell_plots(report),
        candidates_plot=Markup(plot_candidates(report)) if len(report.candidates) > 1 else None,
    )


def _cell_plots(report: BuildReport) -> dict[str, Markup]:
    """Title to plot, for the kinds of cells that the units use at all."""
    titles: dict[CellKind, str] = {"logic": "Where the LUTs go", "ebr": "Where the block RAM goes"}
    used = [unit.estimated for unit in report.units if unit.estimated is not None]
    return {
        title: Markup(plot_cells(report, kind)) for kind, title in titles.items() if any(getattr(u, kind) for u in used)
    }
