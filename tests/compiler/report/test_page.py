"""report.html: well-formed, complete, harmless, alone in the world, and the same bytes twice."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import matplotlib
import pytest

from bnnhw.compiler.report import BuildReport, DesignResources, Unit, render
from bnnhw.compiler.report.inspect import NetworkSummary
from bnnhw.compiler.report.page import headline
from bnnhw.hw.targets import Cells

from .samples import branched, complete, stopped_after, stream

VOID = {"meta", "link", "br", "hr", "img", "input"}
HOSTILE = """<script>alert("1")</script>'&amp;$x_$\x00\ud800\\"""
REPORTS = {"full": complete(), "branched": branched(), "rtl": stopped_after("rtl"), "synth": stopped_after("synth")}


FIGURES = f"""
lfc on ulx3s-85f: 292k frames/s at 149.5 MHz (2.88k over its link), 16 % of the LUTs, 98.9 % test accuracy
timing met | 4 of 5 rungs climbed, 0 differences | LFE5U-85F | mnist
2.88k frames/s | bound by the link | 15 µs | 2 243 cycles | 1.7 Top/s | asked 150 MHz | Fmax 163.3 MHz
13 088 | 13 411 | 13 702 | 7 648 | 7 989 | 8 001 | 2 720 | 2 711 | 2 713 | 6 413 | 6 502 | 6 507 | 165 | 166 | 167
-2.4 % | -4.5 % | +0.3 % | 16.4 % | 7.8 % | 80.3 % | 83 640 | 208
layers.0 | matrix unit | label select | block | lut | 448 | 512 | 87.5 % | 100.0 % | 62.5 % | 3 911 | 4 466 | 2 101
layers.0.linear | 802 816 | 2 910 208 | -784..784, 11 bits | ±1, 1 bit | 1 021 / 1 024 | 49.3 % | 59.9 | 355 KiB
torch | packed kernel | 9 973 | 1 min 37 s | 98.94 % | 98.81 % | epochs 500
934k frames/s | UDP, gigabit Ethernet, the core would rule | 9.7k frames/s | USB, full speed, the link would rule
load and fold | 1.8 s | 212 ms | 5 min 12 s | 17 | 0.5.10 | {"5d" * 32} | {"a7" * 32} | {"0b" * 32} | --seed 17
What else it could be
"""


class Page(HTMLParser):
    """Checks that tags nest; collects the text a reader sees, identifiers, attributes and tags."""

    def __init__(self, source: str):
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.feed(source)
        self.close()
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        """The words, with one plain space wherever there is any space, and plain minus signs."""
        return re.sub(r"\s+", " ", " ".join(self.words)).replace("\N{MINUS SIGN}", "-")


@pytest.fixture(scope="module")
def sources() -> dict[str, str]:
    """The pages of REPORTS."""
    return {name: render(report) for name, report in REPORTS.items()}


@pytest.mark.parametrize("name", REPORTS)
def test_page_is_well_formed(sources: dict[str, str], name: str):
    page = Page(sources[name])
    identifiers = Counter(value for name, value in page.attributes if name == "id")
    assert [name for name, times in identifiers.items() if times > 1] == []
    for reference in re.findall(r'(?:href="|url\()#([^")]+)', sources[name]):
        assert reference in identifiers


@pytest.mark.parametrize("name", REPORTS)
def test_page_fetches_nothing(sources: dict[str, str], name: str):
    source = sources[name]
    page = Page(source)
    assert page.tags.isdisjoint({"script", "img", "iframe", "object", "embed", "base", "form"})
    for attribute, value in page.attributes:
        assert not attribute.startswith("on")
        if not attribute.startswith("xmlns"):
            assert "//" not in value, f"{attribute}={value!r}"
        if attribute in ("href", "src", "xlink:href"):
            assert value.startswith(("#", "data:"))
    assert "@import" not in source
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", source))


def test_every_figure_is_on_the_page(sources: dict[str, str]):
    text = Page(sources["full"]).text
    assert [figure for figure in re.split(r" \| |\n", FIGURES.strip()) if figure not in text] == []


