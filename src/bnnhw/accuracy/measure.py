"""The rows trained one after the other, and their tables, which grow with them.

Tests: tests/cli/test_accuracy.py
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bnnhw.model.data.datasets import load_data_set
from bnnhw.model.files import write_atomically
from bnnhw.model.training.machine import Machine

from .fitting import fit_epochs
from .plot import plot_flips
from .record import Record, read_record, run_row
from .report import accuracy_table, flip_table, markdown, mean_flips
from .rows import FLIP_ROWS, AccuracyRow

__all__ = ["TABLE", "train_rows"]

TABLE = "accuracy.md"

_TEST = 0.06
"""So much of a training's time is left for the test images and the files."""


def train_rows(
    rows: Sequence[AccuracyRow],
    work: Path,
    *,
    seeds: Sequence[int] = (0,),
    data_dir: Path | None = None,
    machine: Machine = Machine(),  # noqa: B008 it is frozen
    minutes: float | None = None,
    progress: Callable[[str, str], None] = lambda what, note: None,
) -> Iterator[Record]:
    """The record of each of `rows` with each of `seeds`: trained now, or what lies in the folder `work`.

    After each of them TABLE in `work` holds the tables so far, and flips.png the shares of flipped weights. `progress`
    is told which training is how far.

    In so many `minutes`, trainings get as many epochs as fit, each into an equal part of the time; one that is not done
    by then has no record, and the same call again goes on with it.

    Raises ValueError where `work` holds a record of another training.
    """
    work.mkdir(parents=True, exist_ok=True)
    records: dict[str, list[Record]] = {}
    end = time.monotonic() + 60 * (math.inf if minutes is None else minutes)
    trainings = [(row, seed) for row in rows for seed in seeds]
    for ahead, (row, seed) in zip(range(len(trainings), 0, -1), trainings, strict=True):
        seconds = None if minutes is None else (end - time.monotonic()) / ahead
        record = _record(row, work, seed=seed, data_dir=data_dir, machine=machine, seconds=seconds, progress=progress)
        if record is not None:
            records.setdefault(row.name, []).append(record)
        table = markdown(accuracy_table(rows, records))
        if flips := mean_flips(records, FLIP_ROWS):
            table += f"\nWeights whose sign is not the first one (flips.png):\n\n{markdown(flip_table(flips))}"
            write_atomically(work / "flips.png", plot_flips(flips))
        write_atomically(work / TABLE, table.encode())
        if record is not None:
            yield record


def _record(
    row: AccuracyRow, work: Path, *, seed: int, data_dir: Path | None, machine: Machine, seconds: float | None,
    progress: Callable[[str, str], None],
) -> Record | None:  # fmt: skip
    """The record of a training: read, or trained now, with epochs that fit into so many seconds. None if they were too
    few."""
    data = None
    if seconds is not None:
        start, training_s = time.monotonic(), (1 - _TEST) * seconds
        data = load_data_set(row.dataset, data_dir=data_dir)
        row = fit_epochs(row, data, work, seed=seed, machine=machine, seconds=training_s)
        seconds = training_s - (time.monotonic() - start)
    if (record := read_record(work, row, seed=seed)) is not None:
        return record
    return run_row(
        row,
        data or load_data_set(row.dataset, data_dir=data_dir),
        work,
        seed=seed,
        machine=machine,
        time_limit_s=seconds,
        on_step=lambda done: progress(f"{row.name}, {seed}", f"{done:.1f} of {row.epochs}"),
    )
