"""Model files that are none: every command says what is amiss, and runs nothing that is in them."""

import io
import math
import os
import pickle
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from bnnhw.cli import main

from .case import Case, Make, run_case
from .stock import model_bytes

LINEAR = 2  # of the nodes binarise, flatten, hidden1.linear, hidden1.norm, hidden1.sign, output.linear, output.norm


class Trap:
    """Unpickling one makes a file called `sprung` in the working folder."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, ("sprung",)


def saved(content: Any) -> bytes:
    """What torch.save writes."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def changed(change: Callable[[dict[str, Any]], object]) -> Make:
    """The sound model after `change` has been at its plain data."""

    def make(path: Path) -> None:
        data = torch.load(io.BytesIO(model_bytes(8)), weights_only=True)
        change(data)
        path.write_bytes(saved(data))

    return make


def truncated(share: float) -> Make:
    return lambda path: path.write_bytes(model_bytes(8)[: int(share * len(model_bytes(8)))])


def saved_as_of_old(path: Path) -> None:
    """A trap in the format of torch before 1.6, which is a bare pickle."""
    torch.save(Trap(), path, _use_new_zipfile_serialization=False)


def foreign_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")


def nodes(data: dict[str, Any]) -> list[dict[str, Any]]:
    return data["graph"]["nodes"]


def drop_sign(data: dict[str, Any]) -> None:
    sign = nodes(data).pop(LINEAR + 2)
    nodes(data)[LINEAR + 2]["inputs"] = sign["inputs"]


def with_tensor(key: str, value: Callable[[torch.Tensor], torch.Tensor]) -> Make:
    """The sound model with another tensor in the place of one."""
    return changed(lambda data: data["tensors"].update({key: value(data["tensors"][key])}))


WRITE_IT = "; write it with bnnhw train or bnnhw.model.export.save"
DAMAGED = f"model.pt: is truncated, damaged or no model file{WRITE_IT}"
CODE = f"model.pt: holds code or foreign objects, which are never run or loaded{WRITE_IT}"
FOREIGN = f"model.pt: is a torch file, but no bnnhw-model file{WRITE_IT}"


def spoilt(id: str, message: str, model: Make | bytes | None, *, line: str = "inspect model.pt") -> Case:
    return Case(id, line, message, {"model.pt": model})


