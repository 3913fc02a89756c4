"""The drawing of the core: everything is there, marked where it is slow, and nothing lies on anything else."""

import random
from dataclasses import replace
from itertools import pairwise

import pytest

from bnnhw.compiler.report import BuildReport, Unit
from bnnhw.compiler.report.drawing import BAR, ROW, Drawing, draw, layers_of
from bnnhw.pages.formats import TIMES

from .samples import branched, complete, stream


def at_random(seed: int) -> BuildReport:
    """Up to a hundred units with streams as they come, names and numbers short and long."""
    rng = random.Random(seed)
    count = rng.randint(1, 100)
    report = complete()
    engines = ["matrix unit", "fork", "concatenation", "width converter", "queue", "sliding window", "pooling"]
    units = []
    for number in range(count):
        unit = replace(
            report.units[0],
            name=f"layer{number}" * rng.choice((1, 1, 12)),
            engine=rng.choice(engines),
            cycles=rng.choice((0, 7, 1_234_567_890)),
            planes=rng.choice((1, 8)),
            vectors=rng.choice((1, 16)),
            pe=rng.choice((None, 1, 1024)),
            simd=4096,
            depth=rng.choice((None, 3, 16_384)),
        )
        units.append(unit)
    ways = [(source, target) for target in range(count) for source in {target - 1, rng.randint(-1, target - 1)}]
    streams = [
        stream(*way, count=count, elements=rng.choice((1, 65_536)), beats=rng.choice((1, 12_345_678))) for way in ways
    ]
    ends = set(range(count)) - {source for source, _ in ways}
    streams += [replace(stream(source, count, count=count), input=f"o{source}") for source in ends]
    return replace(report, units=tuple(units), streams=tuple(streams))


REPORTS = {"chain": complete(), "branched": branched(), **{f"random {seed}": at_random(seed) for seed in range(8)}}


def rectangles(drawing: Drawing) -> list[tuple[float, float, float, float, str]]:
    """Left, right, top and bottom of texts and bars."""
    texts = [(*text.extent, text.y - 10, text.y + 3, text.words) for text in drawing.texts]
    return texts + [(bar.x, bar.x + BAR, bar.y - 4, bar.y + 4, "a bar") for bar in drawing.bars]


@pytest.mark.parametrize("name", REPORTS)
def test_nothing_overlaps_and_all_is_inside(name: str):
    drawing = draw(REPORTS[name])
    found = rectangles(drawing)
    for number, (left, right, top, bottom, words) in enumerate(found):
        assert left >= drawing.left, words
        assert right <= drawing.width, words
        assert 0 <= top < bottom <= drawing.height, words
        for other in found[:number]:
            assert right <= other[0] or other[1] <= left or bottom <= other[2] or other[3] <= top, (words, other)
    for one, two in pairwise(drawing.boxes):
        assert one.y + one.height < two.y
    assert all(node.x < drawing.left for node in drawing.nodes)


@pytest.mark.parametrize("name", REPORTS)
def test_every_unit_has_a_node_and_every_stream_a_curve(name: str):
    report = REPORTS[name]
    drawing = draw(report)
    ends = {stream.input for stream in report.streams if stream.target is None}
    assert len(drawing.nodes) == len(report.units) + 1 + len(ends)
    assert len(drawing.curves) == len(report.streams)
    places = [node.y for node in drawing.nodes]
    assert all(two - one >= ROW for one, two in pairwise(places))
    slow = [node.look == "slow" for node in drawing.nodes[1 : len(report.units) + 1]]
    assert slow == [unit in report.bottlenecks for unit in report.units]


def plain(words: str) -> str:
    """With signs of a keyboard."""
    return words.replace("\u202f", " ").replace(TIMES, "x")


def row(drawing: Drawing, node: int) -> list[str]:
    """What stands beside a node."""
    y = drawing.nodes[node].y
    texts = sorted(drawing.texts, key=lambda text: text.extent)
    return [plain(text.words) for text in texts if abs(text.y - 4 - y) < 1]


def test_what_stands_beside_the_nodes():
    drawing = draw(branched())
    assert [row(drawing, node) for node in range(14)] == [
        ["core input", "8 x 1 bit", "64", "12 %"],
        ["sliding window", "64", "8 x 1 bit", "512", "100 %"],
        ["matrix unit", "PE 32, SIMD 56, block", "512", "8 x 1 bit", "64", "12 %"],
        ["thresholds", "64", "8 x 1 bit", "64", "12 %"],
        ["fork", "stem", "64", "8 x 1 bit", "64", "12 %"],
        ["matrix unit", "PE 32, SIMD 56, block", "300", "8 x 1 bit", "64", "12 %"],
        ["width converter", "8 to 4 lanes", "128", "8 x 1 bit", "64", "12 %"],
        ["matrix unit", "PE 32, SIMD 56, 2 planes, 4 vectors, block", "200", "8 x 1 bit", "64", "12 %"],
        ["queue", "37 beats", "8 x 1 bit", "64", "12 %"],
        ["concatenation", "64", "8 x 1 bit", "64", "12 %"],
        ["pooling", "max pooling", "64", "8 x 1 bit", "64", "12 %"],
        ["matrix unit", "PE 32, SIMD 56, block", "320", "8 x 1 bit", "64", "12 %"],
        ["label select", "output", "10", "8 x 1 bit", "64", "12 %"],
        ["core output"],
    ]


def test_layers_are_what_feeds_a_product_and_what_is_behind_it():
    assert layers_of(branched()) == [[0, 1, 2], [3], [4], [5, 6], [7], [8, 9], [10, 11]]
    titles = [text for text in draw(branched()).texts if text.look == "layer"]
    long = branched().units[10].name
    assert [text.words for text in titles] == ["stem", "right", "cat", "…" + long[-58:]]
    assert [text.title for text in titles] == ["", "", "", long]


def test_streams_are_told_in_full():
    titles = [plain(curve.title) for curve in draw(branched()).curves]
    assert titles[1] == "stem windows → stem: 8 x 1 bit, 512 beats, 100.0 %"
    assert titles[6] == "stem fork → cat i2 queue: 8 x 1 bit, 64 beats, 12.5 %"
    assert titles[-1] == "output → core output: 8 x 1 bit, 64 beats, 12.5 %"


def test_busier_streams_are_thicker():
    thickness = [curve.thickness for curve in draw(branched()).curves]
    assert thickness[1] > 2 * thickness[0]
    assert len(set(thickness)) == 2


def test_units_alike_are_each_drawn():
    twice = (Unit(name="a", engine="fork", cycles=3),) * 2
    report = replace(complete(), units=twice, streams=tuple(stream(n - 1, n, count=2) for n in range(3)))
    assert [node.look for node in draw(report).nodes] == ["", "slow", "slow", ""]
