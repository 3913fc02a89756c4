"""From images to labels through the driver and a board in pure Python, against the integer graph."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bnnhw.boards.host.accelerator import Accelerator
from bnnhw.boards.host.errors import LinkError
from bnnhw.boards.link_choice import LinkChoice
from bnnhw.boards.manifest import ManifestError, describe_build
from bnnhw.compiler import evaluate
from bnnhw.compiler.dataflow.packing import pack_image
from bnnhw.compiler.dataflow.schedule import Schedule
from bnnhw.compiler.ir.answers import arrays_of
from bnnhw.hw.protocol import Info
from tests.boards.networks import Output, make_schedule

from .fake_board import CYCLES, FakeBoard

IMAGES = np.random.default_rng(3).integers(0, 256, (50, 4, 3, 1))
CLASSES = ("a", "b", "c", "d", "e")


def write_build(schedule: Schedule, folder: Path) -> bytes:
    """Writes the manifest of `schedule`; the network's id."""
    manifest = describe_build(
        schedule,
        classes=CLASSES,
        link=LinkChoice(baud=3_000_000),
        clock_hz=100e6,
        model_sha256="0" * 64,
        board="ulx3s-85f",
        seed=1,
        versions={},
    )
    (folder / "manifest.json").write_text(manifest.to_json())
    return bytes.fromhex(manifest.network_id)


def board_of(schedule: Schedule, network_id: bytes) -> FakeBoard:
    """A board that knows the right answer to each of IMAGES."""
    (answers,) = evaluate(schedule.core_graph, {schedule.core_graph.inputs[0].name: host_values(schedule)}).values()
    codes = schedule.answer_codes(answers)
    known = {
        schedule.encode_image(image): pack_image(code.astype(np.int64), width=schedule.output_width)
        for image, code in zip(IMAGES, codes, strict=True)
    }
    (image, answer), *_ = known.items()
    info = Info(
        window=4,
        input_chunk=len(image),
        output_chunk=len(answer),
        input_bytes=len(image),
        output_bytes=len(answer),
        clock_hz=100_000_000,
        network_id=network_id,
    )
    return FakeBoard(info, known.__getitem__)


def host_values(schedule: Schedule) -> np.ndarray:
    (values,) = evaluate(schedule.host_graph, {schedule.host_graph.inputs[0].name: IMAGES}).values()
    return values


@pytest.mark.parametrize("binarise", [True, False])
@pytest.mark.parametrize("output", ["label", "scores"])
def test_gives_the_integer_graphs_answers(tmp_path: Path, output: Output, binarise: bool):
    schedule = make_schedule(tmp_path, seed=5, binarise=binarise, output=output)
    network_id = write_build(schedule, tmp_path)
    (expected,) = evaluate(schedule.core_graph, {schedule.core_graph.inputs[0].name: host_values(schedule)}).values()
    with (
        board_of(schedule, network_id) as board,
        Accelerator.open(tmp_path, port=board.port) as accelerator,
    ):
        answers = list(accelerator.answers(IMAGES))
        labels = expected if output == "label" else expected.argmax(axis=1)
        assert [answer.index for answer in answers] == labels.tolist()
        assert [answer.label for answer in answers] == [CLASSES[label] for label in labels]
        assert [answer.scores for answer in answers] == ([None] * 50 if output == "label" else expected.tolist())
        assert {answer.cycles for answer in answers} == {CYCLES}
        assert accelerator.answer(IMAGES[3]).index == answers[3].index
        given = [next(iter(answer.outputs.values())) for answer in answers]
        np.testing.assert_array_equal(given, expected)


def test_refuses_a_board_with_another_network_and_frees_its_port(tmp_path: Path):
    schedule = make_schedule(tmp_path, seed=5)
    network_id = write_build(schedule, tmp_path)
    with board_of(schedule, b"another!") as board:
        errors = []  # which keep what they met alive: the second time, a port still open would be busy
        for _ in range(2):
            with pytest.raises(LinkError) as caught:
                Accelerator.open(tmp_path, port=board.port)
            errors.append(caught)
        for error in errors:
            assert error.match(f"holds the network {b'another!'.hex()}, not {network_id.hex()}")


@pytest.mark.parametrize("output", ["label", "scores"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"input_bytes": 1}, "says input_bytes=1, where this build has 2;"),
        ({"input_bytes": 13}, "says input_bytes=13, where this build has 2;"),
        ({"output_bytes": 3}, "says output_bytes=3, where this build has "),
        ({"output_bytes": 40}, "says output_bytes=40, where this build has "),
        ({"clock_hz": 99_999_999}, "says clock_hz=99999999, where this build has 100000000;"),
    ],
)
def test_refuses_a_board_that_contradicts_the_build(
    tmp_path: Path, output: Output, change: dict[str, int], message: str
):
    schedule = make_schedule(tmp_path, seed=5, output=output)
    board = board_of(schedule, write_build(schedule, tmp_path))
    board.info = replace(board.info, **change)
    with board, pytest.raises(LinkError, match=message):
        Accelerator.open(tmp_path, port=board.port)


@pytest.mark.parametrize(("label", "name"), [(0, "a"), (4, "e"), (5, None), (7, None)])
def test_knows_no_label_beyond_the_classes(tmp_path: Path, label: int, name: str | None):
    schedule = make_schedule(tmp_path, seed=5)
    board = board_of(schedule, write_build(schedule, tmp_path))
    board.network = lambda _: bytes([label])
    with board, Accelerator.open(tmp_path, port=board.port) as accelerator:
        if name:
            assert accelerator.answer(IMAGES[0]).label == name
            return
        message = (
            f"^the board at .* answers image 0 with label {label}, where this build has 5 classes, from 0 on; flash "
        )
        with pytest.raises(LinkError, match=message):
            accelerator.answer(IMAGES[0])


def test_knows_no_score_beyond_the_greatest(tmp_path: Path):
    schedule = make_schedule(tmp_path, seed=5, output="scores")
    board = board_of(schedule, write_build(schedule, tmp_path))
    greatest = schedule.pipeline.outputs[0].greatest
    scores = np.full(schedule.output_elements, greatest)
    board.network = lambda _: pack_image(scores, width=schedule.output_width)
    with board, Accelerator.open(tmp_path, port=board.port) as accelerator:
        expected = schedule.answers(scores[None].astype(np.int64))
        assert [accelerator.answer(IMAGES[0]).scores] == arrays_of(expected)[0].tolist()
        scores[2] += 1
        message = f"image 0 with {greatest + 1} for a value of '.*', where this build has 0 to {greatest}; flash"
        with pytest.raises(LinkError, match=message):
            accelerator.answer(IMAGES[0])


def test_refuses_a_folder_that_is_no_build(tmp_path: Path):
    with pytest.raises(ManifestError, match="is no build"):
        Accelerator.open(tmp_path, port="/dev/null")
