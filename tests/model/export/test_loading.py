"""Files that are not sound are refused in one line that says why; nothing in them is run."""

import copy
import io
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from bnnhw.compiler.ir.graph import Graph
from bnnhw.model import BinaryLinear, load, read
from bnnhw.model.export.loading import input_of
from bnnhw.model.export.save_model import save
from tests.model.toy import names_and_ops, random_images, scramble, toy_network


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "model.pt"
    save(scramble(toy_network()), path, example_input=random_images())
    return path


def test_load_computes_the_same_bits(sound: Path) -> None:
    images = torch.from_numpy(random_images(500, seed=1)).float()
    assert torch.equal(load(sound)(images), scramble(toy_network())(images))


def test_read_tells_shape_range_layers_and_meta(sound: Path) -> None:
    model = read(sound)
    assert isinstance(model, Graph)
    assert input_of(model) == ((4, 3, 1), 0, 255)
    assert names_and_ops(model) == [
        ("0", "input_threshold"), ("1", "flatten"), ("2", "binary_linear"), ("3", "batch_norm"), ("4", "sign"),
        ("6", "binary_linear"), ("7", "affine"),
    ]  # fmt: skip
    assert model.meta["classes"] == ["0", "1", "2"]


def test_a_loaded_network_can_be_saved_again(sound: Path, tmp_path: Path) -> None:
    images = random_images(seed=2)
    save(load(sound), tmp_path / "again.pt", example_input=images)
    x = torch.from_numpy(images).float()
    assert torch.equal(load(tmp_path / "again.pt")(x), load(sound)(x))


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("echo boom > exploded",)


def foreign_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("letter.txt", "hello")
    return buffer.getvalue()


def torch_file(content: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda whole: b"", "is truncated, damaged or no model file"),
        (lambda whole: whole[: len(whole) // 2], "is truncated, damaged or no model file"),
        (lambda whole: whole[:-1], "is truncated, damaged or no model file"),
        (lambda whole: b"\x89PNG\r\n" + whole[6:], "is truncated, damaged or no model file"),
        (lambda whole: foreign_zip(), "is truncated, damaged or no model file"),
        (lambda whole: pickle.dumps(Bomb()), "is truncated, damaged or no model file"),
        (lambda whole: torch_file(Bomb()), "holds code or foreign objects, which are never run or loaded"),
        (lambda whole: torch_file(BinaryLinear(2, 2)), "holds code or foreign objects, which are never run or loaded"),
        (lambda whole: torch_file({"weight": torch.ones(3)}), "is a torch file, but no bnnhw-model file"),
        (lambda whole: torch_file([1, 2]), "is a torch file, but no bnnhw-model file"),
    ],
)
def test_files_of_other_kinds(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[bytes], bytes], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "bad.pt"
    path.write_bytes(change(sound.read_bytes()))
    with pytest.raises(ValueError) as caught:  # noqa: PT011 the whole message is compared
        load(path)
    assert str(caught.value) == f"{path}: {message}; write it with bnnhw train or bnnhw.model.export.save"
    assert not (tmp_path / "exploded").exists()


