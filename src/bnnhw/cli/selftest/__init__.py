"""bnnhw selftest."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bnnhw.cli.options.board import board_options, check_board_options

if TYPE_CHECKING:
    from bnnhw.sim.board.read_build import LinkKind


@click.command("selftest")
@click.argument("build", type=click.Path(path_type=Path))
@board_options
@click.option(
    "--soak", type=click.IntRange(min=1), default=1000, show_default=True, help="Images as fast as the link goes."
)
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="A file for the page, too.")
def command(
    build: Path,
    simulate: bool,
    link: "LinkKind",
    port: str | None,
    addresses: tuple[str, ...],
    timeout_s: float | None,
    soak: int,
    output: Path | None,
) -> None:
    """Test a board that holds a build, and print a page to paste into a report.

    Images of which the right answers are known go to the board one by one, with their cycles, and then in a stream.
    When an answer is wrong the exit code is 1.

    \b
    Example: bnnhw selftest --simulate build/lfc
             bnnhw selftest build/cnv --address 192.168.1.50:4096 -o page.md
    """
    from bnnhw.api.selftest.selftest import selftest
    from bnnhw.cli.run import image_bytes_of
    from bnnhw.cli.telling.speed import Stopwatch
    from bnnhw.files import staged_file

    check_board_options(simulate=simulate, link=link, port=port, addresses=addresses)
    if len(addresses) > 1:
        raise click.UsageError("a self-test is of one board; name one --address")
    watch = Stopwatch()
    result = selftest(
        build,
        simulate=simulate,
        link=link,
        port=port,
        address=next(iter(addresses), None),
        timeout_s=timeout_s,
        soak=soak,
        on_answer=watch.note,
    )
    page = f"{result.page()}\n{watch.line(image_bytes=image_bytes_of(build))}\n"
    click.echo(page, nl=False)
    if output is not None:
        with staged_file(output) as staged:
            staged.write_text(page)
    raise SystemExit(0 if result.passed else 1)
