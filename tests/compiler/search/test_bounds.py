"""What foldings take at least, beside what they take."""

from pathlib import Path

import pytest

from bnnhw.compiler import integerize, load
from bnnhw.compiler.lowering.network import lower_network
from bnnhw.compiler.search.options import Options
from bnnhw.compiler.units.product.folding import Folding
from bnnhw.hw.targets import get_device
from tests.test_residual_networks import NETWORKS, saved

TARGET = get_device("LFE5U-85F").target


@pytest.mark.parametrize("name", NETWORKS)
def test_no_folding_takes_less_than_its_bound(name: str, tmp_path: Path):
    """Nor is it slower, and it is near enough to tell the wide ones from the narrow ones."""
    graph = integerize(load(saved(NETWORKS[name], tmp_path, stages=((4, 1),))), output="scores")
    options = Options(lower_network(graph, clock_hz=100e6).pipeline, TARGET)
    shares: list[float] = []
    for index, layer in enumerate(options.pipeline.layers[:3]):
        for folding in (Folding(pe, layer.simds[-1], pixels=pixels) for pe in layer.pes for pixels in (1, 2)):
            bound = options.bound(index, folding, 1)
            option = options.option(index, folding, 1)
            if bound and option:
                assert bound.part.cycles <= option.part.cycles
                assert bound.part.resources.logic <= option.part.resources.logic
                assert bound.part.resources.ebr <= option.part.resources.ebr
                assert bound.part.resources.multipliers <= option.part.resources.multipliers
                shares.append(bound.part.resources.logic / option.part.resources.logic)

    assert min(shares) > 0.6
