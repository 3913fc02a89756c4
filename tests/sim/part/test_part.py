"""A core's streams as its README, its golden frames and its Verilog have them."""

from pathlib import Path

import numpy as np
import pytest

from bnnhw.compiler.ir.graph import evaluate
from bnnhw.hw.targets import PORTABLE, Target
from bnnhw.sim.netlist.netlist import run_yosys
from bnnhw.sim.part.part import AxiStream, Part
from bnnhw.sim.part.write import write_part
from tests.boards.networks import Output, make_schedule


@pytest.mark.parametrize(
    ("width", "lanes", "vectors", "codes", "beats", "tdata"),
    [
        (1, 4, 1, [[1, 0, 0, 0, 1, 1, 0, 1]], ["01", "0b"], 8),
        (5, 1, 1, [[3, 17]], ["03", "11"], 8),
        (8, 2, 1, [[0x12, 0x34, 0xAB, 0xCD]], ["3412", "cdab"], 16),
        (3, 1, 2, [[5, 1], [2, 7], [6, 0], [3, 4]], ["15", "39", "1e", "20"], 8),
        (6, 2, 2, [[1, 2], [3, 4]], ["103081"], 24),
        (64, 2, 1, [[1, 0xF]], ["000000000000000f0000000000000001"], 128),
    ],
)
def test_beats_are_whole_bytes(width: int, lanes: int, vectors: int, codes: list, beats: list[str], tdata: int):
    stream = AxiStream(prefix="s_axis", width=width, lanes=lanes, vectors=vectors, codes=np.array(codes, np.int64))
    assert stream.hex_beats() == beats
    assert (stream.tdata, stream.beats) == (tdata, len(codes[0]) // lanes)
    assert [len(group) for group in stream.groups()] == [stream.beats] * (len(codes) // vectors)


def make_part(folder: Path, *, output: Output = "label", binarise: bool = True, target: Target = PORTABLE) -> Part:
    schedule = make_schedule(folder, seed=59, lo=-3, hi=12, binarise=binarise, output=output, pe=1)
    (value,) = schedule.host_graph.inputs
    images = np.random.default_rng(0).integers(-3, 13, (6, *value.type.shape))
    (between,) = evaluate(schedule.host_graph, {value.name: images}).values()
    (answers,) = evaluate(schedule.core_graph, {schedule.core_graph.inputs[0].name: between}).values()
    return Part(
        name="bnn_a",
        network="a",
        classes=tuple("uvwxy"),
        schedule=schedule,
        target=target,
        images=images,
        answers=answers,
    )


@pytest.mark.parametrize("output", ["label", "scores"])
def test_golden_beats_mean_the_answers(tmp_path: Path, output: Output):
    part = make_part(tmp_path, output=output)
    beats = np.array([[int(beat, 16)] for beat in part.output.hex_beats()], np.uint64)
    np.testing.assert_array_equal(part.schedule.decode(beats, frames=6), part.answers)
    assert len(set(np.ravel(part.answers).tolist())) > 1


def test_bits_begin_at_the_threshold(tmp_path: Path):
    part = make_part(tmp_path)
    assert part.threshold is not None
    np.testing.assert_array_equal(part.input.codes, part.images.reshape(6, -1) >= part.threshold)
    assert 0 < part.input.codes.mean() < 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"binarise": True}, ["1 bit: 1 where x >= ", "An answer is a label, 3 bits, from 0 to 4: u, v, w, x, y."]),
        ({"binarise": False}, ["is carried in 4 bits, as (x - -3)", "integers from -3 to 12."]),
        ({"output": "scores"}, ["An answer is 5 scores, one a class (u, v, w, x, y)", "* code[c], with the offsets"]),
    ],
)
def test_the_readme_says_how_numbers_are_carried(tmp_path: Path, options: dict, said: list[str]):
    part = make_part(tmp_path, **options)
    write_part(part, tmp_path)
    text = (tmp_path / "README.md").read_text()
    example = [", ".join(map(str, part.input.codes[0])), ", ".join(part.output.groups()[0][:4])]
    assert [words for words in [*said, *example] if words not in text] == []


@pytest.mark.parametrize("target", [None, PORTABLE])
def test_yosys_reads_the_verilog(tmp_path: Path, target: Target | None):
    part = make_part(tmp_path)
    part = make_part(tmp_path, target=target or part.schedule.device.target)
    write_part(part, tmp_path)
    models = sorted(path.name for path in tmp_path.glob("*_cells.v"))
    assert models == ([] if target else ["bnn_a_cells.v"])
    run_yosys([f"read_verilog bnn_a.v {' '.join(models)}", "hierarchy -check -top bnn_a", "proc"], folder=tmp_path)
    core = (tmp_path / "bnn_a.core").read_text()
    assert all(f"{name}:" in core for name in (*models, "test_bnn_a.py", "golden_in.hex", "golden_out.hex"))
