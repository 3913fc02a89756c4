"""The page of an engine's program: its figures, with and without external memory, the roofline, and hostile names."""

import re
from dataclasses import replace

import matplotlib
import pytest

from bnnhw.compiler.engine.compile import compile_program
from bnnhw.compiler.engine.external.scheduled import scheduled_program
from bnnhw.compiler.engine.figures import LayerFigures, LayerMoves, Moved
from bnnhw.compiler.engine.from_graph import engine_network
from bnnhw.compiler.engine.program import EngineProgram
from bnnhw.compiler.report.data import LadderRow, Link
from bnnhw.compiler.report.program.data import ProgramReport
from bnnhw.compiler.report.program.page import headline, render
from tests.compiler.engine.external.test_scheduled import image
from tests.compiler.report.test_page import HOSTILE, Page
from tests.engine_rtl import CHIP, small_shape

DASH, TIMES = "\N{EN DASH}", "\N{MULTIPLICATION SIGN}"


def report_of(program: EngineProgram, **changes) -> ProgramReport:
    """At 90 MHz; its link carries as many frames as the engine."""
    found = ProgramReport(
        model="net",
        dataset="digits",
        board="ulx3s-85f",
        shape=program.shape,
        chip=None if program.shape.external is None else CHIP.name,
        clock_hz=90e6,
        frames=program.frames,
        cycles=program.cycles,
        layers=program.figures,
        lists=program.list_moves,
        link=Link(name="UART, 3 Mbaud", frames_per_second=program.frames * 90e6 / program.cycles),
        metrics={"test_accuracy": 0.9876},
        hashes={"model.pt": "a7" * 32},
        bnnhw="0.1.0",
    )
    return replace(found, **changes)


RESIDENT = report_of(compile_program(image(lines=6, columns=4, channels=3), small_shape()))
EXTERNAL = report_of(
    scheduled_program(
        engine_network(image(lines=12, columns=4, channels=36)),
        small_shape(
            map_words=64, weight_words=256, outbox_words=64, instructions=64, transfers=64, external=CHIP.shape
        ),
    )
)
REPORTS = {"resident": RESIDENT, "external": EXTERNAL}


def rows_of(source: str, section: str) -> list[list[str]]:
    """The cells of a section's first table."""
    table = source.split(f'<section id="{section}">')[1].split("</table>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", table, flags=re.DOTALL)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, flags=re.DOTALL) for row in rows]
    return [[re.sub(r"<[^>]*>", "", cell).replace("\u202f", "") for cell in row] for row in cells]


@pytest.mark.parametrize("name", REPORTS)
def test_stands_alone_and_is_well_formed(name: str):
    source = render(REPORTS[name])
    page = Page(source)
    assert page.tags.isdisjoint({"script", "img", "iframe", "object", "embed", "base", "form"})
    identifiers = [value for key, value in page.attributes if key == "id"]
    assert len(identifiers) == len(set(identifiers))
    assert {"roofline", "layers", "engine"} < set(identifiers)
    with matplotlib.rc_context({"font.size": 31, "svg.fonttype": "path", "svg.hashsalt": "x"}):
        assert render(REPORTS[name]) == source


@pytest.mark.parametrize("name", REPORTS)
def test_every_layers_figures_are_in_the_table(name: str):
    report = REPORTS[name]
    rows = rows_of(render(report), "layers")[1:]
    for number, (layer, row) in enumerate(zip(report.layers, rows, strict=False), start=1):
        moves = layer.moves
        assert row[0] == f"{number} {layer.name}"
        assert (int(row[1]), int(row[3])) == (layer.cycles, layer.products)
        assert (row[2], row[4]) == (f"{layer.cycles / report.cycles:.1%}", f"{layer.used:.1%}")
        assert row[5:8] == [str(each.bytes or DASH) for each in (moves.weights, moves.maps_in, moves.maps_out)]
        assert row[8:] == [str(moves.all.cycles), layer.bound_by]
    between, *lists, total = rows[len(report.layers) :]
    assert int(between[1]) == report.cycles - sum(layer.cycles for layer in report.layers)
    assert [row[2] for row in lists] == ([f"{report.lists.bytes} bytes of its lists"] if report.lists.bytes else [])
    assert (int(total[1]), total[5]) == (report.cycles, f"{report.moved.bytes} bytes")


def test_what_both_say():
    for report in REPORTS.values():
        text = Page(render(report)).text
        assert report.frames_per_second_with_link == pytest.approx(report.frames_per_second / 2)
        assert re.sub(r"\s", " ", headline(report)) in text
        for said in (
            "net on the engine of ulx3s-85f",
            "90 MHz",
            "UART, 3 Mbaud: 50 % of the time",
            f"4 pixels {TIMES} 8 rows {TIMES} 32 products",
        ):
            assert said in text
        assert "98.76 %" in text
        assert "a7" * 32 in text


def test_a_ladder_that_was_not_climbed():
    text = render(RESIDENT)
    assert "ladder not run" in text
    assert "<code>bnnhw verify</code> climbs it" in text


def test_differences_are_told():
    rows = (
        LadderRow(left="torch", right="graph", samples=7, differences=0, seconds=1.0),
        LadderRow(left="graph", right="engine RTL", samples=7, differences=3, seconds=2.0),
    )
    text = render(replace(RESIDENT, ladder=rows))
    assert "the ladder found 3 differences" in text
    assert '<td class="bad">3</td>' in text


def test_memory_is_told_of_where_it_is_used():
    resident, external = (Page(render(report)).text for report in (RESIDENT, EXTERNAL))
    assert "all in block RAM" in resident
    assert "nothing is moved while the program runs" in resident
    for said in ("External memory", "waits for the external memory", "the program itself", "MT48LC16M16A2"):
        assert said in external
        assert said not in resident
    assert "180 MB/s at most" in external
    assert "they meet at 1.02k operations a byte" in external  # 2 x 1,024 a cycle, 2 bytes a cycle


def test_points_lie_beneath_both_roofs():
    report = EXTERNAL
    assert (report.peak, report.bandwidth) == (2 * 1024 * 90e6, 2 * 90e6)
    places = [(report.intensity(each.products, each.moves.all), report.rate_of(each)) for each in report.layers]
    places.append((report.intensity(report.products, report.moved), report.operations_per_second))
    assert all(0 < rate < min(report.peak, intensity * report.bandwidth) for intensity, rate in places)


def test_layers_that_lie_on_top_of_each_other_share_a_label():
    def layer(products: int, cycles: int = 1000) -> LayerFigures:
        moves = LayerMoves(weights=Moved(bytes=1000, cycles=700))
        return LayerFigures(name="conv", cycles=cycles, products=products, used=0.5, moves=moves)

    layers = (layer(500_000), layer(510_000), layer(490_000), layer(20_000), layer(505_000), layer(0))
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", render(replace(EXTERNAL, layers=layers)))
    assert {f"1{DASH}3, 5", "4"} <= set(texts)
    assert "6" not in texts  # it multiplies nothing


def test_hostile_names_are_text_and_nothing_else():
    layers = tuple(replace(layer, name=HOSTILE) for layer in EXTERNAL.layers)
    report = replace(EXTERNAL, model=HOSTILE, dataset=HOSTILE, board=HOSTILE, layers=layers, hashes={HOSTILE: HOSTILE})
    source = render(report)
    source.encode()
    page = Page(source)
    assert "script" not in page.tags
    assert '<script>alert("1")</script>\'&amp;$x_$' in " ".join(page.words)
