"""`bnnhw verify --build`: the ladder of a build's own design, in its report."""

import json
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from bnnhw.api.builds.built import Build
from bnnhw.cli import main
from bnnhw.compiler.report import read

from .case import Case, Make, run_case
from .stock import model_bytes


@pytest.fixture(scope="module")
def built(stock: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build of the stock's model, as far as the RTL."""
    folder = tmp_path_factory.mktemp("built") / "out"
    assert run("build", stock / "model.pt", "--stop-after", "rtl", "--outputs", "scores", "-q", "-o", folder) == 0
    return folder


@pytest.fixture
def workplace(workplace: Path, built: Path) -> Path:
    """The workplace with that build in `out`, by hard links, which the report's files must not be written through."""
    (workplace / "out").mkdir()
    for path in built.iterdir():
        if path.is_file():
            (workplace / "out" / path.name).hardlink_to(path)
    return workplace


def run(*arguments: object) -> object:
    """The exit code of a command."""
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return end.value.code


def test_writes_the_ladder_into_the_report(workplace: Path, built: Path):
    before = read(built)
    assert run("verify", "model.pt", "--build", "out", "--samples", "7") == 0
    report = read(workplace / "out")
    climbed = ["torch", "trained graph", "integer graph", "packed kernel", "RTL"]
    above = ["RTL", "netlist", "placed"]
    assert [(rung.left, rung.right) for rung in report.ladder] == [*pairwise(climbed), *pairwise(above)]
    assert [(rung.samples, rung.differences) for rung in report.ladder] == [(7, 0)] * 4 + [(None, None)] * 2
    assert report.provenance == before.provenance
    assert "4 of 6 rungs climbed, 0 differences" in (workplace / "out" / "report.html").read_text()
    assert read(built) == before


def test_tells_where_the_time_goes(workplace: Path, capsys: pytest.CaptureFixture[str]):
    assert run("verify", "model.pt", "--samples", "2", "--through", "packed") == 0
    *rungs, total = capsys.readouterr().out.splitlines()
    assert len(rungs) == 3
    assert all(re.search(r"  equal  \(\d+\.\d s, made in \d+\.\d s\)$", rung) for rung in rungs)
    assert re.fullmatch(r"compared on .*, in \d+\.\d s, of which packed kernel took \d+\.\d s", total)
    assert run("verify", "model.pt", "--samples", "2", "--through", "integer", "--json") == 0
    row = json.loads(capsys.readouterr().out)
    assert row["seconds"] > sum(step["seconds"] + step["making_seconds"] for step in row["steps"]) > 0


def test_simulates_a_slow_core_to_its_end(workplace: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bnnhw.sim.ladder.rungs.PATIENCE", 1)
    assert run("sim", "model.pt", "--samples", "2") == 0


def test_writes_what_differs(workplace: Path, monkeypatch: pytest.MonkeyPatch):
    call = "bnnhw.compiler.kernel.packed_kernel.PackedKernel.__call__"
    monkeypatch.setattr(call, lambda kernel, images: images[:, 0, 0] - 99)
    assert run("verify", "model.pt", "--build", "out", "--samples", "3") == 1
    rung = read(workplace / "out").rungs_climbed[-1]
    assert (rung.left, rung.right, rung.samples, rung.differences) == ("integer graph", "packed kernel", 3, 3)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("manifest.json", lambda data: data.update(seed=7)),
        ("report.json", lambda data: data["provenance"].update(seed=7)),
    ],
)
def test_a_build_made_meanwhile_keeps_its_report(workplace: Path, name: str, change: Callable[[dict], None]):
    build = Build.read(Path("out"), model=Path("model.pt"))
    data = json.loads(Path("out", name).read_text())
    change(data)
    Path("out", name).unlink()
    Path("out", name).write_text(json.dumps(data))
    before = {path: path.read_bytes() for path in Path("out").iterdir()}
    with pytest.raises(
        ValueError, match=r"^out holds another build than the one that was climbed with; verify it again$"
    ):
        build.write_ladder([], names=("torch", "trained graph"))
    assert {path: path.read_bytes() for path in Path("out").iterdir()} == before


@pytest.mark.toolchain
def test_climbs_to_the_placed_cells(workplace: Path):
    assert run("verify", "model.pt", "--build", "out", "--through", "placed", "--samples", "5") == 0
    assert [rung.differences for rung in read(workplace / "out").ladder] == [0] * 6


def changed(name: str, change: Callable[[str], str]) -> dict[str, Make]:
    """The build's file `name` as another file with other contents."""

    def make(path: Path) -> None:
        text = path.read_text()
        path.unlink()
        path.write_text(change(text))

    return {f"out/{name}": make}


def refolded(text: str) -> str:
    plan = json.loads(text)
    plan["layers"][0]["pe"] = 8 // plan["layers"][0]["pe"]
    return json.dumps(plan)


CASES = [
    Case(
        "another model",
        "verify other.pt --build out",
        r"out was built from another model than other.pt: its model's SHA-256 is \w{12}.., not \w{12}..; name that .*",
        {"other.pt": model_bytes(4)},
    ),
    Case("no build", "verify model.pt --build none", "none is no build: it has no manifest.json; .*"),
    Case(
        "another folding",
        "verify model.pt --build out",
        "out/top.il is not what this version makes of the model and folding.json; build it again",
        changed("folding.json", refolded),
    ),
    Case(
        "another RTL",
        "verify model.pt --build out",
        "out/top.il is not what this version makes of the model and folding.json; build it again",
        changed("top.il", lambda text: text.replace("1'1", "1'0", 1)),
    ),
    Case(
        "no report",
        "verify model.pt --build out",
        "out/report.json: no such file; .* makes one",
        {"out/report.json": None},
    ),
    Case(
        "damaged report",
        "verify model.pt --build out",
        "out/report.json: .*; build it again",
        changed("report.json", lambda text: text[:-100]),
    ),
    *(
        Case(f"{option} beside a build", f"verify model.pt --build out {option} {value}", f"{option} and --build .*")
        for option, value in (("--board", "ulx3s-85f"), ("--target-fps", "5"), ("--folding", "out/folding.json"))
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_names_what_is_amiss(case: Case, workplace: Path, capfd: pytest.CaptureFixture[str]):
    run_case(case, workplace, capfd)
