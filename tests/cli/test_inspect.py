"""bnnhw inspect of a network with branches, and of a chain, which has nothing to draw."""

from pathlib import Path

import numpy as np
import pytest

from bnnhw.model.export import save
from bnnhw.pages.formats import MINUS
from tests.branches import DenseDigits, shaken

from .printed import printed

DRAWING = """\
●   input
●   stem.1          Conv, 8x8x4 -112..96
●─╮ stem.3          Threshold, 8x8x4 ±1
● │ dense.0.0       Conv, 8x8x4 -36..36
● │ dense.0.2       Threshold, 8x8x4 ±1
●─┤ cat             Concat, 8x8x8 ±1
● │ dense.1.0       Conv, 8x8x4 -72..72
● │ dense.1.2       Threshold, 8x8x4 ±1
●─╯ cat#2           Concat, 8x8x12 ±1
●   pool            MaxPool, 4x4x12 ±1
●   scores.0        Flatten, 192 ±1
●   scores.1        MatMul, 10 -192..192
●   scores.1.ranks  ScoreTable, 10 0..192
●   label           ArgMax, scalar 0..9"""


def test_branches_are_drawn(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    path, images = tmp_path / "model.pt", np.random.default_rng(0).integers(0, 17, (4, 8, 8, 1))
    save(shaken(DenseDigits(growth=4)), path, example_input=images, input_range=(0, 16))
    shown = printed(f"inspect {path}", capfd).replace(MINUS, "-")
    assert DRAWING in shown
    assert shown.index("multiply-accumulates") < shown.index(DRAWING)


def test_chains_are_not(workplace: Path, capfd: pytest.CaptureFixture[str]):
    shown = printed("inspect model.pt", capfd)
    assert "ArgMax" in shown
    assert "●" not in shown
