"""report.json: nothing is lost, nothing is invented, and what does not fit is named."""

import dataclasses
import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from bnnhw.compiler.codec import spellings
from bnnhw.compiler.report import BuildReport, Chip, Link, render, write
from bnnhw.hw.targets import Cells

from .samples import branched, complete, stopped_after

OLD = Path(__file__).parent / "report_0_1.json"
REFERENCE = Path(__file__).parents[3] / "docs" / "report.md"


@pytest.mark.parametrize(
    "report",
    [complete(), branched(), stopped_after("rtl"), stopped_after("synth")],
    ids=["full", "branched", "rtl", "synth"],
)
def test_json_round_trip(report: BuildReport):
    assert BuildReport.from_json(report.to_json()) == report
    assert "NaN" not in report.to_json()


def test_a_report_of_version_0_1_still_loads():
    """report_0_1.json is of `bnnhw build` of a perceptron for the digits, cut to three candidates."""
    text = OLD.read_text()
    report, data = BuildReport.from_json(text), json.loads(text)
    units = [{**unit, "depth": None, "latency": None} for unit in data["units"]]
    performance = {**data["performance"], "other_links": []}
    new = {"version": 2, "units": units, "streams": [], "performance": performance}
    assert json.loads(report.to_json()) == {**data, **new}
    assert report.resources.routed == Cells(logic=1760, luts=1158, carries=255, ffs=1399, ebr=4)
    assert report.device == Chip(name="LFE5U-85F", luts=83_640, ebr=208, multipliers=156)
    page = render(report)
    assert "1,760 of 83,640 TRELLIS_COMB" in page.replace("\u202f", ",")


def test_figures_follow_from_the_fields():
    figures = json.loads(complete().to_json())["figures"]
    assert figures == {
        "core_frames_per_second": pytest.approx(149.5e6 / 512),
        "frames_per_second": 2884.6,
        "bound_by": "link",
        "latency_us": pytest.approx(2243 / 149.5),
        "binary_ops_per_second": pytest.approx(2 * (784 * 1024 + 2 * 1024 * 1024 + 10 * 1024) * 149.5e6 / 512),
        "timing_met": True,
        "comb_share": pytest.approx(13_702 / 83_640),
        "ebr_share": pytest.approx(167 / 208),
        "comb_deviation": pytest.approx(13_088 / 13_702 - 1),
    }


def test_frames_in_lockstep_share_an_interval():
    performance = replace(complete().performance, vectors=4)
    assert performance.core_frames_per_second == pytest.approx(4 * 149.5e6 / 512)


@pytest.mark.parametrize(("link", "bound_by"), [(None, "core"), (1e6, "core"), (10.0, "link")])
def test_the_slower_one_rules(link: float | None, bound_by: str):
    performance = replace(complete().performance, link=None if link is None else Link(name="x", frames_per_second=link))
    assert performance.bound_by == bound_by
    assert performance.frames_per_second == min(link or 1e9, 149.5e6 / 512)


@pytest.mark.parametrize(("fmax_hz", "met"), [(None, None), (149.4e6, False), (149.5e6, True)])
def test_timing_is_judged_by_the_clock_that_runs(fmax_hz: float | None, met: bool | None):
    assert replace(complete().performance.clock, fmax_hz=fmax_hz).is_met is met


@pytest.mark.parametrize(("rung", "best"), [("rtl", "estimated"), ("synth", "synthesised")])
def test_what_was_not_run_is_null_and_never_zero(rung: str, best: str):
    report = stopped_after(rung)
    data = json.loads(report.to_json())
    assert report.resources.best_rung == best
    assert data["resources"]["routed"] is None
    assert data["performance"]["clock"]["fmax_hz"] is None
    assert data["figures"]["timing_met"] is None
    assert data["figures"]["comb_deviation"] is None
    assert data["stages"][-1]["seconds"] is None


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("format",), "other", r"report must be of format 'bnnhw-report' and version 1 to 2, got \('other', 2\)"),
        (("version",), 3, r"report must be of format 'bnnhw-report' and version 1 to 2, got \('bnnhw-report', 3\)"),
        (("model",), 3, r"report\.model must be a string, got 3"),
        (("units",), {}, r"report\.units must be a list, got \{\}"),
        (("units", 1, "pe"), True, r"report\.units\[1\]\.pe must be an integer, got True"),
        (("units", 0, "cycles"), 4.0, r"report\.units\[0\]\.cycles must be an integer, got 4\.0"),
        (
            ("network", "layers", 0, "input_shape", 0),
            "x",
            r"report\.network\.layers\[0\]\.input_shape\[0\] must be an integer",
        ),
        (
            ("performance", "clock", "asked_hz"),
            None,
            r"report\.performance\.clock\.asked_hz must be a finite number, got None",
        ),
        (("metrics", "epochs"), "many", r"report\.metrics\.epochs must be a finite number, got 'many'"),
        (("provenance",), [], r"report\.provenance must be an object, got \[\]"),
        (("device", "colour"), "red", r"report\.device must have exactly .*; missing \[\], foreign \['colour'\]"),
    ],
)
def test_from_json_names_what_does_not_fit(path: tuple[Any, ...], value: Any, message: str):
    data = json.loads(complete().to_json())
    inner = data
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(ValueError, match=message):
        BuildReport.from_json(json.dumps(data))


def test_from_json_names_a_missing_field():
    data = json.loads(complete().to_json())
    del data["performance"]["latency_cycles"]
    with pytest.raises(ValueError, match=r"report\.performance must have .*missing \['latency_cycles'\], foreign \[\]"):
        BuildReport.from_json(json.dumps(data))


@pytest.mark.parametrize("text", ["", "[]", "null", "{"])
def test_from_json_of_something_else(text: str):
    with pytest.raises(ValueError, match=r"report must be|Expecting"):
        BuildReport.from_json(text)


def dotted_fields(kind: Any, prefix: str = "") -> set[str]:
    """`performance.clock.asked_hz`, `units[].pe`, …: every field of the JSON form."""
    fields = set()
    for key, field in spellings(kind).items():
        hint = get_type_hints(kind)[field]
        name = prefix + key + ("[]" if str(hint).startswith("tuple") else "")
        inner = [argument for argument in (hint, *get_args(hint)) if dataclasses.is_dataclass(argument)]
        fields |= dotted_fields(inner[0], f"{name}.") if inner else {name}
    return fields


def test_the_reference_names_every_field_and_no_other():
    documented = set(re.findall(r"^\| `([^`]+)` \|", REFERENCE.read_text(), flags=re.MULTILINE))
    expected = {
        re.sub(r"^resources\.(synthesised|routed)\.", "resources.estimated.", name)
        for name in dotted_fields(BuildReport)
    }
    figures = {f"figures.{name}" for name in complete().figures()}
    assert documented == expected | figures | {"format", "version"}


def test_write_leaves_two_files(tmp_path: Path):
    json_file, html_file = write(complete(), tmp_path)
    assert sorted(os.listdir(tmp_path)) == ["report.html", "report.json"]
    assert BuildReport.from_json(json_file.read_text()) == complete()
    assert html_file.read_text().startswith("<!DOCTYPE html>")


def test_write_keeps_the_old_file_when_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write(complete(), tmp_path)
    before = (tmp_path / "report.json").read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write(stopped_after("rtl"), tmp_path)
    assert sorted(os.listdir(tmp_path)) == ["report.html", "report.json"]
    assert (tmp_path / "report.json").read_bytes() == before
