"""The core of a build, simulated: the very RTL in its folder, without the link.

A core that is made anew, to be compared with the one that was built, would need its queues computed again.

Tests: tests/cli/test_enhance_hardware.py
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bnnhw.boards.design import CORE
from bnnhw.boards.output_format import split_answer
from bnnhw.compiler.dataflow.packing import pack_beats, unpack_beats
from bnnhw.compiler.lowering.folding_plan import FoldingPlan
from bnnhw.sim.batch.simulator import PATIENCE, BatchSimulator

from .built import Build

__all__ = ["BuiltCore"]


class BuiltCore:
    """The core in the build's top.il. ValueError where that is missing or damaged."""

    def __init__(self, build: Build):
        self.manifest = build.manifest
        self.simulator = _simulator(build.folder / "top.il")
        self.vectors = FoldingPlan.from_json((build.folder / "folding.json").read_text()).vectors
        self.patience = PATIENCE + build.report.performance.latency_cycles

    def answers(
        self, images: NDArray[np.int64], *, on_progress: Callable[[float], None] = lambda part: None
    ) -> list[tuple[NDArray[np.int64], ...]]:
        """All outputs for each image (N, *input_shape). `on_progress` is told which part of them is there."""
        manifest, program = self.manifest, self.simulator.program
        i, o = (len(program.ports[f"{stream}__payload"]) // self.vectors for stream in "io")
        beats = pack_beats(
            np.stack([manifest.codes_of(image) for image in images]),
            width=manifest.input_width,
            lanes=i // manifest.input_width,
            vectors=self.vectors,
        )
        groups = -(-len(images) // self.vectors)
        lanes = o // manifest.output_width
        output_beats = manifest.output_elements // lanes
        result = self.simulator.run(
            beats.reshape(groups, -1, beats.shape[1]),
            output_beats=output_beats,
            patience=self.patience,
            on_progress=lambda produced: on_progress(produced / (groups * output_beats)),
        )
        elements = unpack_beats(
            result.outputs.reshape(-1, result.outputs.shape[2]),
            width=manifest.output_width,
            lanes=lanes,
            vectors=self.vectors,
            elements=manifest.output_elements,
            frames=len(images),
        )
        return [split_answer(each, manifest.outputs) for each in elements]


def _simulator(design: Path) -> BatchSimulator:
    try:
        text = design.read_text()
    except OSError as error:
        raise ValueError(f"{design.parent} is no whole build: it has no {design.name}; build it again") from error
    try:
        return BatchSimulator.from_design(text, read="read_rtlil", top=CORE)
    except ValueError as error:
        raise ValueError(f"{design} cannot be simulated: {error}; build it again") from error
