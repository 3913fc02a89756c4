"""Multipliers where they save LUTs, as many as there are."""

from dataclasses import replace
from math import inf

import numpy as np

from bnnhw.compiler import Graph, Node, TensorType, Value, schedule
from bnnhw.compiler.ir.ops import Conv, Flatten, MatMul, Threshold
from bnnhw.compiler.ir.types import IntType
from bnnhw.compiler.lowering.folding_plan import FoldingPlan
from bnnhw.compiler.lowering.network import lower_network
from bnnhw.compiler.search.prices import Prices
from bnnhw.compiler.search.search import Design, Search
from bnnhw.hw.targets import Cells, Device, get_device

DEVICE = get_device("LFE5U-85F")
SIZE = 8


def odd(*shape: int) -> np.ndarray:
    return (2 * np.random.default_rng(shape).integers(-128, 128, shape) + 1).astype(np.int16)


def network() -> Graph:
    """The first layer of ResNet-20 on few pixels, with signs behind it, and a dense one; both of 8-bit weights."""
    nodes = (
        Node("stem", Conv(odd(16, 3, 3, 3), padding=(1, 1)), ("x",), "sums"),
        Node("sign", Threshold(np.zeros(16, np.int64)), ("sums",), "bits"),
        Node("flat", Flatten(), ("bits",), "flat"),
        Node("last", MatMul(odd(2, 16 * SIZE * SIZE)), ("flat",), "y"),
    )
    return Graph((Value("x", TensorType((SIZE, SIZE, 3), IntType(0, 255))),), nodes, ("y",))


GRAPH, FPS = network(), 1e8 / (SIZE * SIZE * 10)
"""As many cycles for each pixel as ResNet-20 has at 10,000 frames a second."""


def engines(multipliers: int) -> tuple[list[str], Cells]:
    """The engines of the two layers, and the whole design, on a device of so many multipliers."""
    chosen = schedule(GRAPH, replace(DEVICE, multipliers=multipliers), target_fps=FPS, clock_hz=100e6)
    assert chosen.frames_per_second >= FPS
    return [folding.engine for folding in chosen.foldings], chosen.resources


def test_multipliers_go_where_they_save_the_most():
    enough, most = engines(DEVICE.multipliers)
    assert enough[0] == "mac"
    assert 48 <= most.multipliers <= DEVICE.multipliers
    few, least = engines(8)
    assert few[0] != "mac"
    assert least.multipliers <= 8
    assert most.logic < 0.6 * least.logic


def test_prices_rise_one_by_one_for_what_there_is_too_much_of():
    device = replace(DEVICE, luts=1000, multipliers=10)
    many = Cells(logic=100, ffs=2000, multipliers=11)
    raised = [prices := Prices()]
    while (prices := prices.raised(many, device, 1.0)) is not None:
        raised.append(prices)
    assert [each.multiplier for each in raised] == [0, 8, 16, 32, 64, 128, 512, inf]
    assert {each.ff for each in raised} == {0}
    assert Prices().raised(replace(many, multipliers=10), device, 1.0) == Prices(1.0, 0.0)
    assert Prices().raised(replace(many, multipliers=10), device, 0.9) == Prices(0.0, 8.0)
    assert Prices(4.0, 8.0).raised(replace(many, multipliers=0), device, 1.0) is None


def test_where_a_price_of_multipliers_hides_luts_there_are_none_next():
    device = replace(DEVICE, luts=1000, multipliers=10)
    large = Cells(logic=1001, ffs=2000, multipliers=4)
    assert Prices(1.0, 8.0).raised(large, device, 1.0) == Prices(1.0, inf)
    assert Prices(1.0, inf).raised(replace(large, multipliers=0), device, 1.0) == Prices(4.0, inf)
    assert Prices(0.0, 0.0).raised(large, device, 1.0) == Prices(1.0, 0.0)


class Priced(Search):
    """With a price for multipliers it finds nothing."""

    def _lightest(self, device: Device, *, prices: Prices, **_: float) -> Design | None:
        if 0 < prices.multiplier < inf:
            return None
        return Design(FoldingPlan(()), 1, Cells(logic=1, multipliers=0 if prices.multiplier else 10_000))


def test_where_nothing_fits_at_a_price_there_are_no_multipliers_next():
    design = Priced(lower_network(GRAPH).pipeline, DEVICE.target).smallest(DEVICE, vectors=1, limit=inf)
    assert design is not None
    assert not design.resources.multipliers


def test_weights_are_luts():
    cells, prices = Cells(logic=100, ffs=30, ebr=5, multipliers=2), Prices(ff=2, multiplier=16)
    assert prices.weight(cells) == 100 + 60 + 32
    device = replace(DEVICE, luts=1000, multipliers=10)
    assert prices.whole(device) == 1000 + 2000 + 160
    assert Prices(multiplier=inf).whole(device) == 1000
    assert Prices(multiplier=inf).weight(cells) == inf
    assert Prices(multiplier=inf).weight(replace(cells, multipliers=0)) == 100


def test_flip_flops_that_stand_in_the_place_of_luts():
    """They weigh as much at no price, keep it when prices rise, and fill a device that has fewer LUTs to use."""
    device = get_device("iCE40UP5K")
    cells, prices = Cells(logic=100, ffs=40), Prices(lone=0.5)
    assert prices.weight(cells) == 120
    assert prices.whole(device) == device.usable_luts < device.luts
    assert prices.raised(cells, device, 1.0) == Prices(1.0, lone=0.5)
    assert Prices(1.0, lone=0.5).weight(cells) == 160
    share = (100 + device.target.fabric.lone_ffs * 40) / device.usable_luts
    assert device.lut_share(cells) == device.share(cells) == device.size(cells) == share


def test_a_design_keeps_to_the_luts_that_it_may_use():
    device = get_device("iCE40UP5K")
    chosen = schedule(GRAPH, device, fill=0.9)
    assert chosen.clock_hz == device.target.fabric.clocks_hz[0] == 24e6
    assert 0.5 < device.share(chosen.resources) <= 0.9
