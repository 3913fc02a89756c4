"""Random graphs with forks and joins from integers to the netlist, in the cells of a family, under random stalls."""

from pathlib import Path

import numpy as np
import pytest

from bnnhw.boards.toolchain.synthesis import synthesise
from bnnhw.hw.rtlil import convert_to_rtlil
from bnnhw.sim.batch.simulator import BatchSimulator
from tests.core_rtl import DEVICE, check_core, folded

from .sketches import random_graph
from .test_graphs_in_hardware import FOLDINGS

FRAMES = 6


def climb(seed: int, folder: Path) -> None:
    graph = random_graph(seed, shape=(4, 4, 2))
    most, hardwired, stalls = FOLDINGS[seed % len(FOLDINGS)]
    chosen = folded(graph, most=most, hardwired=hardwired)
    (folder / "top.il").write_text(convert_to_rtlil(chosen.core()))
    synthesise(folder, DEVICE.target.tools)
    netlist = BatchSimulator.from_design((folder / "top.json").read_text(), read="read_json")
    images = np.random.default_rng(seed).integers(0, 4, (FRAMES, 4, 4, 2))
    check_core(netlist, chosen, graph, images, stalls=stalls)


@pytest.mark.parametrize("seed", [16, 25])
def test_random_graphs(seed: int, tmp_path: Path):
    climb(seed, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_many_random_graphs(seed: int, tmp_path: Path):
    climb(seed, tmp_path)
