"""Operators one after the other: as a model, as commands have them; and what is told of them."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import bnnhw
from bnnhw import hls
from bnnhw.cli import main
from bnnhw.compiler.frontends.model_file import load
from bnnhw.compiler.ir.graph import evaluate

CAMERA = """
import numpy as np
from bnnhw import hls

@hls.pointwise(gain=[300, 256, 411], black=[16, 17, 16])
def white_balance(x, gain, black):
    return np.minimum((np.maximum(x - black, 0) * gain) >> 8, 255)

@hls.pixelwise
def grey(pixel):
    return (77 * pixel[0] + 150 * pixel[1] + 29 * pixel[2] + 128) >> 8

@hls.window(3, 3, padding=1, border="edge")
def smooth(w):
    return w.sum(axis=(0, 1)) * 57 >> 9

chain = hls.chain(white_balance, grey, smooth, smooth, size=(6, 8, 3), input="u8")
"""


KINDS = ("pointwise", "pixelwise", "window", "window")


@pytest.fixture
def camera(tmp_path: Path) -> Path:
    (tmp_path / "camera.py").write_text(CAMERA)
    return tmp_path / "camera.py"


def test_a_chain_is_a_model(camera: Path, tmp_path: Path):
    bnnhw.save_chain(f"{camera}:chain", tmp_path / "chain.pt")
    graph = load(tmp_path / "chain.pt")
    assert [node.name for node in graph.nodes] == ["white_balance", "grey", "smooth", "smooth.3"]
    from bnnhw.compiler.frontends.operators import object_in

    images = np.random.default_rng(0).integers(0, 256, (5, 6, 8, 3))
    (found,) = evaluate(graph, {graph.inputs[0].name: images}).values()
    np.testing.assert_array_equal(found, object_in(f"{camera}:chain")(images))
    assert bnnhw.verify(tmp_path / "chain.pt", through="rtl", samples=5).is_equal


def test_rearrangements_are_torchs():
    images = torch.arange(2 * 4 * 6 * 4).reshape(2, 4, 6, 4)
    first = images.movedim(3, 1).float()
    for ours, theirs in [
        (hls.space_to_depth(2), nn.PixelUnshuffle(2)),
        (hls.pixel_shuffle(2), nn.PixelShuffle(2)),
        (hls.crop(top=1, right=2), nn.ZeroPad2d((0, -2, -1, 0))),
    ]:
        np.testing.assert_array_equal(ours(images.numpy()), theirs(first).movedim(1, 3).numpy())


def test_rearrangements_stand_in_chains(tmp_path: Path):
    mosaic = hls.pixelwise(lambda pixel: (pixel[0], (pixel[1] + pixel[2]) >> 1, pixel[3], pixel[0]))
    chain = hls.chain(
        hls.crop(top=2, left=4), hls.space_to_depth(2), mosaic, hls.pixel_shuffle(2), size=(10, 12), input="u4"
    )
    bnnhw.save_chain(chain, tmp_path / "chain.pt")
    assert bnnhw.verify(tmp_path / "chain.pt", through="rtl", samples=5).is_equal
    images = np.random.default_rng(0).integers(0, 16, (5, 10, 12, 1))
    graph = load(tmp_path / "chain.pt")
    (found,) = evaluate(graph, {graph.inputs[0].name: images}).values()
    np.testing.assert_array_equal(found, chain(images))


def test_commands_take_a_chain_of_a_python_file(
    camera: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["build", "--board", "ulx3s", "camera.py:chain", "-o", "build", "--stop-after", "rtl", "-q"])
    assert not ended.value.code
    assert json.loads((tmp_path / "build" / "folding.json").read_text())["input"] == {"lanes": 1, "pixels": 1}


def test_a_chain_is_a_table(camera: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(["inspect", f"{camera}:chain"])
    assert not ended.value.code
    text = capsys.readouterr().out
    assert all(kind in text for kind in KINDS)


def test_a_command_shows_ranges_stages_and_cells(camera: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(["operator", f"{camera}:smooth", "--size", "8x6", "--clock-mhz", "150"])
    assert not ended.value.code
    text = capsys.readouterr().out
    assert "smooth operator" in text
    assert "camera.py:15" in text
    with pytest.raises(SystemExit):
        main(["operator", f"{camera}:chain", "--json", "--pixels", "2"])
    report = json.loads(capsys.readouterr().out)
    assert report["values"][-1] == ["smooth.3", [6, 8, 1], 0, 255]


def test_operators_stand_in_reports_and_tables(camera: Path, tmp_path: Path):
    bnnhw.save_chain(f"{camera}:chain", tmp_path / "chain.pt")
    summary = bnnhw.inspect(tmp_path / "chain.pt").summary
    assert summary is not None
    assert [layer.op for layer in summary.layers] == [f"Operator, {kind}" for kind in KINDS]
    plan = bnnhw.PlanOptions(board="ulx3s-85f", target_fps=100)
    report = bnnhw.build(tmp_path / "chain.pt", tmp_path / "build", plan=plan, stop_after="rtl")
    programs = [unit.latency for unit in report.units if unit.engine == "operator"]
    assert len(programs) == len(KINDS)
    assert all(programs)
    page = (tmp_path / "build" / "report.html").read_text()
    assert f"{programs[0]} stages" in page


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["operator", "CAMERA:grei"], "has no operator or chain 'grei'; it has chain, grey, smooth, white_balance"),
        (["operator", "no.py:grey"], "no.py: no such file"),
        (["operator", "CAMERA:grey"], "camera.py:11: "),
        (["operator", "CAMERA:grey", "--size", "8x6x3", "--pixels", "3"], "pixels=3 must divide 3 channels and 8 "),
        (["operator", "CAMERA:grey", "--size", "8 by 6"], "'8 by 6' is no size such as 640x480 or 640x480x3."),
        (["operator", "CAMERA:grey", "--input", "u99"], "input='u99' must be u or s and 1 to 16 bits"),
        (["operator", "CAMERA:smooth", "--clock-mhz", "600"], "camera.py:15: add of "),
        (["build", "CAMERA:grey"], "is an operator by itself; say what images it is for, as in hls.chain(grey, size="),
    ],
)
def test_what_cannot_be_is_told_in_one_line(
    camera: Path, command: list[str], message: str, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit) as ended:
        main([each.replace("CAMERA", str(camera)) for each in command])
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": (4, 4)}, "a chain must have operators, made by @hls.pointwise, @hls.window, .., not none"),
        ({"size": (4,), "operators": True}, r"size=\(4,\) must be \(height, width, channels\)"),
        ({"size": (4, 4), "operators": True, "input": (3, 3)}, r"input=\(3, 3\) must be u or s and 1 to 16 bits"),
    ],
)
def test_a_chain_is_checked(arguments: dict, message: str):
    operators = [hls.pointwise(lambda x: x + 1)] if arguments.pop("operators", False) else []
    with pytest.raises(hls.OperatorError, match=f"^{message}"):
        hls.chain(*operators, **arguments)
