"""The records as the tables of docs/accuracy.md.

Tests: tests/accuracy/test_accuracy.py
"""

from collections.abc import Mapping, Sequence
from statistics import mean, stdev

from .record import Record
from .rows import AccuracyRow

__all__ = ["accuracy_table", "flip_table", "markdown", "mean_flips"]


def accuracy_table(rows: Sequence[AccuracyRow], records: Mapping[str, Sequence[Record]]) -> list[tuple[str, ...]]:
    """A line a row, a title first: test accuracy in percent, the mean over the seeds and its standard deviation."""
    table: list[tuple[str, ...]] = [
        ("row", "method", "data", "test accuracy", "published", "seeds", "epochs", "s an epoch", "images/s", "device")
    ]
    for row in rows:
        done = records.get(row.name, ())
        method = " ".join((row.method, *row.method_options))
        published = "" if row.published is None else f"{row.published:g} %"
        if not done:
            table.append((row.name, method, row.dataset, "not run yet", published, "", str(row.epochs), "", "", ""))
            continue
        accuracies = [100 * one.test_accuracy for one in done]
        spread = f" ± {stdev(accuracies):.2f}" if len(done) > 1 else ""
        table.append(
            (
                row.name,
                method,
                row.dataset,
                f"{mean(accuracies):.2f}{spread} %",
                published,
                ", ".join(str(one.seed) for one in done),
                str(done[0].epochs),
                f"{mean(one.seconds / one.epochs for one in done):.1f}",
                f"{mean(one.images_per_second for one in done):,.0f}",
                f"{done[0].device}, {done[0].threads} threads{', compiled' if done[0].compiled else ''}",
            )
        )
    return table


def mean_flips(records: Mapping[str, Sequence[Record]], names: Sequence[str]) -> dict[str, dict[str, float]]:
    """Of each of the rows called so that was run, the share of flipped weights by layer, the mean over the seeds."""
    run = {name: [one.flips or {} for one in records[name]] for name in names if records.get(name)}
    return {name: {layer: mean(one[layer] for one in flips) for layer in flips[0]} for name, flips in run.items()}


def flip_table(flips: Mapping[str, Mapping[str, float]]) -> list[tuple[str, ...]]:
    """`mean_flips` with a line for each layer, a title first."""
    layers = next(iter(flips.values()))
    return [("layer", *flips), *((layer, *(f"{row[layer]:.1%}" for row in flips.values())) for layer in layers)]


def markdown(table: Sequence[tuple[str, ...]]) -> str:
    """A table of Markdown, its first line the titles."""
    head, *lines = table
    return "".join(f"| {' | '.join(line)} |\n" for line in (head, ("---",) * len(head), *lines))
