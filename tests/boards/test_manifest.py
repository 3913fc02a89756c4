"""The manifest's numbers against the compiler's, and damaged manifests."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnhw.boards.link_choice import LinkChoice
from bnnhw.boards.manifest import Manifest, ManifestError, describe_build
from bnnhw.boards.output_format import AnswerError, OutputFormat
from bnnhw.compiler.dataflow.packing import pack_image
from bnnhw.compiler.dataflow.schedule import Schedule

from .networks import Output, make_schedule

LABEL = Manifest(
    input_shape=(2, 3, 1),
    input_lo=0,
    input_hi=16,
    input_threshold=8,
    input_width=1,
    outputs=(OutputFormat(name="label", kind="label", shape=(), greatest=2),),
    output_width=2,
    classes=("zero", "one", "two"),
    link=1,
    baud=3_000_000,
    clock_hz=100e6,
    network_id="0123456789abcdef",
    model_sha256="f" * 64,
    board="ulx3s-85f",
    seed=1,
    versions={"yosys": "0.70"},
)


def manifest_of(schedule: Schedule) -> Manifest:
    return describe_build(
        schedule,
        classes=("a", "b", "c", "d", "e"),
        link=LinkChoice(baud=3_000_000),
        clock_hz=100e6,
        model_sha256="0" * 64,
        board="ulx3s-85f",
        seed=1,
        versions={},
    )


@pytest.mark.parametrize("binarise", [True, False])
@pytest.mark.parametrize("output", ["label", "scores"])
@pytest.mark.parametrize("seed", range(4))
def test_encodes_and_decodes_as_the_schedule_does(tmp_path: Path, seed: int, output: Output, binarise: bool):
    rng = np.random.default_rng(seed)
    lo, hi = (0, 255) if seed % 2 else (-9, 7)
    schedule = make_schedule(tmp_path, seed=seed, lo=lo, hi=hi, binarise=binarise, output=output)
    manifest = manifest_of(schedule)
    assert (manifest.input_threshold is None) != binarise
    for image in rng.integers(lo, hi + 1, (20, 4, 3, 1)):
        assert manifest.encode_image(image) == schedule.encode_image(image)
    codes = rng.integers(0, schedule.pipeline.outputs[0].greatest + 1, (20, schedule.output_elements))
    for row, expected in zip(codes, schedule.answers(codes), strict=True):
        packed = pack_image(row, width=schedule.output_width)
        assert len(packed) == manifest.output_bytes
        (answer,) = manifest.decode_answer(packed)
        np.testing.assert_array_equal(answer, expected)


def test_tells_networks_and_foldings_apart(tmp_path: Path):
    one = make_schedule(tmp_path, seed=1)
    two = make_schedule(tmp_path, seed=1, pe=1)
    ids = {
        describe_build(
            schedule,
            classes=(),
            link=LinkChoice(baud=1),
            clock_hz=1,
            model_sha256=sha,
            board="",
            seed=seed,
            versions={},
        ).network_id
        for schedule in (one, two)
        for sha in ("a", "b")
        for seed in (1, 2)
    }
    assert len(ids) == 4
    assert all(len(bytes.fromhex(text)) == 8 for text in ids)


def test_reads_what_it_wrote(tmp_path: Path):
    (tmp_path / "manifest.json").write_text(LABEL.to_json())
    assert Manifest.read(tmp_path) == LABEL


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((3, 2, 1), int), r"has the shape \(2, 3, 1\), not \(3, 2, 1\)"),
        (np.zeros((2, 3, 1)), "holds integers, not float64"),
        (np.full((2, 3, 1), 17), r"lies in \[0, 16\], but this one spans \[17, 17\]"),
        (np.full((2, 3, 1), -1, np.int8), r"lies in \[0, 16\], but this one spans \[-1, -1\]"),
    ],
)
def test_refuses_other_images(image: np.ndarray, message: str):
    with pytest.raises(ValueError, match=message):
        LABEL.encode_image(image)


@pytest.mark.parametrize("count", [0, 2, 5, 8, 16])
def test_refuses_an_answer_of_the_wrong_length(count: int):
    with pytest.raises(ValueError, match=f"an answer of 1 elements has 1 bytes, not {count}"):
        LABEL.decode_answer(bytes(count))


@pytest.mark.parametrize("output", ["label", "scores"])
def test_refuses_what_no_core_answers(tmp_path: Path, output: Output):
    schedule = make_schedule(tmp_path, seed=1, output=output)
    manifest = manifest_of(schedule)
    width, codes = schedule.output_width, np.zeros(schedule.output_elements, np.int64)
    codes[-1] = schedule.pipeline.outputs[0].greatest
    (answer,) = manifest.decode_answer(pack_image(codes, width=width))
    np.testing.assert_array_equal(answer, schedule.answers(codes[None])[0])
    codes[-1] += 1
    assert codes[-1] < 1 << width
    too_great = r"\d+ for a value of '[^']+', where this build has 0 to \d+"
    message = f"^label 5, where this build has 5 classes, from 0 on$|^{too_great}$"
    with pytest.raises(AnswerError, match=message):
        manifest.decode_answer(pack_image(codes, width=width))


def of_version_1(manifest: Manifest, **fields: Any) -> str:
    """The manifest with such fields as version 1 had for its output."""
    plain = json.loads(manifest.to_json())
    for name in ("outputs", "output_width", "link"):
        del plain[name]
    return json.dumps({**plain, "version": 1, **fields})


def test_manifests_of_version_1_are_read(tmp_path: Path):
    (label,) = Manifest.from_json(of_version_1(LABEL, output="label")).outputs
    assert label == LABEL.outputs[0]
    old = of_version_1(LABEL, output="scores", output_offsets=[1, 2, 3], output_scale=4)
    read = Manifest.from_json(old)
    scores = OutputFormat(name="scores", kind="values", shape=(3,), offsets=(1, 2, 3), scale=4, greatest=None)
    assert read == replace(LABEL, outputs=(scores,), output_width=32, link=1)
    assert Manifest.from_json(read.to_json()) == read


def changed(**values: object) -> str:
    return json.dumps({**json.loads(LABEL.to_json()), **values})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is no JSON"),
        ("[]", "is no manifest of a bnnhw build"),
        ('{"format": "other"}', "is no manifest of a bnnhw build"),
        (changed(version=4), "is of version 4; this bnnhw reads versions 1 to 3; build it again"),
        (changed(extra=1), r"lacks or has too much of \['extra'\]; build it again"),
        (changed(baud="fast"), r"manifest.baud must be an integer, got 'fast'; build it again"),
        (changed(classes=[1]), r"manifest.classes\[0\] must be a string, got 1; build it again"),
        ('{"format": "bnnhw-build", "version": 1}', r"lacks or has too much of \['baud', 'board'"),
    ],
)
def test_names_a_damaged_manifest(tmp_path: Path, text: str, message: str):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ManifestError, match=f"^{tmp_path}/manifest.json:? ?{message}"):
        Manifest.read(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"outputs": ()}, "outputs must hold at least one"),
        ({"classes": ("one",)}, "output 'label' must be a label from 0 to 0, not 2"),
        ({"network_id": "0123"}, "network_id='0123' must be 16 hexadecimal digits"),
        ({"baud": 0}, "baud=0 must be positive"),
    ],
)
def test_refuses_what_cannot_be(change: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        replace(LABEL, **change)


def test_names_a_folder_that_is_no_build(tmp_path: Path):
    with pytest.raises(ManifestError, match=f"^{tmp_path} is no build: it has no manifest.json"):
        Manifest.read(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "poem"}, "kind='poem' must be one of 'label', 'values'"),
        ({"shape": (0,)}, r"shape=\(0,\) must hold sizes of at least 1"),
        ({"kind": "values", "shape": (3,)}, r"offsets must be one for each channel of shape=\(3,\), not 0"),
        ({"kind": "values", "shape": (3,), "offsets": (1, 2)}, r"offsets must be one for each channel of .*, not 2"),
    ],
)
def test_refuses_outputs_that_cannot_be(change: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=f"^{message}$"):
        replace(LABEL.outputs[0], **change)
