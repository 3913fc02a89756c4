"""The command line: the only place that sees every room. One file a command; heavy imports live inside the commands."""

import sys
import warnings

import click

from bnnhw.version import __version__

from .errors import exit_code_of, interrupt_of, let_go_of_output, let_half_made_objects_go, message_of, sigterm_raises
from .telling.notes import show_notes


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    invoke_without_command=True,
    subcommand_metavar="COMMAND [ARGS]...",
)
@click.version_option(__version__, prog_name="bnnhw")
@click.pass_context
def cli(context: click.Context) -> None:
    """From a binary neural network trained in PyTorch to an FPGA accelerator, with open tools only.

    \b
    bnnhw train --dataset digits --network mlp -o model.pt
    bnnhw build --board ulx3s model.pt -o build/digits
    bnnhw verify model.pt --through rtl
    bnnhw run --simulate build/digits digit.png
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main(arguments: list[str] | None = None) -> None:
    """Runs one command. Bad input ends with one line on standard error and exit code 2, Ctrl-C
    with 130, SIGTERM with 143."""
    warnings.filterwarnings("ignore", "(?s).* created but never used")  # Amaranth's, about what an error cut short
    show_notes()
    try:
        from . import (
            accuracy,
            bench,
            boards,
            build,
            engine,
            enhance,
            evaluate,
            flash,
            imports,
            inspect,
            lowlight,
            methods,
            operator,
            prune,
            quantise,
            run,
            samples,
            selftest,
            serve,
            sim,
            train,
            verify,
        )

        networks, hardware = (
            (train, imports, prune, quantise, evaluate, inspect),
            (build, engine, verify, sim, run, selftest, serve, flash, boards),
        )
        for module in (*networks, *hardware, operator, methods, samples, bench, accuracy, lowlight, enhance):
            cli.add_command(module.command)
        with sigterm_raises():
            code = cli.main(args=arguments, prog_name="bnnhw", standalone_mode=False) or 0
    except BaseException as error:
        if exit_code_of(error) is None:
            raise
        click.echo(message_of(error), err=True)
        let_go_of_output()
        if interrupt_of(error):
            let_half_made_objects_go()
        code = exit_code_of(error)
    sys.exit(code)
