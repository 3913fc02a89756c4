"""The virtual board: small builds behind a pseudo-terminal, through the very driver that talks to a real board."""

from pathlib import Path

import numpy as np
import pytest

from bnnhw.boards.accelerator import Accelerator
from bnnhw.boards.board import get_board
from bnnhw.boards.build import make_top
from bnnhw.boards.design import emit_design
from bnnhw.boards.manifest import describe_build
from bnnhw.compiler import evaluate
from bnnhw.compiler.schedule import Schedule
from bnnhw.hw.pll import pll_settings
from bnnhw.sim.virtual_board import VirtualBoard
from tests.boards.networks import Output, make_schedule

IMAGES = np.random.default_rng(3).integers(0, 256, (6, 4, 3, 1))
CLASSES = ("a", "b", "c", "d", "e")
BOARD = get_board("ulx3s-85f")


def write_build(
    folder: Path, *, output: Output = "label", binarise: bool = True, clock_hz: int = 100_000_000
) -> Schedule:
    """The RTL and the manifest of a network 12-8-6-5."""
    schedule = make_schedule(folder, seed=5, output=output, binarise=binarise, pe=1)
    pll = pll_settings(input_hz=BOARD.clock_hz, output_hz=clock_hz)
    manifest = describe_build(
        schedule,
        classes=CLASSES,
        baud=3_000_000,
        clock_hz=pll.output_hz,
        model_sha256="0" * 64,
        board=BOARD.name,
        seed=1,
        versions={},
    )
    network_id = bytes.fromhex(manifest.network_id)
    top = make_top(schedule, clock_hz=pll.output_hz, baud=manifest.baud, network_id=network_id)
    (folder / "top.il").write_text(emit_design(top, BOARD, pll=pll).rtlil)
    (folder / "manifest.json").write_text(manifest.to_json())
    return schedule


def expected_answers(schedule: Schedule) -> list:
    (values,) = evaluate(schedule.host_graph, {schedule.host_graph.inputs[0].name: IMAGES}).values()
    (answers,) = evaluate(schedule.core_graph, {schedule.core_graph.inputs[0].name: values}).values()
    return answers.tolist()


@pytest.mark.parametrize(("output", "binarise"), [("label", True), ("scores", False)])
def test_answers_what_the_integer_graph_does(tmp_path: Path, output: Output, binarise: bool):
    schedule = write_build(tmp_path, output=output, binarise=binarise)
    with VirtualBoard(tmp_path) as board, Accelerator.open(tmp_path, port=board.port, timeout_s=60) as accelerator:
        answers = list(accelerator.answers(IMAGES))
    assert [answer.index if output == "label" else answer.scores for answer in answers] == expected_answers(schedule)
