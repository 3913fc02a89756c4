"""Small builds for the virtual board: the RTL and the manifest of a network, without a bitstream."""

from pathlib import Path

import numpy as np

from bnnhw.boards.board import get_board
from bnnhw.boards.build import make_top
from bnnhw.boards.design import emit_design
from bnnhw.boards.link_choice import LinkChoice
from bnnhw.boards.manifest import describe_build
from bnnhw.compiler import evaluate, integerize, load
from bnnhw.compiler.dataflow.schedule import Schedule, apply_plan
from bnnhw.compiler.lowering.build_pipeline import build_pipeline
from bnnhw.compiler.lowering.folding_plan import FoldingPlan
from bnnhw.compiler.lowering.network import split_host
from bnnhw.compiler.units.product.folding import Folding
from bnnhw.hw.targets.ecp5.pll import pll_settings
from tests.boards.networks import Output
from tests.compiler.make_model import make_model

__all__ = ["CLOCK_HZ", "IMAGES", "expected_answers", "write_build"]

BOARD = get_board("ulx3s-85f")
UART = LinkChoice(baud=1_000_000)
CLOCK_HZ = 12_500_000  # low, so that the device's time-outs are few cycles
IMAGES = np.random.default_rng(3).integers(0, 256, (10, 4, 4, 1))


def make_schedule(folder: Path, *, output: Output, binarise: bool, vectors: int, shape: tuple[int, ...]) -> Schedule:
    """A network 16-12-5 that computes one row at a time, at most 66 columns wide."""
    model = make_model(
        seed=5,
        shape=shape,
        hidden=(16, 12),
        chain="scaled",
        binarise=binarise,
        output="none" if output == "scores" else "affine",
    )
    graph = integerize(load(model.save(folder / "model.pt")), output=output)
    layers = build_pipeline(split_host(graph)[1]).layers
    plan = FoldingPlan(tuple((layer.name, Folding(1, min(layer.cols, 66))) for layer in layers), vectors)
    return apply_plan(graph, plan, device=BOARD.device, clock_hz=CLOCK_HZ)


def write_build(
    folder: Path,
    *,
    output: Output = "label",
    binarise: bool = True,
    vectors: int = 1,
    shape: tuple[int, ...] = IMAGES.shape[1:],
    board: str = BOARD.name,
    link: LinkChoice = UART,
) -> Schedule:
    """The RTL and the manifest of such a network."""
    made_for = get_board(board)
    schedule = make_schedule(folder, output=output, binarise=binarise, vectors=vectors, shape=shape)
    pll = pll_settings(input_hz=made_for.clock_hz, output_hz=CLOCK_HZ)
    manifest = describe_build(
        schedule,
        classes=("a", "b", "c", "d", "e"),
        link=link,
        clock_hz=pll.output_hz,
        model_sha256="0" * 64,
        board=board,
        seed=1,
        versions={},
    )
    network_id = bytes.fromhex(manifest.network_id)
    top = make_top(
        schedule,
        clock_hz=pll.output_hz,
        port=link.port(made_for, clock_hz=pll.output_hz),
        network_id=network_id,
    )
    (folder / "top.il").write_text(emit_design(top, made_for, pll=pll).rtlil)
    (folder / "manifest.json").write_text(manifest.to_json())
    return schedule


def expected_answers(schedule: Schedule, images: np.ndarray = IMAGES) -> np.ndarray:
    """The integer graph's answers to images."""
    (values,) = evaluate(schedule.host_graph, {schedule.host_graph.inputs[0].name: images}).values()
    (answers,) = evaluate(schedule.core_graph, {schedule.core_graph.inputs[0].name: values}).values()
    return answers
