"""bnnhw prune, from a trained model to a smaller one."""

import json
from pathlib import Path

import pytest

from .case import Case, run_case
from .printed import printed
from .stock import model_bytes


def test_a_smaller_model_and_what_it_costs(workplace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (workplace / "large.pt").write_bytes(model_bytes(24, 16))
    told = printed(
        "prune large.pt --keep 0.5 --by thinet --dataset digits --samples 40 --epochs 5 --learning-rate 0.02 "
        "--layers hidden1 --target-fps 1000000 --json -o new.pt",
        capfd,
    )
    told = json.loads(told)
    assert told["layers"] == [{"name": "hidden1.linear", "before": 24, "after": 12, "constant": 0}]
    before, pruned, tuned = told["stages"]
    assert [stage["name"] for stage in told["stages"]] == ["before", "pruned", "fine-tuned"]
    assert pruned["resources"]["luts"] < before["resources"]["luts"]
    assert tuned["accuracy"] > 0.4 > before["accuracy"]  # random weights at first
    answers = [json.loads(printed(f"eval new.pt --json --engine {engine}", capfd)) for engine in ("integer", "torch")]
    assert answers[0]["accuracy"] == answers[1]["accuracy"] == tuned["accuracy"]


def test_without_data(workplace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    shown = printed("prune model.pt --keep 0.25 --board ulx3s-12f -o new.pt", capfd)
    assert [line.split() for line in shown.splitlines() if "hidden1" in line] == [["hidden1.linear", "8", "2", "0"]]
    assert "new.pt: pruned" in shown


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--by thinet", "by='thinet' looks at sample images; give some, or prune by 'magnitude'"),
        ("--epochs 1", "--epochs trains on the images of a data set; name it with --dataset .*"),
        ("--layers conv9", r"no layer 'conv9' can be pruned; those with channels to remove are hidden1\.linear"),
        ("--dataset mnist --data-dir build", "build must hold .*"),
    ],
)
def test_what_makes_no_sense_is_refused(
    workplace: Path, capfd: pytest.CaptureFixture[str], options: str, message: str
) -> None:
    run_case(Case("bad option", f"prune model.pt --keep 0.5 -o new.pt {options}", message), workplace, capfd)
