"""The rows can be built, and are put beside what is published; tests/cli/test_accuracy.py trains some."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
import torch
from PIL import Image

from bnnhw.accuracy.plot import plot_flips
from bnnhw.accuracy.record import Record, read_record
from bnnhw.accuracy.report import accuracy_table, flip_table, markdown, mean_flips
from bnnhw.accuracy.rows import ROWS
from bnnhw.compiler import integerize, load, schedule
from bnnhw.hw.targets import get_device
from bnnhw.model.export.save_model import save
from bnnhw.model.methods import method_named
from bnnhw.model.networks.catalogue import architecture, build_network

RECORD = Record(
    row="resnet20-b", data_set="cifar10", epochs=60, seed=0, test_accuracy=0.8, seconds=600, images_per_second=4900,
    threads=2, device="cpu", compiled=False, flips={"a": 0.125, "b": 0.25},
)  # fmt: skip
FIRST_BAR = (31, 119, 180)


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_every_row_can_be_built(row) -> None:
    method_named(row.method, row.method_options)
    architecture(row.network, options=row.network_options)
    assert [other.name for other in ROWS].count(row.name) == 1


def test_the_row_for_a_board_fits_it(tmp_path: Path) -> None:
    (row,) = (row for row in ROWS if row.name == "vgg-small-75")
    shape = (32, 32, 3)
    images = torch.randint(0, 256, (100, *shape), generator=torch.Generator().manual_seed(0))
    network = build_network(
        architecture(row.network, options=row.network_options), shape=shape, lo=0, hi=255, classes=10
    )
    save(network, tmp_path / "model.pt", example_input=images, input_range=(0, 255))
    device = get_device("LFE5U-85F")
    fitting = schedule(integerize(load(tmp_path / "model.pt")), device, target_fps=100)
    assert device.share(fitting.resources) < 1


def test_the_tables() -> None:
    rows = [row for row in ROWS if row.name in ("resnet20-b", "resnet20-rbnn", "resnet20-bnn")]
    other = replace(RECORD, seed=3, test_accuracy=0.82, seconds=1200, flips={"a": 0.375, "b": 0.25})
    records = {"resnet20-b": [RECORD, other]}
    lines = accuracy_table(rows, records)
    assert lines[1] == (
        "resnet20-b", "xnor", "cifar10", "81.00 ± 1.41 %", "83.7 %", "0, 3", "60", "15.0", "4,900", "cpu, 2 threads",
    )  # fmt: skip
    assert lines[2][3:7] == ("not run yet", "87.8 %", "", "60")
    shares = mean_flips(records, ("resnet20-b", "resnet20-rbnn"))
    assert shares == {"resnet20-b": {"a": 0.25, "b": 0.25}}
    flips = flip_table(shares)
    assert flips == [("layer", "resnet20-b"), ("a", "25.0%"), ("b", "25.0%")]
    assert mean_flips({}, ("resnet20-b",)) == {}
    assert markdown(flips[:2]) == "| layer | resnet20-b |\n| --- | --- |\n| a | 25.0% |\n"


def test_bars_are_as_high_as_the_shares() -> None:
    """Of two rows, whose first has 10 and then 30 %, the first one's colour covers three times the area."""
    areas = []
    for share in (0.1, 0.3):
        drawn = Image.open(BytesIO(plot_flips({"b": {"a": share, "c": share}, "rbnn": {"a": 0.5, "c": 0.5}})))
        areas.append(sum(int(n) for n, colour in drawn.convert("RGB").getcolors(1 << 24) or () if colour == FIRST_BAR))
    assert areas[1] == pytest.approx(3 * areas[0], rel=0.05)  # but for the legend


def test_no_record_yet(tmp_path: Path) -> None:
    assert read_record(tmp_path, ROWS[0], seed=0) is None
