"""Options that the commands of bnnhw lowlight share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from bnnhw.cli.options.common import FiniteRange, gather

if TYPE_CHECKING:
    from bnnhw.lowlight.patches import PatchOptions
    from bnnhw.lowlight.training import Recipe

NETWORKS = click.Choice(["abclsid", "bbcu-unet", "xnor-unet"])
MOSAICS = click.Choice(["bayer", "xtrans"])
LEVELS = click.IntRange(2, 5)
TRANSPOSED = click.Choice(["binary", "real"])


def check_networks(context: click.Context, networks: Sequence[str], *of_abclsid: str) -> None:
    """Raises a UsageError where one of these options, or --levels, was given and none of the networks has it."""
    if "abclsid" not in networks:
        refuse(context, networks, *of_abclsid, of="abclsid")
    if set(networks) == {"bbcu-unet"}:
        refuse(context, networks, "--levels", of="abclsid and xnor-unet")


def refuse(context: click.Context, networks: Sequence[str], *options: str, of: str) -> None:
    """Raises a UsageError where one of these options of other networks was given."""
    for option in options:
        name = option.lstrip("-").replace("-", "_")
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            given = " and ".join(dict.fromkeys(networks))
            raise click.UsageError(f"{option} is for --network {of}, not for {given}; leave it out", context)


@dataclass(frozen=True, kw_only=True)
class LearningOptions:
    """How networks learn, whatever their shape; see `bnnhw lowlight train --help`."""

    epochs: int
    batch_size: int
    crop: int
    learning_rate: float
    last_learning_rate: float
    ratio: tuple[float, ...]
    gain: float
    read_noise: float
    row_noise: float
    patch: int
    overlap: int
    cache: Path | None
    device: str
    threads: int | None

    def recipe(self) -> "Recipe":
        """The same as the training takes it. ValueError names an option that cannot be."""
        from bnnhw.lowlight.noise import Sensor
        from bnnhw.lowlight.training import Recipe

        return Recipe(
            epochs=self.epochs,
            batch_size=self.batch_size,
            crop=self.crop,
            learning_rate=self.learning_rate,
            last_learning_rate=self.last_learning_rate,
            ratios=self.ratio,
            sensor=Sensor(gain=self.gain, read_noise=self.read_noise, row_noise=self.row_noise),
        )

    def patches(self) -> "PatchOptions":
        """How photos are cut. ValueError names an option that cannot be."""
        from bnnhw.lowlight.patches import PatchOptions

        return PatchOptions(size=self.patch, overlap=self.overlap)


def learning_options(
    *, epochs: int, batch_size: int, crop: int, learning_rate: float, patch: int
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Gives a command the options of LearningOptions with these defaults, and the object as its argument `learning`."""
    positive, whole = FiniteRange(min=0, min_open=True), click.IntRange(min=1)
    options = (
        click.option("--epochs", type=whole, default=epochs, help="Passes over the patches."),
        click.option("--batch-size", type=whole, default=batch_size),
        click.option("--crop", type=whole, default=crop, help="Side of a random crop, in 2x2 blocks of the sensor."),
        click.option("--learning-rate", type=positive, default=learning_rate, help="In the first half."),
        click.option("--last-learning-rate", type=positive, default=learning_rate / 10, help="In the second half."),
        click.option(
            "--ratio", type=FiniteRange(1, 300), multiple=True, default=(100.0, 250.0, 300.0),
            help="How much shorter made-up exposures are; may be repeated.",
        ),
        click.option("--gain", type=positive, default=2.0, help="Of the made-up sensor, in numbers an electron."),
        click.option("--read-noise", type=FiniteRange(min=0), default=2.0, help="In electrons."),
        click.option("--row-noise", type=FiniteRange(min=0), default=0.3, help="In electrons."),
        click.option("--patch", type=whole, default=patch, help="Side of a patch that is kept, in 2x2 blocks."),
        click.option("--overlap", type=click.IntRange(min=0), default=32, help="Of patches, in 2x2 blocks."),
        click.option(
            "--cache", type=click.Path(path_type=Path, file_okay=False),
            help="Where patches are kept; default: the user's cache.",
        ),
        click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu"),
        click.option("--threads", type=whole, help="CPU threads; the weights depend on their number, too."),
    )  # fmt: skip

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        return gather(command, options, into=LearningOptions, argument="learning")

    return decorate
