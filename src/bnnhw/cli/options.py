"""Options that several commands share."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

if TYPE_CHECKING:
    from bnnhw.boards.board import Board
    from bnnhw.compiler.dataflow.schedule import Schedule
    from bnnhw.compiler.ir.graph import Graph

MODEL = click.Path(path_type=Path, dir_okay=False)
"""A model file; whether it exists and is sound is the reader's to say."""

LINK_MARGIN = 10
"""Where no speed is asked for, a design is made this many times faster than its UART."""

data_dir_option = click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder with the data set's official files; default $BNNHW_DATA_DIR, else downloaded.",
)


def gather(
    command: Callable[..., Any], options: Sequence[Callable[..., Any]], *, into: type[Any], argument: str
) -> Callable[..., Any]:
    """`command` with click's `options`, which it gets as one `argument`: the dataclass `into`, a field for each."""

    @wraps(command)
    def gathered(**arguments: Any) -> Any:
        given = into(**{field.name: arguments.pop(field.name) for field in fields(into)})
        return command(**{argument: given}, **arguments)

    for option in reversed(options):
        gathered = option(gathered)
    return gathered


class FiniteRange(click.FloatRange):
    """A range of floats that leaves out infinity, and NaN, which no bound keeps out."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


@dataclass(frozen=True, kw_only=True)
class PlanOptions:
    """Which board, and how much of the network works in parallel; see `bnnhw build --help`.

    Raises ValueError where there is no such board.
    """

    board: str
    target_fps: float | None
    fill: float | None
    folding: Path | None
    vectors: int | None
    clock_mhz: float | None
    outputs: Literal["label", "scores"]
    baud: int

    def __post_init__(self):
        from bnnhw.boards.board import get_board

        get_board(self.board)

    @property
    def target(self) -> "Board":
        """The board of that name."""
        from bnnhw.boards.board import get_board

        return get_board(self.board)

    def schedule(self, integers: "Graph") -> "Schedule":
        """The schedule of an integer graph that these options ask for.

        Without a speed, a share or a file: LINK_MARGIN times what the UART carries, or what fits if that is less.
        """
        from bnnhw.compiler.errors import DeviceError, ScheduleError
        from bnnhw.compiler.search.scheduling import DEFAULT_CLOCK_HZ, schedule

        device, vectors = self.target.device, self.vectors
        clock_hz = None if self.clock_mhz is None else self.clock_mhz * 1e6
        if self.target_fps is None and self.fill is None and self.folding is None:
            from .link_rate import link_frames_per_second

            target_fps = LINK_MARGIN * link_frames_per_second(integers, self.baud)
            clock_hz = clock_hz or DEFAULT_CLOCK_HZ
            try:
                return schedule(integers, device, target_fps=target_fps, vectors=vectors, clock_hz=clock_hz)
            except DeviceError:
                raise
            except ScheduleError:
                return schedule(integers, device, fill=1.0, vectors=vectors, clock_hz=clock_hz)
        return schedule(
            integers,
            device,
            target_fps=self.target_fps,
            fill=self.fill,
            folding_file=self.folding,
            vectors=vectors,
            clock_hz=clock_hz,
        )


def plan_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the options of PlanOptions, and the object as its argument `plan`."""
    positive, share, mhz = FiniteRange(min=0, min_open=True), FiniteRange(0, 1, min_open=True), FiniteRange(min=1)
    path = click.Path(path_type=Path)
    options = (
        click.option("--board", default="ulx3s-85f", show_default=True, help="See bnnhw boards."),
        click.option("--target-fps", type=positive, help="The smallest design of at least so many frames a second."),
        click.option("--fill", type=share, help="The fastest design in this share of the FPGA."),
        click.option("--folding", type=path, help="A folding.json, such as a build wrote."),
        click.option(
            "--vectors",
            type=click.IntRange(1, 16),
            help="Frames that share a weight fetch; the best number if not given.",
        ),
        click.option(
            "--clock-mhz",
            type=mhz,
            help="The core's clock. If not given 100; with --target-fps up to 110, whatever makes the design smallest.",
        ),
        click.option("--outputs", type=click.Choice(["label", "scores"]), default="label", show_default=True),
        click.option("--baud", type=click.IntRange(min=1200), default=3_000_000, show_default=True),
    )

    return gather(command, options, into=PlanOptions, argument="plan")
