"""Lanes of graphs: drawn by hand, and at random, where nothing may run into another's way."""

import random

import pytest

from bnnhw.compiler.report.lanes import Lanes, lay_out

GRAPHS = {
    "chain": ([(0, 1), (1, 2)], "●|●|●"),
    "skip": ([(0, 1), (1, 2), (0, 2), (2, 3)], "●─╮|● │|●─╯|●"),
    "dense": ([(0, 1), (0, 2), (1, 2), (2, 3), (2, 4), (3, 4)], "●─╮|● │|●─┤|● │|●─╯"),
    "three ways": ([(0, 1), (0, 2), (0, 3), (1, 4), (2, 4), (3, 4)], "●─┬─╮|● │ │|│ ● │|│ │ ●|●─┴─╯"),
    "over another": ([(0, 1), (0, 4), (1, 2), (1, 3), (2, 3), (3, 4)], "●─╮|●─┼─╮|● │ │|●─┼─╯|●─╯"),
    "read twice": ([(0, 1), (0, 1)], "●─╮|●─╯"),
    "two inputs": ([(0, 2), (1, 2)], "●|│ ●|●─╯"),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_lines(name: str):
    edges, drawn = GRAPHS[name]
    count = 1 + max(target for _, target in edges)
    assert lay_out(count, edges).lines() == drawn.split("|")


def check(lanes: Lanes) -> None:
    """No edge runs where another runs, or through a node between its own."""
    for number, edge in enumerate(lanes.edges):
        for other in lanes.edges[:number]:
            apart = edge.target <= other.source or other.target <= edge.source
            assert apart or edge.lane != other.lane, (edge, other)
        assert edge.lane not in lanes.nodes[edge.source + 1 : edge.target], edge


@pytest.mark.parametrize("seed", range(30))
def test_nothing_runs_into_another(seed: int):
    draw = random.Random(seed)
    count = draw.randint(2, 25)
    edges = [(draw.randrange(target), target) for target in range(1, count)]
    for _ in range(draw.randint(0, 12)):
        source, target = sorted(draw.sample(range(count), 2))
        edges.append((source, target))
    draw.shuffle(edges)
    lanes = lay_out(count, edges)
    assert [(edge.source, edge.target) for edge in lanes.edges] == edges
    check(lanes)
    assert max(len(line) for line in lanes.lines()) <= 2 * lanes.count


@pytest.mark.parametrize("edge", [(1, 1), (2, 1), (-1, 1), (1, 3)])
def test_edges_go_down(edge: tuple[int, int]):
    with pytest.raises(ValueError, match=f"^edge {edge[0]} -> {edge[1]} must go down, within 3 rows$"):
        lay_out(3, [(0, 1), edge])
