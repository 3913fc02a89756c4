"""The line buffer as a stage: what it says of its component."""

from typing import Any

from bnnhw.compiler.units.line_buffer import LineBuffering
from bnnhw.hw.targets import PORTABLE
from bnnhw.hw.window.line_shape import LineBufferShape


def test_stage_is_its_component():
    shape = LineBufferShape(
        height=6, width=8, channels=3, element_bits=4, kernel=(3, 3), padding=(1, 1, 1, 1), pixels=2, lanes=3,
        target=PORTABLE,
    )  # fmt: skip
    stage = LineBuffering(name="blur", shape=shape)
    unit: Any = stage.build()
    assert stage.gives("o").width == len(unit.o.payload) == 3 * 4 * 3 * 4
    assert stage.interval == unit.initiation_interval == 7 * 4 + 1
    assert stage.resources.luts
