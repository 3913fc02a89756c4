"""What a binary multiply-accumulate costs in each engine: units of trained layers by themselves.

Tests: tests/cli/test_bench.py
"""

from collections.abc import Iterator

from bnnhw.boards.board import get_board
from bnnhw.boards.toolchain.alone import route_alone, synthesise_alone
from bnnhw.compiler.frontends.model_file import load
from bnnhw.compiler.lowering.build_pipeline import build_pipeline
from bnnhw.compiler.lowering.network import split_host
from bnnhw.compiler.passes.integerize import integerize
from bnnhw.compiler.units.product.folding import Folding
from bnnhw.compiler.units.product.hardwired import Hardwired
from bnnhw.compiler.units.product.layer import MatrixLayer
from bnnhw.compiler.units.product.matrix import Matrix
from bnnhw.hw.product.matrix_shape import MatrixShape
from bnnhw.hw.targets import Cells

from .row import Bench, Row

DEVICE = get_board("ulx3s-85f").device
TARGET, NAMES = DEVICE.target, DEVICE.target.cell_names
DA4ML_COMB, DA4ML_FMAX_HZ = 4379, 96e6
"""da4ml 0.6.0's 64 -> 64 layer with thresholds, by the same tools."""
MAX_HARDWIRED_LUTS = 0.65
MAX_FOLDED_LUTS = 2.3
FOLDED = Folding(16, 64, "block", 4)
"""Four pixels of 16 x 64 products a cycle."""


def measure(bench: Bench) -> Iterator[Row]:
    dense = layer_of(bench, "tfc", 1)
    routed = route_alone(hardwired(dense).build(), DEVICE, 1)
    yield Row(
        name=f"hardwired {dense.cols} -> {dense.rows} of tfc, thresholds, routed alone, seed 1",
        measured=f"{routed.cells.logic:,} {NAMES.logic}, {routed.cells.ffs:,} FF, {routed.fmax_hz / 1e6:.0f} MHz",
        target=f"< {DA4ML_COMB:,}, > {DA4ML_FMAX_HZ / 1e6:.0f} MHz",
        met=routed.cells.logic < DA4ML_COMB and routed.fmax_hz > DA4ML_FMAX_HZ,
    )
    yield reuse_row(f"its {dense.rows} rows", dense, synthesise_alone(hardwired(dense).build(), TARGET))
    layer = layer_of(bench, "cnv", 1)
    cells = synthesise_alone(hardwired(layer).build(), TARGET)
    name = f"hardwired 3x3 convolution of cnv, {layer.rows} of {layer.rows}"
    yield cost_row(name, cells, layer.weights.size, MAX_HARDWIRED_LUTS)
    yield reuse_row(f"its {layer.rows} filters", layer, cells)
    shape = layer.shape(FOLDED, 1, TARGET)
    assert isinstance(shape, MatrixShape)  # as the engine is "folded"
    unit = Matrix(layer=layer, shape=shape, vectors=1)
    yield cost_row(
        "the same folded, weights in block RAM, 4 pixels, all of the unit",
        synthesise_alone(unit.build(), TARGET),
        FOLDED.pe * FOLDED.simd * FOLDED.pixels,
        MAX_FOLDED_LUTS,
    )


def layer_of(bench: Bench, network: str, index: int) -> MatrixLayer:
    """A layer of a trained network."""
    return build_pipeline(split_host(integerize(load(bench.model(network))))[1]).layers[index]


def hardwired(layer: MatrixLayer) -> Hardwired:
    return Hardwired(layer=layer, plan=layer.hardwired(TARGET.fabric), vectors=1, target=TARGET)


def reuse_row(name: str, layer: MatrixLayer, cells: Cells) -> Row:
    """The filter reuse of Courbariaux et al. (https://arxiv.org/abs/1602.02830, section 3.2) as synthesised: `cells` of
    the layer's hardwired unit beside those of the same unit with each row summed by itself."""
    unshared = synthesise_alone(hardwired(layer).unshared.build(), TARGET)
    return Row(
        name=f"{name}, with and without filter reuse, synthesised",
        measured=f"{cells.logic:,} and {unshared.logic:,} {NAMES.unrouted}: {unshared.logic / cells.logic:.2f} times",
        target="fewer with it",
        met=cells.logic < unshared.logic,
    )


def cost_row(name: str, cells: Cells, macs: int, most: float) -> Row:
    """The cells of a unit of so many multiply-accumulates a cycle."""
    cost = cells.logic / macs
    return Row(
        name=name,
        measured=f"{cost:.3f} {NAMES.unrouted}, {cells.ffs / macs:.2f} FF, {cells.ebr} EBR a MAC",
        target=f"<= {most}",
        met=cost <= most,
    )