CASES = [
    spoilt("missing", "model.pt: no such file", None),
    spoilt("empty", DAMAGED, b""),
    *(spoilt(f"cut at {share:.0%}", DAMAGED, truncated(share)) for share in (0.01, 0.5, 0.99)),
    spoilt("random bytes", DAMAGED, random.Random(0).randbytes(4096)),
    spoilt("random bytes after a zip's magic", DAMAGED, b"PK\x03\x04" + random.Random(0).randbytes(4096)),
    spoilt("foreign zip", DAMAGED, foreign_zip),
    spoilt("state_dict", FOREIGN, saved({"linear.weight": torch.zeros(3)})),
    spoilt("torch module", CODE, saved(torch.nn.Linear(2, 2))),
    spoilt("pickle with code", DAMAGED, pickle.dumps(Trap(), protocol=2)),
    *(
        spoilt(
            f"torch file with code, {line}",
            CODE,
            saved({"format": "bnnhw-model", "version": 1, "x": Trap()}),
            line=line,
        )
        for line in (
            "inspect model.pt",
            "eval model.pt --engine torch",
            "verify model.pt",
            "sim model.pt",
            "build model.pt -o out",
        )
    ),
    spoilt("old checkpoint with code", DAMAGED, saved_as_of_old),
    spoilt("other format", FOREIGN, changed(lambda data: data.update(format="onnx"))),
    spoilt(
        "later version",
        "model.pt: has version 3; this bnnhw reads versions 1 and 2",
        changed(lambda data: data.update(version=3)),
    ),
    spoilt("no graph", "model.pt: the file lacks the field 'graph'", changed(lambda data: data.pop("graph"))),
    spoilt(
        "missing tensor",
        "model.pt: node 'hidden1.linear' wants tensor 'hidden1.linear.weight' as its weight, which the file lacks",
        changed(lambda data: data["tensors"].pop("hidden1.linear.weight")),
    ),
    spoilt(
        "wrong shape",
        r"model.pt: node 'hidden1.linear' has a weight of shape \(7, 8\); it must be of shape \(8, 8\)",
        with_tensor("hidden1.linear.weight", lambda weight: weight[:7].clone()),
    ),
    spoilt(
        "wrong type",
        "model.pt: node 'hidden1.linear' has a weight of torch.float32; it must be torch.uint8",
        with_tensor("hidden1.linear.weight", torch.Tensor.float),
    ),
    spoilt(
        "NaN batch norm",
        "model.pt: node 'hidden1.norm': mean must be finite, but element 0 is NaN or infinite",
        with_tensor("hidden1.norm.mean", lambda mean: mean * math.nan),
    ),
    *(
        spoilt(
            f"{value} as {tensor}, {line}",
            f"model.pt: .*{tensor.rpartition('.')[2]}.* must .*finite.*",
            with_tensor(tensor, lambda values, value=value: torch.full_like(values, value)),
            line=line,
        )
        for tensor in ("hidden1.norm.mean", "hidden1.norm.variance", "hidden1.norm.weight", "output.norm.bias")
        for value in (math.nan, math.inf)
        for line in ("eval model.pt", "eval model.pt --engine torch", "inspect model.pt")
    ),
    *(
        spoilt(
            f"values beyond the network's, {line}",
            "the images of digits hold values from 0 to 16; the network takes -128 to 7: name the data set that .*",
            changed(lambda data: data["graph"]["inputs"][0].update(element={"kind": "int", "lo": -128, "hi": 7})),
            line=line,
        )
        for line in (
            "eval model.pt",
            "eval model.pt --engine torch",
            "verify model.pt",
            "verify model.pt --through graph --dataset digits",
            "sim model.pt",
            "prune model.pt --keep 0.5 --dataset digits -o out.pt",
        )
    ),
    spoilt(
        "negative variance",
        r"model.pt: node 'hidden1.norm': variance \+ eps must be positive, but can be -4.0 \+ 1e-05",
        with_tensor("hidden1.norm.variance", lambda variance: variance - 5),
    ),
    spoilt(
        "unknown op",
        "model.pt: node 'hidden1.linear' has op 'conv9d'; known ops are add, affine, average_pool, batch_norm, .*",
        changed(lambda data: nodes(data)[LINEAR].update(op="conv9d")),
    ),
    spoilt(
        "cycle",
        "model.pt: node 'hidden1.linear' reads 'hidden1.norm', which no input or earlier node defines",
        changed(lambda data: nodes(data)[LINEAR].update(inputs=["hidden1.norm"])),
    ),
    spoilt(
        "undefined value",
        "model.pt: node 'hidden1.linear' reads 'nowhere', which no input or earlier node defines",
        changed(lambda data: nodes(data)[LINEAR].update(inputs=["nowhere"])),
    ),
    spoilt(
        "value defined twice",
        "model.pt: node 'hidden1.linear' writes 'flatten', which is already defined",
        changed(lambda data: nodes(data)[LINEAR].update(output="flatten")),
    ),
    spoilt(
        "undefined output",
        "model.pt: output 'nowhere' is defined by no input or node",
        changed(lambda data: data["graph"].update(outputs=["nowhere"])),
    ),
    spoilt(
        "no sign between the layers",
        r"model.pt: node 'output.linear' \(BinaryLinear\): reads float values; a sign must come before every .*",
        changed(drop_sign),
    ),
    spoilt(
        "huge input",
        r"model.pt: input 'input' has shape \[1073741824, 8, 1\]; it must be one to three sizes, such as .*",
        changed(lambda data: data["graph"]["inputs"][0].update(shape=[2**30, 8, 1])),
    ),
    spoilt(
        "no class names",
        "model.pt: meta lacks the field 'classes'",
        changed(lambda data: data["meta"].pop("classes")),
    ),
    spoilt(
        "too few class names",
        r"model.pt: has an output of shape \(10,\); it must be one score for each of the 2 classes",
        changed(lambda data: data["meta"].update(classes=["a", "b"])),
    ),
    Case("folder", "inspect folder", "Invalid value for 'MODEL': File 'folder' is a directory. .*", {"folder/x": "x"}),
    Case("device", "inspect /dev/zero", "/dev/zero: is no regular file, not a model file"),
    Case(
        "not text as a name",
        "inspect 'a\nb.pt'",
        "a b.pt: no such file",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_names_what_is_amiss(case: Case, workplace: Path, capfd: pytest.CaptureFixture[str]):
    run_case(case, workplace, capfd)


@pytest.mark.parametrize("write", [lambda path: path.write_bytes(saved(Trap())), saved_as_of_old])
def test_the_trap_springs_where_it_is_trusted(write: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    write(Path("model.pt"))
    torch.load("model.pt", weights_only=False)
    assert Path("sprung").is_dir()


def test_names_a_file_that_must_not_be_read(workplace: Path, capfd: pytest.CaptureFixture[str]):
    case = Case(
        "unreadable",
        "inspect secret.pt",
        "secret.pt: cannot be read: Permission denied",
        {"secret.pt": lambda path: (path.touch(mode=0), None)},
    )
    run_case(case, workplace, capfd)


def test_shows_names_with_brackets(workplace: Path, capfd: pytest.CaptureFixture[str]):
    changed(lambda data: nodes(data)[LINEAR].update(name="[/red]"))(workplace / "[bold].pt")
    with pytest.raises(SystemExit) as end:
        main(["inspect", "[bold].pt"])
    assert end.value.code == 0
    out = capfd.readouterr().out
    assert "[/red]" in out
    assert "[bold].pt" in out
