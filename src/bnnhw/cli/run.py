"""bnnhw run."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options.board import board_options, check_board_options

if TYPE_CHECKING:
    from bnnhw.boards.host.accelerator import Prediction
    from bnnhw.sim.board.read_build import LinkKind


@click.command("run")
@click.argument("build", type=click.Path(path_type=Path))
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@board_options
@click.option("--repeat", type=click.IntRange(min=1), help="Send all images so often, and print how fast that went.")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, file_okay=False), help="Folder for the outputs, IMAGE.npz each."
)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def command(
    build: Path,
    images: tuple[Path, ...],
    simulate: bool,
    link: "LinkKind",
    port: str | None,
    addresses: tuple[str, ...],
    timeout_s: float | None,
    repeat: int | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """Send images to the board and print what it says they show.

    Images are PNG or the like, of the network's own size, or .npy files of its integers. What a network gives beside a
    label or scores, such as images, goes to --output: numpy's arrays by the names of the outputs.

    \b
    Example: bnnhw run --simulate build/lfc digit.png
             bnnhw run build/lfc --address 127.0.0.1:7000 --repeat 1000 digit.png

    Of a program for an engine, it loads the program first; --simulate then has the engine's RTL. Several boards of one
    build share the images; one that fails loses none.
    """
    import numpy as np

    from bnnhw.api.builds.answer_row import answer_row
    from bnnhw.api.run import run
    from bnnhw.files import staged_file

    from .telling.speed import Stopwatch

    check_board_options(simulate=simulate, link=link, port=port, addresses=addresses)
    if repeat and output is not None:
        raise click.UsageError("--repeat and --output exclude each other; give one of them")
    if output is not None and len({path.stem for path in images}) < len(images):
        raise click.UsageError("two images have one name, and --output has a file for each; rename one of them")
    clock_hz, paths, watch = clock_of(build), iter(images), Stopwatch()
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)

    def show(answer: "Prediction") -> None:
        watch.note(answer)
        if repeat:
            return
        path, seconds = next(paths), answer.cycles / clock_hz
        if output is not None:
            with staged_file(output / f"{path.stem}.npz") as staged:
                np.savez(staged, allow_pickle=False, **answer.outputs)
        if as_json:
            click.echo(json.dumps({"image": str(path)} | answer_row(answer, clock_hz=clock_hz)))
        else:
            click.echo(f"{path}: {said(answer)}   ({answer.cycles} cycles, {seconds * 1e6:.2f} us)")

    run(
        build,
        images,
        simulate=simulate,
        link=link,
        port=port,
        address=addresses,
        timeout_s=timeout_s,
        repeat=repeat or 1,
        on_answer=show,
        on_lost=lambda error: click.echo(f"bnnhw: warning: {error}", err=True),
    )
    if repeat:
        size = image_bytes_of(build)
        click.echo(json.dumps(watch.row(image_bytes=size)) if as_json else watch.line(image_bytes=size))


def clock_of(build: Path) -> float:
    """The clock of a build's core, or of a program's engine, in hertz."""
    from bnnhw.boards.engines.program_folder import ProgramManifest, is_program
    from bnnhw.boards.manifest import Manifest

    return (ProgramManifest if is_program(build) else Manifest).read(build).clock_hz


def image_bytes_of(build: Path) -> int | None:
    """Bytes of an image on the link of a build; None of a program, whose engine has packets of its own."""
    from bnnhw.boards.engines.program_folder import is_program
    from bnnhw.boards.manifest import Manifest

    return None if is_program(build) else Manifest.read(build).input_bytes


def said(answer: "Prediction") -> str:
    """The label, and the outputs that are more, in short."""
    more = [f"{name} {'x'.join(map(str, values.shape))}" for name, values in answer.outputs.items() if values.ndim > 1]
    return ", ".join([*([] if answer.label is None else [answer.label]), *more])
