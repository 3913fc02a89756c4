"""Small random networks with a folding, for this room's tests."""

from pathlib import Path
from typing import Literal

from bnnhw.compiler import integerize, load
from bnnhw.compiler.dataflow.schedule import Schedule, apply_plan
from bnnhw.compiler.lowering.build_pipeline import build_pipeline
from bnnhw.compiler.lowering.folding_plan import FoldingPlan
from bnnhw.compiler.lowering.network import split_host
from bnnhw.compiler.units.product.folding import Folding
from bnnhw.hw.targets import get_device
from tests.compiler.make_model import make_model

Output = Literal["label", "scores"]


def make_schedule(
    folder: Path,
    *,
    seed: int,
    lo: int = 0,
    hi: int = 255,
    binarise: bool = True,
    output: Output = "label",
    pe: int | None = None,
) -> Schedule:
    """The network 12-8-6-5 of `make_model`; `pe` rows at once, all of them where None."""
    model = make_model(seed=seed, lo=lo, hi=hi, binarise=binarise, output="none" if output == "scores" else "affine")
    graph = integerize(load(model.save(folder / "model.pt")), output=output)
    layers = build_pipeline(split_host(graph)[1]).layers
    plan = FoldingPlan(tuple((layer.name, Folding(pe or layer.rows, layer.cols)) for layer in layers))
    return apply_plan(graph, plan, device=get_device("LFE5U-85F"), clock_hz=100e6)