@pytest.mark.parametrize(
    ("rung", "there", "absent"),
    [
        (
            "rtl",
            ("not routed: figures are estimated", "Fmax not run", "16 % of the LUTs (estimated)"),
            ("13 411", "13 702", "timing met"),
        ),
        (
            "synth",
            ("not routed: figures are synthesised", "13 411", "-2.4 %", "ladder not run"),
            ("13 702", "timing met"),
        ),
    ],
)
def test_what_was_not_run_says_so(sources: dict[str, str], rung: str, there: tuple[str, ...], absent: tuple[str, ...]):
    text = Page(sources[rung]).text
    assert text.count("not run") > 5
    assert [figure for figure in there if figure not in text] == []
    assert [figure for figure in absent if figure in text] == []


@pytest.mark.parametrize(
    ("change", "badge"),
    [
        ({"ladder": (replace(complete().ladder[0], differences=1_234),)}, "the ladder found 1 234 differences"),
        (
            {"performance": replace(complete().performance, clock=replace(complete().performance.clock, fmax_hz=9e7))},
            "timing missed: Fmax is 90 MHz",
        ),
    ],
)
def test_bad_news_is_a_badge(change: dict, badge: str):
    assert badge in Page(render(replace(complete(), **change))).text


def test_a_report_of_almost_nothing():
    stopped = stopped_after("rtl")
    report = replace(
        stopped,
        dataset=None,
        network=NetworkSummary(layers=()),
        units=(),
        resources=DesignResources(),
        performance=replace(stopped.performance, link=None),
        metrics={},
        ladder=(),
        stages=(),
        candidates=(),
        streams=(),
    )
    page = Page(render(report))
    assert headline(report) == "lfc on ulx3s-85f: 292k frames/s at 149.5\u202fMHz"
    assert "not routed: figures are not known" in page.text
    assert "svg" not in page.tags


def test_hostile_names_are_text_and_nothing_else():
    report = complete()
    network = NetworkSummary(layers=tuple(replace(layer, name=HOSTILE) for layer in report.network.layers))
    report = replace(
        report,
        model=HOSTILE,
        dataset=HOSTILE,
        network=network,
        units=(Unit(name=HOSTILE, engine=HOSTILE, cycles=1, weight_store=HOSTILE, estimated=Cells(logic=2)),),
        metrics={HOSTILE: 1.0},
        ladder=(replace(report.ladder[0], left=HOSTILE),),
        stages=(replace(report.stages[0], name=HOSTILE),),
        provenance=replace(report.provenance, board=HOSTILE, versions={HOSTILE: HOSTILE}, command=HOSTILE),
        streams=(stream(-1, 0, count=1), replace(stream(0, 1, count=1), output=HOSTILE, input=HOSTILE)),
    )
    source = render(report)
    source.encode()  # no lone surrogates
    page = Page(source)
    assert "script" not in page.tags
    assert "\x00" not in source
    assert '<script>alert("1")</script>\'&amp;$x_$' in " ".join(page.words)
    assert BuildReport.from_json(report.to_json()) == report


def test_the_same_bytes_twice_whatever_the_user_prefers(sources: dict[str, str]):
    with matplotlib.rc_context({"font.size": 31, "axes.grid": True, "svg.fonttype": "path", "svg.hashsalt": "x"}):
        preferred = render(complete())
    assert preferred == sources["full"]


def test_the_same_bytes_in_another_process(sources: dict[str, str], tmp_path: Path):
    script = "import sys; from tests.compiler.report.samples import complete; from bnnhw.compiler.report import render;"
    script += "sys.stdout.buffer.write(render(complete()).encode())"
    environment = {
        **os.environ,
        "PYTHONHASHSEED": "7",
        "MPLCONFIGDIR": str(tmp_path),
        "TZ": "Asia/Tokyo",
        "LC_ALL": "C",
    }
    other = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, env=environment, cwd=Path(__file__).parents[3]
    )
    assert other.stdout.decode() == sources["full"]


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not on PATH")
def test_a_browser_has_nothing_to_complain_about(sources: dict[str, str], tmp_path: Path):
    page = tmp_path / "report.html"
    page.write_text(sources["full"], encoding="utf-8")
    options = [
        *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
        *("--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND"),
        *("--enable-logging=stderr", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"),
    ]
    browser = subprocess.run(
        ["chromium", *options, page.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    assert "CONSOLE" not in browser.stderr
    assert Page(browser.stdout).text.strip() == Page(sources["full"]).text.strip()
