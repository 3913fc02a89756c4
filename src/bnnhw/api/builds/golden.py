"""Images and right answers that go with a design.

Tests: tests/api/test_examples.py
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.dataflow.schedule import Schedule
from bnnhw.compiler.ir.answers import Answers, arrays_of, as_answers
from bnnhw.compiler.ir.graph import evaluate, random_feeds

__all__ = ["golden_frames", "read_golden", "save_golden"]


def save_golden(path: Path, images: NDArray[Any], answers: Answers) -> None:
    """numpy's arrays `images` and `answers`; of several outputs `answers_0`, `answers_1` .."""
    numbered = {f"answers_{number}": each for number, each in enumerate(arrays_of(answers))}
    np.savez(path, allow_pickle=False, images=images, **(numbered if len(numbered) > 1 else {"answers": answers}))


def read_golden(path: Path) -> tuple[NDArray[Any], list[NDArray[Any]]]:
    """The images that `save_golden` has written, and the answers of each output. Raises ValueError for another file."""
    try:
        with np.load(path, allow_pickle=False) as found:
            several = [found[f"answers_{number}"] for number in range(len(found.files) - 1) if "answers" not in found]
            return found["images"], several or [found["answers"]]
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise ValueError(f"{path} holds no golden images; build it again") from error


def golden_frames(schedule: Schedule, *, samples: int) -> tuple[NDArray[Any], Answers]:
    """Seeded random images with the answers that the integer graph gives: a self-test for any board and bench."""
    (value,) = schedule.host_graph.inputs
    images = random_feeds(schedule.host_graph, samples=samples, seed=0)[value.name]
    (between,) = evaluate(schedule.host_graph, {value.name: images}).values()
    values = evaluate(schedule.core_graph, {schedule.core_graph.inputs[0].name: between})
    return images, as_answers([values[output] for output in schedule.core_graph.outputs])