def node(data: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (node for node in data["graph"]["nodes"] if node["name"] == name)
    return found


LINEAR, NORM = "node '2'", "node '3'"
INPUT = r"input 'input' has element .*; it must be .*lo <= hi < lo \+ 2\^16"
DAMAGES: list[tuple[Callable[[dict[str, Any]], Any], str]] = [
    (lambda d: d.update(version=3), "has version 3; this bnnhw reads versions 1 and 2"),
    (lambda d: d.pop("graph"), "the file lacks the field 'graph'"),
    (lambda d: d.update(tensors=[1]), r"the file has tensors=\[1\]; it must be of type dict"),
    (lambda d: d.pop("meta"), "the file lacks the field 'meta'"),
    (lambda d: d["meta"].update(classes=["a"]), r"shape \(3,\); it must be one score for each of the 1 classes"),
    (lambda d: d["meta"].update(classes=7), "meta has classes=7; it must be of type list"),
    (lambda d: d["graph"]["inputs"].clear(), "a graph needs at least one input and one output"),
    (lambda d: d["graph"]["inputs"][0].update(shape=[4, 3, -1]), r"shape \[4, 3, -1\]; it must be one to three sizes"),
    (lambda d: d["graph"]["inputs"][0].update(shape=[4, "x"]), r"shape \[4, 'x'\]; it must be one to three sizes"),
    (lambda d: d["graph"]["inputs"][0].update(shape=[4, 3, 2]), rf"{LINEAR} .* reads shape \(24,\), but .*\(12,\)"),
    (lambda d: d["graph"]["inputs"][0]["element"].update(lo=300), INPUT),
    (lambda d: d["graph"]["inputs"][0]["element"].update(lo=True), "input 'input' has lo=True; it must be of type int"),
    (lambda d: d["graph"]["inputs"][0]["element"].update(kind="float"), INPUT),
    (lambda d: d["graph"]["outputs"].append("3"), "has 2 outputs; version 1 holds chains, which have one"),
    (lambda d: d["graph"].update(outputs=["3"]), r"output of shape \(9,\); it must be one score for each of the 3"),
    (lambda d: d["graph"]["nodes"].pop(2), "node '3' reads '2', which no input or earlier node defines"),
    (lambda d: d["graph"]["nodes"].insert(0, 5), "a node must be a dict, not int"),
    (lambda d: d["graph"]["nodes"].insert(-1, {**node(d, "4"), "name": "5", "output": "5"}), r"'5' takes \['3'\]"),
    (lambda d: node(d, "4").update(op="tanh"), "node '4' has op 'tanh'; known ops are add, affine, average_pool"),
    (lambda d: node(d, "1").update(op="identity"), rf"{LINEAR} .* reads shape \(4, 3, 1\)"),
    (lambda d: node(d, "0")["attributes"].clear(), "node '0' lacks the field 'threshold'"),
    (lambda d: node(d, "0")["attributes"].update(threshold="x"), "node '0' has threshold='x'; it must be of type int"),
    (lambda d: node(d, "0")["attributes"].update(threshold=float("nan")), "threshold must be finite, not nan"),
    (lambda d: node(d, "4")["attributes"].update(speed=9), "node '4' has the unknown attribute 'speed'"),
    (lambda d: node(d, "2")["attributes"].update(in_features=12.0), f"{LINEAR} has in_features=12.0; .* of type int"),
    (lambda d: node(d, "2")["attributes"].update(out_features=8), rf"{LINEAR} has a weight of .*shape \(8, 2\)"),
    (lambda d: node(d, "2")["attributes"].update(out_features=0), f"{LINEAR} has out_features=0; it must be at"),
    (lambda d: node(d, "2")["tensors"].clear(), f"{LINEAR} lacks its tensor 'weight'"),
    (lambda d: node(d, "2")["tensors"].update(gain="2.weight"), f"{LINEAR} has the unknown tensor 'gain'"),
    (lambda d: node(d, "2")["tensors"].update(bias="3.mean", scale="7.weight"), f"{LINEAR}: scale must have 9 el"),
    (lambda d: d["tensors"].pop("2.weight"), f"{LINEAR} wants tensor '2.weight' as its weight, which the file lacks"),
    (lambda d: d["tensors"].update({"2.weight": "x"}), f"{LINEAR} wants tensor '2.weight' as its weight"),
    (lambda d: d["tensors"]["2.weight"].fill_(255), f"{LINEAR} has set bits beyond column 12 of its weight"),
    (lambda d: d["tensors"].update({"3.mean": torch.zeros(8)}), f"{NORM}: variance must have 8 elements, not 9"),
    (lambda d: d["tensors"].update({"3.mean": torch.zeros(9).double()}), f"{NORM} has a mean of torch.float64"),
    (lambda d: d["tensors"]["3.weight"].__setitem__(4, float("inf")), f"{NORM}: weight must be finite, but element 4"),
    (lambda d: d["tensors"]["3.variance"].__setitem__(4, -1.0), rf"{NORM}: variance \+ eps must be positive"),
    (lambda d: node(d, "3")["tensors"].pop("bias"), f"{NORM}: weight and bias must both be given, or neither"),
    (lambda d: d["tensors"].update({"7.weight": torch.ones(2)}), r"'7' \(Affine\): weight must have 1 or 3 elements"),
]  # fmt: skip


@pytest.mark.parametrize(("damage", "message"), DAMAGES)
def test_damaged_fields(sound: Path, tmp_path: Path, damage: Callable[[dict[str, Any]], Any], message: str) -> None:
    data = copy.deepcopy(torch.load(sound, weights_only=True))
    damage(data)
    path = tmp_path / "bad.pt"
    torch.save(data, path)
    with pytest.raises(ValueError, match=message) as caught:
        load(path)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("path", ["missing.pt", "."])
def test_what_is_no_file(tmp_path: Path, path: str) -> None:
    with pytest.raises(OSError, match=r"No such file|Is a directory"):
        load(tmp_path / path)
