"""The records as the tables of docs/accuracy.md."""

from collections.abc import Mapping, Sequence
from statistics import mean, stdev

from bnnhw.cli.accuracy.record import Record
from bnnhw.cli.accuracy.rows import AccuracyRow

__all__ = ["accuracy_table", "flip_table", "markdown"]


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
                str(row.epochs),
                f"{mean(one.seconds / one.epochs for one in done):.1f}",
                f"{mean(one.images_per_second for one in done):,.0f}",
                f"{done[0].device}, {done[0].threads} threads{', compiled' if done[0].compiled else ''}",
            )
        )
    return table


def flip_table(records: Mapping[str, Sequence[Record]], names: Sequence[str]) -> list[tuple[str, ...]]:
    """For each layer the share of flipped weights of the rows called so, the mean over the seeds; empty where none of
    them was run. RBNN's figure 7, arXiv:2009.13055."""
    run = [name for name in names if records.get(name)]
    if not run:
        return []
    flips = {name: [one.flips or {} for one in records[name]] for name in run}
    layers = list(flips[run[0]][0])
    lines = [(layer, *(f"{mean(one[layer] for one in flips[name]):.1%}" for name in run)) for layer in layers]
    return [("layer", *run), *lines]


def markdown(table: Sequence[tuple[str, ...]]) -> str:
    """A table of Markdown, its first line the titles."""
    head, *lines = table
    return "".join(f"| {' | '.join(line)} |\n" for line in (head, ("---",) * len(head), *lines))
