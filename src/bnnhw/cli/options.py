"""Options that several commands share."""

from pathlib import Path

import click

MODEL = click.Path(path_type=Path, dir_okay=False)
"""A model file; whether it exists and is sound is the reader's to say."""

data_dir_option = click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder with the data set's official files; default $BNNHW_DATA_DIR, else downloaded.",
)
