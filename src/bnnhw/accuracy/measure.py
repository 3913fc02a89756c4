"""The rows trained one after the other, and their tables, which grow with them.

Tests: tests/cli/test_accuracy.py
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bnnhw.model.data.datasets import load_data_set
from bnnhw.model.files import write_atomically
from bnnhw.model.training.machine import Machine

from .plot import plot_flips
from .record import Record, read_record, run_row
from .report import accuracy_table, flip_table, markdown, mean_flips
from .rows import FLIP_ROWS, AccuracyRow

__all__ = ["TABLE", "train_rows"]

TABLE = "accuracy.md"


def train_rows(
    rows: Sequence[AccuracyRow],
    work: Path,
    *,
    seeds: Sequence[int] = (0,),
    data_dir: Path | None = None,
    machine: Machine = Machine(),  # noqa: B008 it is frozen
    progress: Callable[[str, str], None] = lambda what, note: None,
) -> Iterator[Record]:
    """The record of each of `rows` with each of `seeds`: trained now, or what lies in the folder `work`.

    After each of them TABLE in `work` holds the tables so far, and flips.png the shares of flipped weights. `progress`
    is told which training is how far.

    Raises ValueError where `work` holds a record of another training.
    """
    work.mkdir(parents=True, exist_ok=True)
    records: dict[str, list[Record]] = {}
    for row in rows:
        for seed in seeds:
            what = f"{row.name}, {seed}"
            if (record := read_record(work, row, seed=seed)) is None:
                record = run_row(
                    row,
                    load_data_set(row.dataset, data_dir=data_dir),
                    work,
                    seed=seed,
                    machine=machine,
                    on_step=lambda done, what=what, row=row: progress(what, f"{done:.1f} of {row.epochs}"),
                )
            records.setdefault(row.name, []).append(record)
            table = markdown(accuracy_table(rows, records))
            if flips := mean_flips(records, FLIP_ROWS):
                table += f"\nWeights whose sign is not the first one (flips.png):\n\n{markdown(flip_table(flips))}"
                write_atomically(work / "flips.png", plot_flips(flips))
            write_atomically(work / TABLE, table.encode())
            yield record
