"""The virtual board: small builds behind a pseudo-terminal, through the very driver that talks to a real board."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import serial

from bnnhw.boards.accelerator import Accelerator
from bnnhw.boards.board import BOARDS, get_board
from bnnhw.boards.build import make_top
from bnnhw.boards.design import emit_design
from bnnhw.boards.manifest import describe_build
from bnnhw.boards.serial_port import LinkError, open_port
from bnnhw.compiler import evaluate, integerize, load
from bnnhw.compiler.folding import Folding, FoldingPlan
from bnnhw.compiler.pipeline import build_pipeline
from bnnhw.compiler.schedule import Schedule, apply_plan, split_host
from bnnhw.hw.pll import pll_settings
from bnnhw.hw.protocol import Decoder, ErrorCode, Frame, Kind, encode
from bnnhw.sim import native
from bnnhw.sim.errors import SimulationError
from bnnhw.sim.virtual_board import VirtualBoard
from tests.boards.networks import Output
from tests.compiler.make_model import make_model

CLOCK_HZ = 12_500_000  # low, so that the device's time-outs are few cycles
IMAGES = np.random.default_rng(3).integers(0, 256, (10, 4, 4, 1))
PATIENCE_S = 60


def make_schedule(folder: Path, *, output: Output, binarise: bool) -> Schedule:
    """A network 16-16-12-5 that computes one row at a time."""
    model = make_model(
        seed=1,
        shape=IMAGES.shape[1:],
        hidden=(16, 12),
        chain="scaled",
        binarise=binarise,
        output="none" if output == "scores" else "affine",
    )
    graph = integerize(load(model.save(folder / "model.pt")), output=output)
    layers = build_pipeline(split_host(graph)[1]).layers
    plan = FoldingPlan(tuple((layer.name, Folding(1, layer.cols)) for layer in layers))
    board = get_board("ulx3s-85f")
    return apply_plan(graph, plan, device=board.device, clock_hz=CLOCK_HZ)


def write_build(folder: Path, *, output: Output = "label", binarise: bool = True, board: str = "ulx3s-85f") -> Schedule:
    """The RTL and the manifest of such a network."""
    schedule, target = make_schedule(folder, output=output, binarise=binarise), get_board(board)
    pll = pll_settings(input_hz=target.clock_hz, output_hz=CLOCK_HZ)
    manifest = describe_build(
        schedule,
        classes=("a", "b", "c", "d", "e"),
        baud=1_000_000,
        clock_hz=pll.output_hz,
        model_sha256="0" * 64,
        board=board,
        seed=1,
        versions={},
    )
    network_id = bytes.fromhex(manifest.network_id)
    top = make_top(schedule, clock_hz=pll.output_hz, baud=manifest.baud, network_id=network_id)
    (folder / "top.il").write_text(emit_design(top, target, pll=pll).rtlil)
    (folder / "manifest.json").write_text(manifest.to_json())
    return schedule


def expected_answers(schedule: Schedule) -> np.ndarray:
    """The integer graph's answers to IMAGES."""
    (values,) = evaluate(schedule.host_graph, {schedule.host_graph.inputs[0].name: IMAGES}).values()
    (answers,) = evaluate(schedule.core_graph, {schedule.core_graph.inputs[0].name: values}).values()
    return answers


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Schedule]:
    folder = tmp_path_factory.mktemp("build")
    return folder, write_build(folder)


@pytest.mark.parametrize(("output", "binarise"), [("label", True), ("scores", False)])
def test_answers_what_the_integer_graph_does(tmp_path: Path, output: Output, binarise: bool):
    expected = expected_answers(schedule := write_build(tmp_path, output=output, binarise=binarise))
    assert len(np.unique(expected, axis=0)) > 1
    with VirtualBoard(tmp_path) as board, Accelerator.open(tmp_path, port=board.port, timeout_s=60) as accelerator:
        assert accelerator.answer(IMAGES[0]).cycles == schedule.timing.latency
        answers = list(accelerator.answers(IMAGES))
    assert [answer.index if output == "label" else answer.scores for answer in answers] == expected.tolist()
