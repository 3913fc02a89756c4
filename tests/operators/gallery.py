"""The operators of examples/operators: what each of them reads."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from bnnhw import hls
from bnnhw.compiler import Graph, Schedule
from bnnhw.compiler.dataflow.schedule import apply_plan
from bnnhw.compiler.frontends.operators import object_in
from bnnhw.compiler.ir import ops
from bnnhw.compiler.ir.graph import Node, Value
from bnnhw.compiler.ir.types import IntType, TensorType
from bnnhw.compiler.lowering.folding_plan import Entry, FoldingPlan
from tests.core_rtl import DEVICE

__all__ = ["CHAINS", "FOLDER", "GALLERY", "NAMES", "Shown"]

FOLDER = Path(__file__).parents[2] / "examples" / "operators"
SIZE = (4, 8)
NAMES = {
    "camera": (
        *("black_level", "hot_pixels", "demosaic", "white_balance", "colour_matrix", "grey", "gamma", "tone_curve"),
        *("downscale", "median", "unsharp", "sobel", "local_pattern"),
        *("background_subtraction", "motion_mask", "majority"),
    ),
    "post": ("hard_swish", "prelu", "abc_sum", "winner", "top5", "softmax", "peaks"),
    "signals": (
        *("fir", "moving_average", "running_sum", "smoothed", "envelope", "run_length", "zero_crossings"),
        *("integrator", "every_fourth", "comb"),
    ),
    "measures": ("histogram", "total", "mean_of_1024", "extremes", "moments", "brightest", "profile"),
}
U8, S8 = (0, 255), (-128, 127)
READS = {
    "white_balance": (3, U8),
    "colour_matrix": (3, U8),
    "grey": (3, U8),
    "majority": (1, (0, 1)),
    "hard_swish": (2, S8),
    "prelu": (4, S8),
    "abc_sum": (3, S8),
    "winner": (10, S8),
    "top5": (10, S8),
    "softmax": (10, S8),
    "peaks": (2, S8),
    "fir": (1, S8),
    "envelope": (1, S8),
    "zero_crossings": (1, S8),
    "comb": (1, (0, 4095)),
    "mean_of_1024": (1, (0, 1024 * 255)),
}
"""Channels, and the least and the greatest value, where that is not one channel of u8."""
CHANNELS = (lambda pixel: pixel[0], lambda pixel: pixel[1])
STREAMS = {"background_subtraction": 2, "motion_mask": 2}
CHAINS = {"picture": ("camera", (8, 16, 1)), "cic": ("signals", (1, 64, 1)), "exposure": ("measures", (32, 32, 1))}
"""In which file, and images that are soon simulated."""


@dataclass(frozen=True)
class Shown:
    """An operator of the gallery, for images SIZE of so many channels; where it has two streams, of one channel each,
    these are the channels."""

    file: str
    name: str
    channels: int
    span: tuple[int, int]
    streams: int

    @cached_property
    def operator(self) -> hls.Operator:
        return object_in(f"{FOLDER / self.file}.py:{self.name}")

    @cached_property
    def graph(self) -> Graph:
        """It alone, on what the image's channels are where it has several streams."""
        source = Value("x", TensorType((*SIZE, self.channels * self.streams), IntType(*self.span)))
        traced = self.operator.traced(self.channels)
        if self.streams == 1:
            return Graph((source,), (Node(self.name, ops.Operator(traced), ("x",), "z"),), ("z",))
        parts = tuple(
            Node(f"stream{number}", ops.Operator(hls.pixelwise(channel).traced(self.streams)), ("x",), f"y{number}")
            for number, channel in enumerate(CHANNELS)
        )
        met = Node(self.name, ops.Combine(traced), tuple(part.output for part in parts), "z")
        return Graph((source,), (*parts, met), ("z",))

    def streams_of(self, images: np.ndarray) -> list[np.ndarray]:
        """What the operator is called with."""
        return np.split(images, self.streams, axis=-1)

    def images(self, count: int) -> np.ndarray:
        """Random ones, and of the least and of the greatest values alone."""
        lo, hi = self.span
        shape = (count, *SIZE, self.channels * self.streams)
        images = np.random.default_rng(0).integers(lo, hi + 1, shape)
        images[0], images[1] = lo, hi
        return images

    def schedule(self, pixels: int) -> Schedule:
        """A core that reads so many pixels a beat."""
        plan = FoldingPlan((), entry=Entry(self.channels * self.streams, pixels))
        return apply_plan(self.graph, plan, device=DEVICE, clock_hz=1e8)


GALLERY = {
    name: Shown(file, name, *READS.get(name, (1, U8)), STREAMS.get(name, 1))
    for file, names in NAMES.items()
    for name in names
}
