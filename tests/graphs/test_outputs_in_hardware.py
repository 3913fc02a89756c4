"""Graphs whose outputs are images, and several of them, from integers to the RTL."""

from collections.abc import Callable

import numpy as np
import pytest

from bnnhw.compiler import ScheduleError
from bnnhw.compiler.ir import ops
from bnnhw.compiler.search.scheduling import schedule
from tests.core_rtl import DEVICE, check_rtl, folded

from .sketches import Sketch
from .test_graphs_in_hardware import FRAMES, check_foldings, half_of_foldings, images


def bits(sketch: Sketch) -> tuple[str, ...]:
    return (sketch.sign(sketch.conv(sketch.sign(sketch.conv("x", 4)), 6)),)


def sums(sketch: Sketch) -> tuple[str, ...]:
    return (sketch.conv(sketch.sign(sketch.conv("x", 4)), 4),)


def sums_by_border(sketch: Sketch) -> tuple[str, ...]:
    """Of inputs 0 to 3 padded by 1, which is none of what the hardware pads with: codes mean other sums there."""
    return (sketch.conv("x", 4),)


def joined(sketch: Sketch) -> tuple[str, ...]:
    first = sketch.sign(sketch.conv("x", 4))
    return (sketch.add(ops.Concat(), first, sketch.sign(sketch.conv(first, 2))),)


def flattened(sketch: Sketch) -> tuple[str, ...]:
    return (sketch.add(ops.Flatten(), sketch.sign(sketch.conv("x", 4))),)


def label_and_image(sketch: Sketch) -> tuple[str, ...]:
    first = sketch.sign(sketch.conv("x", 4))
    return sketch.add(ops.ArgMax(), sketch.dense(first, 5)), sketch.conv(first, 2)


def scores_and_what_they_are_made_of(sketch: Sketch) -> tuple[str, ...]:
    """An output that a layer reads, too, and the image comes last, but is there first."""
    first = sketch.sign(sketch.conv("x", 4))
    return sketch.dense(first, 5), first


def label_and_its_scores(sketch: Sketch) -> tuple[str, ...]:
    scores = sketch.dense(sketch.sign(sketch.conv("x", 4)), 5)
    return sketch.add(ops.ArgMax(), scores), scores


def label_of_sums_that_are_added(sketch: Sketch) -> tuple[str, ...]:
    """Their codes mean other sums in each channel, which a label cannot compare, and a sum does not mind."""
    sums = sketch.dense("x", 5)
    return sketch.add(ops.ArgMax(), sums), sketch.add(ops.Add(), sums, sketch.dense("x", 5))


def label_of_an_image(sketch: Sketch) -> tuple[str, ...]:
    """The greatest of all sums of an image, whose codes mean other sums at the border."""
    return (sketch.add(ops.ArgMax(), sketch.add(ops.Flatten(), sketch.conv("x", 4))),)


def three(sketch: Sketch) -> tuple[str, ...]:
    first = sketch.sign(sketch.conv("x", 4))
    small = sketch.sign(sketch.conv(first, 4, stride=(2, 2)))
    return small, sketch.conv(small, 2), first


ENDS: dict[str, Callable[[Sketch], tuple[str, ...]]] = {
    function.__name__: function
    for function in (
        bits,
        sums,
        sums_by_border,
        joined,
        flattened,
        label_and_image,
        scores_and_what_they_are_made_of,
        label_and_its_scores,
        label_of_sums_that_are_added,
        label_of_an_image,
        three,
    )
}


@pytest.mark.parametrize(("name", "part"), half_of_foldings(ENDS))
def test_foldings(name: str, part: int):
    sketch = Sketch()
    check_foldings(sketch.ending_in(*ENDS[name](sketch)), part)


@pytest.mark.parametrize("name", ["bits", "label_and_image"])
def test_searched_foldings(name: str):
    sketch = Sketch()
    graph = sketch.ending_in(*ENDS[name](sketch))
    check_rtl(schedule(graph, DEVICE, target_fps=200_000), graph, images(graph, FRAMES), stalls=(0.0, 0.0))


def test_several_vectors():
    sketch = Sketch()
    hidden = sketch.sign(sketch.dense("x", 12))
    graph = sketch.ending_in(hidden, sketch.dense(hidden, 5))
    check_rtl(schedule(graph, DEVICE, vectors=2), graph, images(graph, FRAMES), stalls=(0.0, 0.3))


def test_an_output_is_computed():
    sketch = Sketch()
    with pytest.raises(ScheduleError, match=r"^output 'x' is the core's own input; leave it out$"):
        schedule(sketch.ending_in(sketch.conv("x", 2), "x"), DEVICE)


def test_codes_are_the_inverse_of_answers():
    for name in ("sums", "label_and_image"):
        sketch = Sketch()
        made = folded(sketch.ending_in(*ENDS[name](sketch)), most=2, hardwired=False)
        greatest = [output.greatest for output in made.pipeline.outputs for _ in range(output.elements)]
        codes = np.random.default_rng(0).integers(0, np.array(greatest) + 1, (3, made.output_elements))
        np.testing.assert_array_equal(made.answer_codes(made.answers(codes)), codes)
