"""bnnhw lowlight: networks for photos in the dark."""

import click

from . import compare, cores, train


@click.group("lowlight")
def command() -> None:
    """Train networks with binary convolutions that brighten raw photos, for bnnhw enhance; compare them.

    \b
    Example: bnnhw lowlight train photos --epochs 200 -o lowlight.pt
    """


for module in (train, compare, cores):
    command.add_command(module.command)
