"""A core alone, from a model to its own bench, which runs where bnnhw is not."""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from torch import nn

import bnnhw
from bnnhw.compiler.report import read
from bnnhw.model import BinaryConv2d, BinaryLinear, TensorNorm, ToChannelsFirst, ToChannelsLast
from bnnhw.model.export import save
from tests.branches import DenseDigits, layer, shaken

FILES = {
    *("README.md", "Makefile", "bnn_model.v", "bnn_model.core", "test_bnn_model.py", "golden_in.hex"),
    *("golden_out.hex", "golden.npz", "folding.json", "report.html", "report.json"),
}


def run_bench(folder: Path) -> subprocess.CompletedProcess[str]:
    """`make` in the folder of a core, in a Python that cannot import bnnhw."""
    stub = folder.parent / "stub"
    stub.mkdir(exist_ok=True)
    (stub / "bnnhw.py").write_text("raise ImportError('bnnhw is not here')\n")
    environment = {**os.environ, "PYTHONPATH": str(stub), "COCOTB_ANSI_OUTPUT": "0"}
    return subprocess.run(["make"], cwd=folder, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory, stock: Path) -> Path:
    """The folder of a core that answers with scores, each of which depends on every weight of the last layer."""
    folder = tmp_path_factory.mktemp("core") / "out"
    bnnhw.build_core(stock / "model.pt", folder, plan=bnnhw.PlanOptions(outputs="scores", target_fps=300_000))
    return folder


def test_the_folder(core: Path):
    assert {path.name for path in core.iterdir()} == FILES
    report = read(core)
    readme, cells = (core / "README.md").read_text(), report.resources.estimated
    assert report.provenance.board == "any FPGA"
    assert f"in the steady state | {report.performance.interval_cycles} |" in readme
    assert cells is not None
    assert f"{cells.logic} LUTs of 4 inputs, {cells.ffs} flip-flops, {cells.ebr} block RAMs" in readme
    texts = [path.read_text() for path in core.iterdir() if path.suffix != ".npz"]
    assert [text for text in texts if str(core.parent) in text] == []
    assert not re.search("CCU2C|DP16KD|TRELLIS", (core / "bnn_model.v").read_text())


def test_the_same_model_gives_the_same_bytes(core: Path, tmp_path: Path, stock: Path):
    plan = bnnhw.PlanOptions(outputs="scores", folding=core / "folding.json")
    bnnhw.build_core(stock / "model.pt", tmp_path / "again", plan=plan)
    bnnhw.build_core(stock / "model.pt", tmp_path / "again", plan=plan)  # replaces the former one
    texts = FILES - {"golden.npz"}  # a zip, which holds the time
    differences = [name for name in texts if (core / name).read_text() != (tmp_path / "again" / name).read_text()]
    assert differences == []


@pytest.mark.cocotb
def test_its_bench_passes_without_us(core: Path):
    done = run_bench(core)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "TESTS=6 PASS=6 FAIL=0" in done.stdout
    performance = read(core).performance
    latency, interval = performance.latency_cycles, performance.interval_cycles
    assert f"8 answers right, after {latency} cycles the first, then every {interval} cycles" in done.stdout


def flip(text: str, pattern: str) -> str:
    """`text` with the lowest bit of the hexadecimal digit flipped that `pattern` ends at."""
    (found,) = re.finditer(pattern, text, re.DOTALL)
    return f"{text[: found.end() - 1]}{int(found[0][-1], 16) ^ 1:x}{text[found.end() :]}"


@pytest.mark.cocotb
@pytest.mark.parametrize(
    ("file", "spoil", "message"),
    [
        (
            "bnn_model.v",
            lambda text: flip(text, r"\nmodule \S+output_linear\.rom .*?\[0\] = \d+'h[0-9a-f]+"),
            r"frame 0: [0-9a-f ]+ where [0-9a-f ]+ is right",
        ),
        ("golden_out.hex", lambda text: flip(text, r"// frame 7\n(\w+\n)*\w+(?=\n$)"), "frame 7: .* is right"),
        ("golden_in.hex", lambda text: re.sub(r"// frame 1\n\w\w", "// frame 1\nff", text), "frame 1: .* is right"),
        (
            "bnn_model.v",
            lambda text: re.sub(r"(assign m_axis_tdata = .*);", r"\1 ^ !m_axis_tready;", text),
            r"became \d+ before it was taken",
        ),
        (
            "bnn_model.v",
            lambda text: text.replace(".rst(rst)", ".rst(1'h0)", 1),
            r"after_a_reset +FAIL",
        ),
        ("test_bnn_model.py", lambda text: re.sub(r"INTERVAL = \d+", "INTERVAL = 1", text), "not every 1"),
        ("test_bnn_model.py", lambda text: re.sub(r"LATENCY = \d+", "LATENCY = 9", text), r"cycles, not 9"),
    ],
    ids=["weight", "answer", "image", "beat that changes", "no reset", "interval", "latency"],
)
def test_its_bench_finds_what_is_wrong(
    core: Path, tmp_path: Path, file: str, spoil: Callable[[str], str], message: str
):
    folder = tmp_path / "out"
    folder.mkdir()
    for path in core.iterdir():
        if path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())
    text = (folder / file).read_text()
    (folder / file).write_text(spoil(text))
    assert spoil(text) != text
    done = run_bench(folder)
    assert done.returncode != 0
    assert re.search(message, done.stdout), done.stdout


def small_convolution() -> nn.Module:
    return nn.Sequential(
        ToChannelsFirst(),
        *layer(BinaryConv2d(1, 6, 3, padding=1), 6, nn.MaxPool2d(2)),
        ToChannelsLast(),
        nn.Flatten(),
        BinaryLinear(96, 10),
        TensorNorm(),
    )


@pytest.mark.slow
@pytest.mark.cocotb
@pytest.mark.parametrize(
    ("network", "plan"),
    [
        (small_convolution, {}),
        (small_convolution, {"board": "ulx3s-12f", "target_fps": 300_000, "outputs": "scores"}),
        (lambda: DenseDigits(growth=4, depth=1), {"outputs": "scores"}),
        (lambda: DenseDigits(growth=4, depth=1), {"board": "ecpix5-45f", "target_fps": 300_000}),
    ],
    ids=["convolution", "convolution of an ECP5", "fork and join", "fork and join of an ECP5"],
)
def test_benches_of_other_networks_pass(network: Callable[[], nn.Module], plan: dict, tmp_path: Path):
    images = np.random.default_rng(0).integers(0, 17, (20, 8, 8, 1))
    meta = {"dataset": "digits", "network": "x", "classes": [str(digit) for digit in range(10)]}
    save(shaken(network()), tmp_path / "2 nets.pt", example_input=images, input_range=(0, 16), meta=meta)
    bnnhw.build_core(tmp_path / "2 nets.pt", tmp_path / "out", plan=bnnhw.PlanOptions(**plan))
    assert ("CCU2C" in (tmp_path / "out" / "bnn_2_nets.v").read_text()) == ("board" in plan)
    done = run_bench(tmp_path / "out")
    assert done.returncode == 0, done.stdout + done.stderr
