"""The options of a design: board, speed, clock, link."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from bnnhw.api.builds.plan import DEFAULT_BOARD, PlanOptions

from .common import FiniteRange, gather
from .link import LINK_OPTIONS


def plan_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the options of PlanOptions, and the object as its argument `plan`."""
    positive, share, mhz = FiniteRange(min=0, min_open=True), FiniteRange(0, 1, min_open=True), FiniteRange(min=1)
    path = click.Path(path_type=Path)
    options = (
        click.option("--board", help=f"See bnnhw boards; if not given {DEFAULT_BOARD}."),
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
        *LINK_OPTIONS,
        click.option(
            "--tile",
            type=click.IntRange(min=1),
            help="Of a low-light network: what an image adds to the picture, in 2x2 blocks a side; default 64.",
        ),
    )

    return gather(command, options, into=PlanOptions, argument="plan")
