"""Files that version 0.1 wrote load for ever, and mean what they meant.

In tests/data/v0_1/, all written by 0.1.0: `dense` (mlp, 2 layers of 8) and `lenet` (xnor, a quarter of its channels),
trained on digits; `layers`, whose chain has the ops that those leave out; `abc`, a network for torch only; the build of
`dense`, less what place and route would add; and the answers that 0.1.0 gave. The link of that build speaks version 1,
which no host speaks any more.
"""

import gzip
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import bnnhw.model
from bnnhw.api.builds.built import Build
from bnnhw.boards.build import make_top
from bnnhw.boards.design import emit_design
from bnnhw.boards.manifest import Manifest, network_id
from bnnhw.cli import main
from bnnhw.compiler import evaluate, integerize, load
from bnnhw.compiler.errors import TorchOnlyError
from bnnhw.compiler.frontends.model_file import to_plain
from bnnhw.compiler.kernel.packed_kernel import PackedKernel
from bnnhw.compiler.lowering.folding_plan import read_folding
from bnnhw.compiler.report import read
from bnnhw.lowlight.network.file import load_network

OLD = Path(__file__).parent / "data" / "v0_1"
BUILD = OLD / "dense"
CHAINS = ("dense", "lenet", "layers")
OPS = {
    "input_threshold",
    "flatten",
    "binary_linear",
    "binary_conv2d",
    "max_pool",
    "average_pool",
    "global_average_pool",
}
OPS |= {"batch_norm", "affine", "hard_tanh", "relu", "sign", "quantise"}


def kept(name: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(images, labels) that lie beside a model."""
    answers = np.load(OLD / "answers.npz")
    return answers[f"{name}_images"].astype(np.int64), answers[f"{name}_labels"].astype(np.int64)


@pytest.mark.parametrize("name", [*CHAINS, "abc"])
def test_torch_gives_the_labels(name: str):
    images, labels = kept(name)
    network = bnnhw.model.load(OLD / f"{name}.pt")
    with torch.inference_mode():
        scores = network(torch.as_tensor(images).float())
    assert scores.argmax(1).tolist() == labels.tolist()


@pytest.mark.parametrize("name", CHAINS)
def test_integers_and_packed_kernel_give_the_labels(name: str):
    images, labels = kept(name)
    graph = integerize(load(OLD / f"{name}.pt"), output="label")
    answers = evaluate(graph, {graph.inputs[0].name: images})[graph.outputs[0]]
    assert answers.reshape(-1).tolist() == labels.tolist()
    assert np.ravel(PackedKernel(graph)(images)).tolist() == labels.tolist()


@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_is_written_as_it_was(name: str):
    old, new = torch.load(OLD / f"{name}.pt", weights_only=True), to_plain(load(OLD / f"{name}.pt"))
    assert new.keys() == old.keys()
    assert new["tensors"].keys() == old["tensors"].keys()
    assert all(torch.equal(tensor, old["tensors"][key]) for key, tensor in new["tensors"].items())
    assert {key: new[key] for key in new if key != "tensors"} == {key: old[key] for key in old if key != "tensors"}


def test_kept_models_have_every_op_that_export_wrote():
    files = [torch.load(OLD / f"{name}.pt", weights_only=True) for name in CHAINS]
    assert {node["op"] for file in files for node in file["graph"]["nodes"]} == OPS


def test_a_network_for_torch_only_keeps_its_obstacle():
    with pytest.raises(TorchOnlyError, match=r"layer 'conv1.conv' has weights of 1 bits and 3 binary bases"):
        load(OLD / "abc.pt")


def test_manifest_folding_and_report_of_a_build_are_read():
    manifest, report = Manifest.read(BUILD), read(BUILD)
    assert (manifest.board, manifest.input_threshold, manifest.link) == ("ulx3s-12f", 8, 1)
    assert [output.kind for output in manifest.outputs] == ["label"]
    assert manifest.versions["bnnhw"] == "0.1.0"
    assert report.provenance.versions == manifest.versions
    assert report.performance.latency_cycles > 0
    assert len(read_folding(BUILD / "folding.json").layers) == 3


def test_golden_answers_of_a_build_hold():
    golden = np.load(BUILD / "golden.npz")
    graph = integerize(load(OLD / "dense.pt"), output="label")
    assert np.ravel(PackedKernel(graph)(golden["images"])).tolist() == golden["answers"].tolist()


def core_modules(design: str) -> dict[str, str]:
    """The text of each module of a design's core, without the source's lines and the numbers of ports without names."""
    modules = re.findall(r"^module (\\top\.component\.core\S*)$(.*?)^end$", design, re.MULTILINE | re.DOTALL)
    return {name: re.sub(r"attribute \\src .*|(?<=port\$)\d+", "", text) for name, text in modules}


def test_the_core_of_a_build_is_made_again_to_the_letter():
    build = Build.read(BUILD, model=OLD / "dense.pt")
    schedule = build.plan.schedule(integerize(load(OLD / "dense.pt"), output="label"))
    identity = network_id(schedule, build.manifest.model_sha256)
    assert identity.hex() == build.manifest.network_id
    clock_hz = round(build.manifest.clock_hz)
    board = build.plan.target
    pll = board.target.clock_settings(input_hz=board.clock_hz, output_hz=clock_hz)
    port = build.manifest.link_choice.port(board, clock_hz=clock_hz)
    top = make_top(schedule, clock_hz=clock_hz, port=port, network_id=identity)
    new, old = (
        core_modules(design)
        for design in (
            emit_design(top, board, pll=pll).rtlil,
            gzip.decompress((BUILD / "top.il.gz").read_bytes()).decode(),
        )
    )
    assert len(old) == 22
    assert new == old


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (
            "run --simulate {build} {image}",
            r"the design on the board at /dev/\S+ was built by an older bnnhw: its link "
            r"has version 1, not 2; build it again, and flash that",
        ),
        (
            "verify {model} --build {build}",
            r".*/top.il is not what this version makes of the model and folding.json; "
            r"build it again",
        ),
    ],
)
def test_a_build_whose_link_is_older_is_refused_in_one_line(
    command: str, message: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    build, image = tmp_path / "build", tmp_path / "image.npy"
    shutil.copytree(BUILD, build)
    (build / "top.il").write_bytes(gzip.decompress((BUILD / "top.il.gz").read_bytes()))
    np.save(image, kept("dense")[0][0])
    with pytest.raises(SystemExit) as ended:
        main(command.format(build=build, image=image, model=OLD / "dense.pt").split())
    assert ended.value.code == 2
    assert re.fullmatch(rf"bnnhw: error: {message}\n", capfd.readouterr().err)


def test_a_low_light_network_gives_its_picture(tmp_path: Path):
    """To 1e-5: torch's convolutions of real numbers add up in an order of each processor's own."""
    path = tmp_path / "lowlight.pt"
    path.write_bytes(gzip.decompress((OLD / "lowlight.pt.gz").read_bytes()))
    network, meta, _ = load_network(path)
    example = np.load(OLD / "lowlight.npz")
    with torch.inference_mode():
        picture = network(torch.as_tensor(example["mosaic"]).float() / 256)
    assert meta["bnnhw"] == "0.1.0"
    np.testing.assert_allclose(picture.numpy(), example["picture"], rtol=0, atol=1e-5)
