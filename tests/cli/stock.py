"""The sound things that bad input is made from: a small model, the folder of its build, an image."""

import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from bnnhw.boards.board import get_board
from bnnhw.boards.build import make_top
from bnnhw.boards.design import emit_design
from bnnhw.boards.link_choice import LinkChoice
from bnnhw.boards.manifest import describe_build, network_id
from bnnhw.compiler import integerize, load
from bnnhw.compiler.dataflow.schedule import Schedule
from bnnhw.compiler.search.scheduling import schedule
from bnnhw.hw.link.phy.uart_port import UartPort
from bnnhw.hw.targets import get_device
from bnnhw.hw.targets.ecp5.pll import pll_settings
from bnnhw.model.export.save_model import save
from bnnhw.model.networks.catalogue import Architecture, build_network

__all__ = ["model_bytes", "write_design", "write_stock"]

BAUD, CLOCK_HZ, MODEL_SHA256 = 3_000_000, 100_000_000, "0" * 64
DIGITS = {"shape": (8, 8, 1), "lo": 0, "hi": 16, "classes": 10}


@cache
def model_bytes(*widths: int) -> bytes:
    """The model.pt of a perceptron for the digits, with random weights and hidden layers of `widths`."""
    with tempfile.TemporaryDirectory() as name, torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        network = build_network(Architecture(widths=widths), **DIGITS)
        path = Path(name) / "model.pt"
        example = np.random.default_rng(0).integers(0, 17, (2, 8, 8, 1))
        meta = {"network": "mlp", "dataset": "digits", "classes": [str(digit) for digit in range(10)]}
        save(network, path, example_input=example, input_range=(0, 16), meta=meta)
        return path.read_bytes()


def write_stock(folder: Path) -> None:
    """Writes model.pt, build/ and digit.png."""
    (folder / "model.pt").write_bytes(model_bytes(8))
    Image.fromarray(np.full((8, 8), 85, np.uint8)).save(folder / "digit.png")
    (folder / "build").mkdir()
    (folder / "build" / "top.bit").write_bytes(b"\xff\x00bits")
    (folder / "build" / "manifest.json").write_text(
        describe_build(
            planned(folder / "model.pt"),
            classes=tuple("0123456789"),
            link=LinkChoice(baud=BAUD),
            clock_hz=CLOCK_HZ,
            model_sha256=MODEL_SHA256,
            board="ulx3s-85f",
            seed=1,
            versions={},
        ).to_json()
    )


def write_design(path: Path) -> None:
    """Writes the stock's design, build/top.il: what a simulation of the build needs besides."""
    plan, board = planned(path.parents[1] / "model.pt"), get_board("ulx3s-85f")
    top = make_top(
        plan, clock_hz=CLOCK_HZ, port=UartPort(clock_hz=CLOCK_HZ, baud=BAUD), network_id=network_id(plan, MODEL_SHA256)
    )
    pll = pll_settings(input_hz=board.clock_hz, output_hz=CLOCK_HZ)
    path.write_text(emit_design(top, board, pll=pll).rtlil)


def planned(model: Path) -> Schedule:
    """A small and slow schedule of `model` for the default board."""
    return schedule(integerize(load(model)), get_device("LFE5U-85F"), target_fps=1e5)
