"""bnnhw import: what it prints, and files that it refuses in one line."""

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from bnnhw.cli import main
from bnnhw.compiler.frontends.model_file import load

from .case import Case, run_case
from .printed import printed

FIXTURES = Path(__file__).parents[1] / "data" / "qonnx"


def fixture(name: str = "fc_w2a2") -> bytes:
    return (FIXTURES / f"{name}.onnx").read_bytes()


def external(place: Path) -> None:
    model = onnx.load_model_from_string(fixture())
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "model.pt"
    place.write_bytes(model.SerializeToString())


def without_a_place(place: Path) -> None:
    """A node without a place, in the middle."""
    model = onnx.load_model_from_string(fixture())
    node = next(node for node in model.graph.node if node.op_type == "Relu")
    node.op_type = "Softmax"
    place.write_bytes(model.SerializeToString())


CASES = [
    Case("none", "import model.onnx -o new.pt", "model.onnx: no such file"),
    Case("a model.pt", "import model.pt -o new.pt", "model.pt: is truncated, damaged or no ONNX file"),
    Case("cut", "import cut.onnx -o new.pt", "cut.onnx: is truncated, damaged or no ONNX file",
         {"cut.onnx": fixture()[:5000]}),
    Case("external data", "import a.onnx -o new.pt", "a.onnx: tensor .* lies in another file, which is never read; .*",
         {"a.onnx": external}),
    Case("no place", "import a.onnx -o new.pt", r"a.onnx: node 'node_relu' \(Softmax\) computes with the .*",
         {"a.onnx": without_a_place}),
    Case("half a range", "import a.onnx -o new.pt --input-range 0", "--input-range must be two integers, such as .*",
         {"a.onnx": fixture()}),
    Case("words", "import a.onnx -o new.pt --input-mean grey", "Invalid value for '--input-mean': 'grey' must be .*",
         {"a.onnx": fixture()}),
    Case("no range", "import a.onnx -o new.pt --input-scale 2", "an input's scale, mean and std need its .*",
         {"a.onnx": fixture()}),
    Case("a folder", "import a.onnx -o build", "Invalid value for '--output' / '-o': File 'build' is a directory.*",
         {"a.onnx": fixture()}),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_bad_files(case: Case, workplace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run_case(case, workplace, capfd)


def test_tells_what_it_takes_and_compared(workplace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    shutil.copy(FIXTURES / "fc_normalised.onnx", "a.onnx")
    lines = printed("import -q a.onnx -o new.pt --images 3", capfd).splitlines()
    assert lines == [
        "takes integers 0..255 of shape (8, 8, 1), by node 'node_div', which divides by 255",
        "3 images executed by qonnx: 264 integers behind its quantisers, 0 different; 0 lie within float32's rounding "
        "of a step",
        "wrote new.pt",
    ]


def test_tells_it_as_data(workplace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    shutil.copy(FIXTURES / "conv_w2a2.onnx", "a.onnx")
    options = "--input-range 0,255 --input-scale 0.00390625 --input-mean 0.5,0.25,0.125"
    told = json.loads(printed(f"import -q --json a.onnx -o new.pt --images 3 {options}", capfd))
    assert (told["input"]["lo"], told["input"]["hi"], told["input"]["shape"]) == (0, 255, [12, 12, 3])
    assert told["input"]["bias"] == [-0.5, -0.25, -0.125]
    assert told["agreement"]["images"] == 3
    assert load(Path("new.pt")).meta["qonnx"]["input"] == "the given input range"


def test_damage_never_ends_otherwise(workplace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Bytes are spoilt at random: the file is imported, or refused in one line, and then nothing is written."""
    generator = np.random.default_rng(3)
    output = Path("new.pt")
    for _ in range(40):
        spoilt = bytearray(fixture("fc_w1a1" if generator.random() < 0.5 else "signed_w4a4"))
        for place in generator.integers(0, len(spoilt), 3):
            spoilt[place] = generator.integers(0, 256)
        Path("a.onnx").write_bytes(spoilt)
        with pytest.raises(SystemExit) as end:
            main(["import", "-q", "--images", "1", "a.onnx", "-o", "new.pt"])
        _, err = capfd.readouterr()
        assert (end.value.code, err.count("\n"), output.exists()) in ((0, 0, True), (2, 1, False)), err
        output.unlink(missing_ok=True)
