"""report.html of an engine's program: one file, without scripts, fonts or anything else from outside."""

from markupsafe import Markup

from bnnhw.pages import formats
from bnnhw.pages.environment import page_environment

from .data import ProgramReport
from .plots import plot_cycles, plot_rates, plot_roofline

__all__ = ["headline", "render"]


def headline(report: ProgramReport) -> str:
    """`cnv on the engine of ulx3s-85f: 804 frames/s at 90 MHz (51 with its link), 70 % of the array at work`."""
    clock = formats.si(report.clock_hz, "Hz", 4)
    return (
        f"{report.model} on the engine of {report.board}: {formats.si(report.frames_per_second)} frames/s at {clock} "
        f"({formats.si(report.frames_per_second_with_link)} with its link), {formats.percent(report.used, 0)} of the "
        "array at work"
    )


def render(report: ProgramReport) -> str:
    """The page. The same report gives the same bytes."""
    moves = report.moved.bytes > 0
    return (
        page_environment("bnnhw.compiler.report.program")
        .get_template("page.html.j2")
        .render(
            report=report,
            shape=report.shape,
            array=report.shape.array,
            headline=headline(report),
            moves=moves,
            cycles_plot=Markup(plot_cycles(report)),
            roofline=Markup(plot_roofline(report) if moves else plot_rates(report)),
        )
    )
