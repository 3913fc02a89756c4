"""bnnhw train --init and --freeze: what a second training takes of the first one, says of it and leaves as it is."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from bnnhw.cli import main
from bnnhw.compiler.frontends.model_file import load
from bnnhw.compiler.ir.ops import BinaryConv2d, BinaryLinear
from bnnhw.model.export.save_model import save
from bnnhw.model.networks.catalogue import architecture, build_network

from .case import Case, run_case

TRAIN = "train --dataset digits --epochs 1 -q --network"


@cache
def lenet(classes: int) -> bytes:
    """The file of a lenet for digits of so many kinds, with random weights."""
    path = Path("made.pt")
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        network = build_network(architecture("lenet"), shape=(8, 8, 1), lo=0, hi=16, classes=classes)
    example = np.random.default_rng(0).integers(0, 17, (8, 8, 8, 1))
    meta = {"network": "lenet", "dataset": "digits", "classes": [str(each) for each in range(classes)]}
    save(network.eval(), path, example_input=example, input_range=(0, 16), meta=meta)
    content = path.read_bytes()
    path.unlink()
    return content


def told(line: str, capfd: pytest.CaptureFixture[str]) -> str:
    """What `bnnhw line`, which must succeed, says besides its result."""
    with pytest.raises(SystemExit) as end:
        main(line.split())
    error = capfd.readouterr().err
    assert end.value.code == 0, error
    return error


def weights(path: str) -> dict[str, NDArray[Any]]:
    """The weights of the layers that have some, by name."""
    ops = {node.name: node.op for node in load(Path(path)).nodes}
    return {name: op.weights for name, op in ops.items() if isinstance(op, BinaryLinear | BinaryConv2d)}


def test_frozen_layers_stay_bit_for_bit(workplace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    told(f"{TRAIN} lenet -o a.pt", capfd)
    line = f"{TRAIN} lenet --init a.pt --freeze conv1,conv2.conv --seed 5 -o b.pt"
    assert told(line, capfd) == "a.pt: 8 layers taken\n"
    before, after = weights("a.pt"), weights("b.pt")
    same = {name for name, array in before.items() if np.array_equal(array, after[name])}
    assert same == {"conv1.conv", "conv2.conv"}


def test_a_head_for_other_classes_is_fresh(workplace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Path("seven.pt").write_bytes(lenet(7))
    line = f"{TRAIN} lenet --init seven.pt --freeze conv1,conv2,hidden1 -o ten.pt"
    assert told(line, capfd).endswith(" layers taken; fresh: output.linear\n")
    before, after = weights("seven.pt"), weights("ten.pt")
    assert before["output.linear"].shape[0] == 7
    assert after["output.linear"].shape[0] == 10
    for name in before.keys() - {"output.linear"}:
        np.testing.assert_array_equal(after[name], before[name], name)


@pytest.mark.parametrize(
    ("network", "options", "message"),
    [
        (
            "resnet8",
            "--init ten.pt",
            "nothing of ten.pt fits by name and shape: it has a network 'lenet'; start from a .*",
        ),
        (
            "lenet",
            "--init ten.pt --freeze conv1,conv9",
            "freeze='conv9' must be a layer with parameters, such as conv1, conv2, hidden1, .*",
        ),
        ("lenet", "--freeze conv1,", "freeze='' must be a layer with parameters, such as conv1, .*"),
        ("lenet", "--init digit.png", "digit.png: is truncated, damaged or no model file; .*"),
        ("lenet", "--init missing.pt", "missing.pt: No such file or directory"),
    ],
)
def test_errors(network: str, options: str, message: str, workplace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    case = Case("start", f"{TRAIN} {network} {options} -o x.pt", message, {"ten.pt": lenet(10)})
    run_case(case, workplace, capfd)
