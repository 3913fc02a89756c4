"""bnnhw quantise, from a network of real numbers to a model for hardware."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from bnnhw.model.data.datasets import load_data_set
from bnnhw.model.export.network_file import NetworkFile
from bnnhw.model.files import torch_bytes
from bnnhw.model.methods import method_named
from bnnhw.model.networks.catalogue import architecture, build_network

from .case import Case, run_case
from .printed import printed

_IMAGES = torch.from_numpy(load_data_set("digits").train_images[:100].copy()).float()


@cache
def real_network(
    method: str = "bnn", *choices: str, numbers: str = "real", spoil: str = "", classes: int = 10
) -> bytes:
    """The file of a residual network for the digits, with random weights and batch norms that know the images; a buffer
    that is named is filled with 0."""
    options = (f"numbers={numbers}",) if numbers else ()
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        network = build_network(
            architecture("resnet20", options=options), shape=(8, 8, 1), lo=0, hi=16, classes=classes,
            method=method_named(method, choices),
        )  # fmt: skip
        for _ in range(2):
            for each in network.modules():
                if isinstance(each, nn.BatchNorm2d | nn.BatchNorm1d):
                    each.momentum = 1.0
            network(_IMAGES)
    state = network.state_dict()
    if spoil:
        state[spoil].zero_()
    file = NetworkFile(
        network="resnet20", network_options=options, width=None, depth=None, input_bits=8, method=method,
        method_options=choices, shape=(8, 8, 1), lo=0, hi=16, obstacle="it is a test", tensors=state,
        meta={"network": "resnet20", "dataset": "digits", "classes": [str(n) for n in range(classes)], "metrics": {}},
    )  # fmt: skip
    return torch_bytes(file.to_plain())


def test_a_model_for_hardware_and_what_it_costs(workplace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (workplace / "real.pt").write_bytes(real_network())
    told = json.loads(printed("quantise real.pt --calibrate digits --images 60 --json -o fixed.pt", capfd))
    real, fixed = (
        json.loads(printed(f"eval {name}.pt --engine torch --json", capfd))["correct"] for name in ("real", "fixed")
    )
    assert (told["dataset"], told["images"], told["real"], told["fixed"]) == ("digits", 360, real, fixed)
    assert told["difference"] == (fixed - real) / 360
    assert told["interval"][0] <= told["difference"] <= told["interval"][1]
    changed = [layer["changed"] for layer in told["layers"]]
    assert changed == sorted(changed, reverse=True)
    assert {"stem.conv", "stem.conv, weights", "stage1_block1.add", "output"} <= {
        each["layer"] for each in told["layers"]
    }
    meta: Any = torch.load(workplace / "fixed.pt", weights_only=True)["meta"]
    assert meta["metrics"]["test_correct"] == fixed
    assert meta["fixed_point"] == {"bits": 12, "weight_bits": 8, "score_bits": 16, "images": 60}
    assert (meta["network"], meta["dataset"]) == ("resnet20", "digits")


def test_what_is_shown(workplace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (workplace / "real.pt").write_bytes(real_network())
    shown = printed("quantise real.pt --calibrate digits --bits 7 --weight-bits 2 --images 20 -q -o real.pt", capfd)
    lines = shown.splitlines()
    assert lines[0].startswith("real.pt: ")
    assert lines[0].endswith("% of 360 digits test images right")
    assert " points (95 %: " in lines[1]
    assert "rounded alone" in shown
    assert "conv" in shown


@pytest.mark.parametrize(
    ("file", "options", "message"),
    [
        (None, "", "model.pt holds a graph, whose numbers need no quantising; `bnnhw build` takes it as it is"),
        ({"numbers": "fixed"}, "", "model.pt holds a network of fixed point already; it is a test"),
        (
            ("xnor++", "scale=map"),
            "",
            "model.pt: layer '.*' scales each pixel by its own factor; fixed point takes one .*",
        ),
        (
            ("xnor", "input_scale=yes"),
            "",
            "model.pt: layer '.*' is a XnorConv2d, which fixed point does not take; it .*",
        ),
        (("abc",), "", "model.pt: layer '.*' has weights of .* bits and . binary bases; fixed point takes .*"),
        (
            {"spoil": "stage1_block1.body.norm2.running_var"},
            "--bits 4",
            "model.pt: layer '.*' (has values up to .*; give it more bits, or a batch norm|multiplies by .*)",
        ),
        ({"classes": 3}, "", "digits has 10 classes; the network knows 3"),
        (
            {},
            "--calibrate elsewhere",
            r"calibrate='elsewhere' must be a data set, digits, mnist, .*, or the folder of .*",
        ),
        ({}, "--calibrate mnist --data-dir build", "build must hold .*"),
        ({}, "--bits 17", ".*--bits.*17 is not in the range.*"),
    ],
)
def test_what_makes_no_sense_is_refused(
    workplace: Path, capfd: pytest.CaptureFixture[str], file: Any, options: str, message: str
) -> None:
    files = (
        {} if file is None else {"model.pt": real_network(*file) if isinstance(file, tuple) else real_network(**file)}
    )
    line = f"quantise model.pt --calibrate digits --images 20 -o new.pt {options}"
    run_case(Case("bad input", line, message, files=files), workplace, capfd)


def test_the_folder_of_the_models_own_data_set(workplace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Digits ship with scikit-learn: any folder will do."""
    (workplace / "real.pt").write_bytes(real_network())
    told = json.loads(printed("quantise real.pt --calibrate build --images 20 --json -o fixed.pt", capfd))
    assert told["dataset"] == "digits"
