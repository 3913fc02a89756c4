"""The operators of examples/operators: what each of them reads."""

from pathlib import Path

from bnnhw import hls
from bnnhw.compiler import Graph
from bnnhw.compiler.frontends.operators import object_in
from bnnhw.compiler.ir.graph import Node, Value
from bnnhw.compiler.ir.ops import Operator
from bnnhw.compiler.ir.types import IntType, TensorType

__all__ = ["CHAINS", "FOLDER", "NAMES", "READS", "gallery_graph", "gallery_operator"]

FOLDER = Path(__file__).parents[2] / "examples" / "operators"
NAMES = {
    "camera": (
        *("black_level", "hot_pixels", "demosaic", "white_balance", "colour_matrix", "grey", "gamma", "tone_curve"),
        *("downscale", "median", "unsharp", "sobel", "local_pattern", "background_subtraction", "motion_mask"),
    ),
    "post": ("hard_swish", "prelu", "abc_sum", "winner", "top5", "softmax", "peaks"),
    "signals": (
        *("fir", "moving_average", "running_sum", "smoothed", "envelope", "run_length", "zero_crossings"),
        *("integrator", "every_fourth", "comb"),
    ),
    "measures": ("histogram", "total", "mean_of_1024", "extremes", "moments", "brightest", "profile"),
}
U8, S8 = (0, 255), (-128, 127)
READS = {name: (1, U8) for names in NAMES.values() for name in names} | {
    "white_balance": (3, U8),
    "colour_matrix": (3, U8),
    "grey": (3, U8),
    "background_subtraction": (2, U8),
    "motion_mask": (2, U8),
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
    "mean_of_1024": (1, (0, 1023 * 255)),
}
"""Channels, and the least and the greatest value."""
CHAINS = {"picture": ("camera", (8, 16, 1)), "cic": ("signals", (1, 64, 1)), "exposure": ("measures", (32, 32, 1))}
"""In which file, and images that are soon simulated."""


def gallery_operator(name: str) -> hls.Operator:
    """The operator of this name."""
    (file,) = (file for file, names in NAMES.items() if name in names)
    return object_in(f"{FOLDER / file}.py:{name}")


def gallery_graph(operator: hls.Operator, channels: int, span: tuple[int, int], size: tuple[int, int]) -> Graph:
    """It alone."""
    source = Value("x", TensorType((*size, channels), IntType(*span)))
    return Graph((source,), (Node(operator.name, Operator(operator.traced(channels)), ("x",), "y"),), ("y",))
