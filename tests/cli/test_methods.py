"""Training by a method, from the command line to what its file is good for."""

import json
import re
from pathlib import Path

import pytest

from bnnhw.model.methods import METHODS

from .case import Case, run_case
from .printed import printed_joined

TRAIN = "train --dataset digits --network mlp --width 16 --depth 2 --epochs 1 -q"


def test_lists_the_methods(capfd: pytest.CaptureFixture[str]) -> None:
    shown = printed_joined("methods", capfd)
    options = "gradient=ste|ppf|ede|rbnn|swish-sign (rbnn), rotation=layer|filter (layer), adjust=yes|no (yes)"
    assert f"rbnn: --method-option {options}" in shown
    listed = json.loads(printed_joined("methods --json", capfd))
    assert [row["method"] for row in listed] == list(METHODS)
    assert all(row["hardware"] and row["paper"].startswith("arXiv:") for row in listed)


def test_a_method_with_hardware(workplace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    trained = printed_joined(f"{TRAIN} --method rbnn --method-option rotation=filter -o new.pt", capfd)
    assert "no hardware" not in trained
    metrics = json.loads((workplace / "new.pt.metrics.json").read_text())
    assert metrics["method_options"] == ["gradient=rbnn", "rotation=filter", "adjust=yes", "standardise=yes"]
    answers = [
        json.loads(printed_joined(f"eval new.pt --json --engine {engine}", capfd)) for engine in ("integer", "torch")
    ]
    assert answers[0]["correct"] == answers[1]["correct"] == metrics["test_correct"]
    shown = printed_joined("inspect new.pt", capfd)
    assert "multiply-accumulates: 1,440 of 1 by 1 bits" in shown
    assert "theoretical speed-up S on words of 64 bits: 19.20, the mean of the layers" in shown  # of 32, 12.8 and 12.8
    costs = json.loads(printed_joined("inspect new.pt --json", capfd))["costs"]
    assert [cost["name"] for cost in costs] == ["hidden1.linear", "hidden2.linear", "output.linear"]


def test_a_method_without_hardware(workplace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    trained = printed_joined(
        f"{TRAIN} --method abc --method-option weight_bases=2 --method-option factor_bits=0 -o new.pt", capfd
    )
    basis = "layer 'hidden1.linear' has weights of 1 bits and 2 binary bases; export supports weights of -1 and +1"
    obstacle = f"{basis}, and integers, such as those of IntegerWeights"
    assert f"no hardware for it yet: {obstacle}; bnnhw eval --engine torch evaluates it" in trained
    answer = json.loads(printed_joined("eval new.pt --json --engine torch", capfd))
    assert answer["correct"] == json.loads((workplace / "new.pt.metrics.json").read_text())["test_correct"]
    shown = printed_joined("inspect new.pt", capfd)
    assert "1,024 of 1 by 2 x 1 bits, 416 of 3 x 1 by 2 x 1 bits" in shown
    assert "no hardware for this network yet" in shown
    assert obstacle in json.loads(printed_joined("inspect new.pt --json", capfd))["obstacle"]
    message = f"new.pt: no hardware for this network yet: {re.escape(obstacle)}; bnnhw eval --engine .*"
    for command in ("build new.pt -o built", "verify new.pt", "eval new.pt", "sim new.pt"):
        run_case(Case("torch only", command, message), workplace, capfd)
    message = f"new.pt: pruning takes layers with binary weights in a graph; {re.escape(obstacle)}"
    run_case(Case("torch only", "prune new.pt --keep 0.5 -o smaller.pt", message), workplace, capfd)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--network mlp --method step", "unknown method 'step'; known ones are bnn, bwn, .*"),
        (
            "--network mlp --method abc --method-option M=3",
            "method 'abc' has no option 'M=3'; its options .*",
        ),
        (
            "--network mlp --method abc --method-option weight_bases=x",
            "weight_bases=x of method 'abc' must be .*",
        ),
        (
            "--network resnet20 --network-option depth=9",
            "network 'resnet20' has no option 'depth=9'; its .*",
        ),
        ("--network resnet20 --width 9", r"network 'resnet20' has fixed widths \(16, 32, 64\); choose .*"),
    ],
)
def test_what_does_not_exist_is_refused(
    workplace: Path, capfd: pytest.CaptureFixture[str], options: str, message: str
) -> None:
    run_case(Case("bad option", f"train --dataset digits -o new.pt {options}", message), workplace, capfd)
