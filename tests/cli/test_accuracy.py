"""bnnhw accuracy: rows are trained once."""

import json
from pathlib import Path

import pytest

from .case import Case, run_case
from .printed import printed


@pytest.mark.parametrize(
    ("row", "optimizer", "least"), [("resnet20-rbnn", "adam", 0.3), ("resnet20-rbnn-sgd", "sgd", 0.1)]
)
def test_a_row_is_trained_once(
    workplace: Path, capfd: pytest.CaptureFixture[str], row: str, optimizer: str, least: float
) -> None:
    line = f"accuracy --only {row} --dataset digits --epochs 1 --threads 1 --work new -q"
    first = printed(line, capfd)
    (told,) = (line.split(" | ") for line in first.splitlines() if line.startswith(f"| {row} "))
    assert told[1:3] == ["rbnn rotation=filter", "digits"]
    record = json.loads((workplace / "new" / f"{row}-seed0.json").read_text())
    metrics = json.loads((workplace / "new" / f"{row}-seed0.pt.metrics.json").read_text())
    assert metrics["recipe"]["optimizer"] == optimizer
    assert told[3] == f"{record['test_accuracy']:.2%}".replace("%", " %")
    assert len(record["flips"]) == 18
    assert all(least < rate < 0.7 for rate in record["flips"].values()), record["flips"]
    files = {path.name: path.stat().st_mtime_ns for path in (workplace / "new").glob("*.pt")}
    assert printed(line, capfd) == first
    assert {path.name: path.stat().st_mtime_ns for path in (workplace / "new").glob("*.pt")} == files
    message = rf"new/{row}-seed0\.json is of 1 epochs on digits, not of 2 on digits; delete it, or name .*"
    run_case(Case("other epochs", line.replace("--epochs 1", "--epochs 2"), message), workplace, capfd)


def test_what_a_time_ends_goes_on_later(workplace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Of two epochs that should have fitted, one in a call."""
    line = (
        "accuracy --only resnet20-b --dataset digits --minutes 1e-6 --batch-size 500 --threads 1 --work new --json -q"
    )
    (workplace / "new").mkdir()
    (workplace / "new" / "epochs.json").write_text('{"resnet20-b": 2}')
    assert printed(line, capfd) == ""
    assert "| resnet20-b | xnor | digits | not run yet | " in (workplace / "new" / "accuracy.md").read_text()
    record = json.loads(printed(line, capfd))
    assert (record["epochs"], record["device"]) == (2, "cpu")
    metrics = json.loads((workplace / "new" / "resnet20-b-seed0.pt.metrics.json").read_text())
    assert metrics["recipe"]["batch_size"] == 500
    assert "| 0 | 2 | " in (workplace / "new" / "accuracy.md").read_text()
    assert json.loads(printed(line, capfd)) == record


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--only lenet", "--only lenet is none of mnist-mlp-4096, cnv, .*"),
        ("--seeds 1,x", "Invalid value for '--seeds': '1,x' must be numbers with commas between, such as 0,1,2. .*"),
    ],
)
def test_what_makes_no_sense_is_refused(
    workplace: Path, capfd: pytest.CaptureFixture[str], options: str, message: str
) -> None:
    run_case(Case("bad option", f"accuracy {options}", message), workplace, capfd)
