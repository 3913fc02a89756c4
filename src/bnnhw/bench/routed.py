"""Whole bitstreams: cells and speed after routing, beside what was predicted.

Tests: tests/cli/test_bench.py
"""

from collections.abc import Iterator
from dataclasses import replace

from bnnhw.api.build import build
from bnnhw.compiler.report import BuildReport
from bnnhw.compiler.report.data import deviation

from .cnv import CNV_PLAN
from .equality import PLAN
from .row import Bench, Row

RETRIES = 2
FINN_LFC_FIX = 12_200
MAX_DEVIATION = 0.1
FASTEST = {
    "lfc": replace(PLAN, target_fps=780_000),
    "sfc": replace(PLAN, target_fps=7_000_000, clock_mhz=115),
}
FINN_CNV_MAX = 21_906
"""Frames a second of FINN's fastest cnv, on a ZC706."""
FINN_CNV_LATENCY_US = 283


def measure_lfc(bench: Bench) -> Iterator[Row]:
    report = build(
        bench.model("lfc"),
        bench.work / "lfc",
        plan=replace(PLAN, target_fps=195_312, vectors=1, clock_mhz=105),
        retries=RETRIES,
    )
    yield from rows(report)
    frames_per_second = report.performance.core_frames_per_second
    yield Row(
        name="lfc, core-bound, against FINN's LFC-fix",
        measured=f"{frames_per_second:,.0f} frames/s",
        target=f">= {FINN_LFC_FIX:,}",
        met=frames_per_second >= FINN_LFC_FIX and bool(report.performance.clock.is_met),
    )


def measure_fastest(bench: Bench) -> Iterator[Row]:
    for name, plan in FASTEST.items():
        report = build(bench.model(name), bench.work / f"{name}-fastest", plan=plan, retries=RETRIES)
        yield from rows(report)
        fmax_hz = report.performance.clock.fmax_hz or 0
        yield Row(
            name=f"{name}, fastest: frames/s of the core at Fmax",
            measured=f"{fmax_hz * report.performance.vectors / report.performance.interval_cycles:,.0f} frames/s",
        )


def measure_cnv(bench: Bench) -> Iterator[Row]:
    report = build(bench.model("cnv"), bench.work / "cnv", plan=CNV_PLAN, retries=RETRIES)
    yield from rows(report)
    clock, interval = report.performance.clock, report.performance.interval_cycles
    frames_per_second = (clock.fmax_hz or 0) / interval
    yield Row(
        name=f"cnv: {interval:,} cycles a frame, at Fmax, against FINN's CNV-max",
        measured=f"{frames_per_second:,.0f} frames/s",
        target=f">= {FINN_CNV_MAX:,}",
        met=frames_per_second >= FINN_CNV_MAX,
    )
    latency_us = report.performance.latency_us
    yield Row(
        name=f"cnv: latency of {report.performance.latency_cycles:,} cycles at {clock.actual_hz / 1e6:g} MHz",
        measured=f"{latency_us:.0f} µs",
        target=f"< {FINN_CNV_LATENCY_US} µs",
        met=latency_us < FINN_CNV_LATENCY_US,
    )


def rows(report: BuildReport) -> Iterator[Row]:
    """The routed clock, the slowest layer's PEs at work, and the prediction of the LUTs."""
    performance, resources = report.performance, report.resources
    clock, routed, estimate = performance.clock, resources.routed, resources.estimated
    if routed is None or estimate is None or clock.fmax_hz is None:
        raise ValueError(f"{report.model}: the build was not routed")
    yield Row(
        name=f"{report.model} on {report.provenance.board}, V = {performance.vectors}, routed",
        measured=f"{clock.fmax_hz / 1e6:.1f} MHz, {routed.logic:,} COMB, {routed.ffs:,} FF, {routed.ebr} EBR",
        target=f">= {clock.actual_hz / 1e6:g} MHz",
        met=bool(clock.is_met),
    )
    off = deviation(estimate.logic, routed.logic) or 0.0
    yield Row(
        name=f"{report.model}: predicted against routed LUT, whole design",
        measured=f"{estimate.logic:,} against {routed.logic:,}: {off:+.1%}",
        target=f"within {MAX_DEVIATION:.0%}",
        met=abs(off) <= MAX_DEVIATION,
    )
