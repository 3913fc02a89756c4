"""Random images through a unit that moves pixels, beside the operator that it is the hardware of."""

from typing import Any

import numpy as np

from bnnhw.compiler.ir.ops import Op
from tests.beats import pixels_to_beats
from tests.hw.scenario import Trace, pack, run_scenario

IMAGES = 2


def verify_images(unit: Any, op: Op, *, pixels: int, lanes: int, seed: int = 0, stalls: tuple[float, float]) -> Trace:
    """Compares every output beat, of so many pixels and lanes; the trace."""
    shape, bits = unit.shape, unit.shape.element_bits
    images = (IMAGES, shape.height, shape.width, shape.channels)
    x = np.random.default_rng(seed).integers(0, 1 << bits, images)
    expected = beats(op.reference(x), pixels, lanes, bits)
    trace = run_scenario(
        unit, beats(x, shape.pixels, shape.lanes, bits), outputs=len(expected), seed=seed, stalls=stalls
    )
    assert trace.outputs == expected
    return trace


def beats(x: np.ndarray, pixels: int, lanes: int, bits: int) -> list[int]:
    """(images, height, width, channels) as beats."""
    return [pack(beat, bits) for beat in pixels_to_beats(x, pixels, lanes).reshape(-1, pixels * lanes).tolist()]
