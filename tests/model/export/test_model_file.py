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

from bnnhw.model import BinaryLinear, load, read
from bnnhw.model.export.save_model import save
from tests.model.toy import random_images, scramble, toy_network


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
    assert (model.shape, model.lo, model.hi) == ((4, 3, 1), 0, 255)
    assert [(layer.name, layer.op) for layer in model.layers] == [
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
        (lambda whole: b"", "is truncated, damaged or no torch file"),
        (lambda whole: whole[: len(whole) // 2], "is truncated, damaged or no torch file"),
        (lambda whole: whole[:-1], "is truncated, damaged or no torch file"),
        (lambda whole: b"\x89PNG\r\n" + whole[6:], "is truncated, damaged or no torch file"),
        (lambda whole: foreign_zip(), "is truncated, damaged or no torch file"),
        (lambda whole: pickle.dumps(Bomb()), "is truncated, damaged or no torch file"),
        (lambda whole: torch_file(Bomb()), "holds code or foreign objects, which are never run or loaded"),
        (lambda whole: torch_file(BinaryLinear(2, 2)), "holds code or foreign objects, which are never run or loaded"),
        (lambda whole: torch_file({"weight": torch.ones(3)}), "holds no bnnhw-model"),
        (lambda whole: torch_file([1, 2]), "holds no bnnhw-model"),
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


LINEAR, NORM = r"layer '2' \(binary_linear\)", r"layer '3' \(batch_norm\)"
DAMAGES: list[tuple[Callable[[dict[str, Any]], Any], str]] = [
    (lambda d: d.update(version=2), "has version 2; this bnnhw reads version 1"),
    (lambda d: d.pop("graph"), "lacks 'graph', which must be of type dict"),
    (lambda d: d.update(tensors=[1]), "lacks 'tensors', which must be of type dict"),
    (lambda d: d.pop("meta"), "lacks 'meta'"),
    (lambda d: d["meta"].update(classes=["a"]), "meta names 1 classes but the network has 3 scores"),
    (lambda d: d["meta"].update(classes=7), "meta's classes must be a list of names, not 7"),
    (lambda d: d["graph"]["inputs"].clear(), "has 0 inputs and 1 outputs; one of each is needed"),
    (lambda d: d["graph"]["inputs"][0].update(shape=[4, 3, -1]), "shape must be one to three sizes.*-1"),
    (lambda d: d["graph"]["inputs"][0].update(shape=[4, "x"]), "shape must be one to three sizes"),
    (lambda d: d["graph"]["inputs"][0].update(shape=[4, 3, 2]), rf"{LINEAR} maps \(12,\) to \(9,\); .* shape \(24,\)"),
    (lambda d: d["graph"]["inputs"][0]["element"].update(lo=300), "two integers lo <= hi, not lo=300, hi=255"),
    (lambda d: d["graph"]["inputs"][0]["element"].update(lo=True), "two integers lo <= hi, not lo=True"),
    (lambda d: d["graph"]["inputs"][0]["element"].update(kind="float"), "has an input of kind 'float'"),
    (lambda d: d["graph"]["outputs"].append("3"), "has 1 inputs and 2 outputs"),
    (lambda d: d["graph"].update(outputs=["3"]), r"gives out \['3'\]; a chain gives out the last value, \['7'\]"),
    (lambda d: d["graph"]["nodes"].pop(2), r"layer '3' takes \['2'\]; in a chain it takes \['1'\]"),
    (lambda d: d["graph"]["nodes"].insert(0, 5), "lacks 'name', which must be of type str"),
    (lambda d: node(d, "4").update(op="tanh"), "layer '4' has the unknown op 'tanh'; known ones are input_threshold"),
    (lambda d: node(d, "1").update(op="identity"), rf"{LINEAR} maps .* has shape \(4, 3, 1\)"),
    (lambda d: node(d, "0")["attributes"].clear(), r"layer '0' \(input_threshold\) attribute 'threshold' is missing"),
    (lambda d: node(d, "0")["attributes"].update(threshold="x"), "threshold of layer '0' .* must be a finite float"),
    (lambda d: node(d, "0")["attributes"].update(threshold=float("nan")), "threshold of .* finite float, not nan"),
    (lambda d: node(d, "4")["attributes"].update(speed=9), r"layer '4' \(sign\) attribute 'speed' is unknown"),
    (lambda d: node(d, "2")["attributes"].update(in_features=12.0), f"in_features of {LINEAR} must be a finite int"),
    (lambda d: node(d, "2")["attributes"].update(out_features=8), rf"weight of {LINEAR} must be uint8 \(8, 2\), not"),
    (lambda d: node(d, "2")["attributes"].update(out_features=0), r"maps \(12,\) to \(0,\)"),
    (lambda d: node(d, "2")["tensors"].clear(), f"{LINEAR} tensor 'weight' is missing"),
    (lambda d: node(d, "2")["tensors"].update(gain="2.weight"), f"{LINEAR} tensor 'gain' is unknown"),
    (lambda d: node(d, "2")["tensors"].update(bias="3.mean", scale="7.weight"), f"scale of {LINEAR} must be float32"),
    (lambda d: d["tensors"].pop("2.weight"), "layer '2' wants tensor '2.weight', which is missing"),
    (lambda d: d["tensors"].update({"2.weight": "x"}), "layer '2' wants tensor '2.weight', which is missing"),
    (lambda d: d["tensors"]["2.weight"].fill_(255), f"weight of {LINEAR} has bits set beyond column 12"),
    (lambda d: d["tensors"].update({"3.mean": torch.zeros(8)}), rf"mean of {NORM} must be float32 \(9,\), not float32"),
    (lambda d: d["tensors"].update({"3.mean": torch.zeros(9).double()}), rf"mean of {NORM} must be .*, not float64"),
    (lambda d: d["tensors"]["3.weight"].__setitem__(4, float("inf")), f"weight of {NORM} must hold finite numbers"),
    (lambda d: d["tensors"]["3.variance"].__setitem__(4, -1.0), f"variance and eps of {NORM} must be at least 0"),
    (lambda d: node(d, "3")["tensors"].pop("bias"), f"{NORM} must have both weight and bias, or neither"),
    (lambda d: d["tensors"].update({"7.weight": torch.ones(2)}), r"of layer '7' .* float32 \(1,\) or \(3,\), not"),
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
