"""What a build report says, as frozen dataclasses of plain numbers; docs/report.md is the reference of the JSON form.

None stands for "not run" or "not known", never zero.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from bnnhw.compiler.codec import from_plain, to_plain
from bnnhw.hw.targets import Cells

from .inspect import NetworkSummary

FORMAT = "bnnhw-report"
VERSION = 2
"""Version 1, of bnnhw 0.1, had no streams and no other links."""


@dataclass(frozen=True, kw_only=True)
class Chip:
    """The device that was built for: how many LUTs it holds, each with a flip-flop, block RAMs and multipliers."""

    name: str
    luts: int
    ebr: int
    multipliers: int

    @property
    def ffs(self) -> int:
        """Flip-flops: one beside each LUT."""
        return self.luts


@dataclass(frozen=True, kw_only=True)
class DesignResources:
    """The whole design three times: by the cost model, after synthesis, after place and route."""

    estimated: Cells | None = None
    synthesised: Cells | None = None
    routed: Cells | None = None

    @property
    def best(self) -> Cells | None:
        """The figures nearest to the bitstream."""
        return self.routed or self.synthesised or self.estimated

    @property
    def best_rung(self) -> str | None:
        """Which of the three `best` is."""
        return next((name for name in ("routed", "synthesised", "estimated") if getattr(self, name)), None)


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A piece of the scheduled hardware: a matrix unit, or what lies between, before and after the matrix units.

    cycles: how long it is busy with one group of `vectors` frames. pe_utilisation: the share of cycles, 0 to 1, in
    which its PEs work when the whole core is saturated. pe, simd, planes, vectors (frames, or pixels of a convolution,
    that share a weight fetch), weight_store: None where it has no weights. comb_unshared: of a hardwired unit the
    logic that it would have by the cost model if each row were summed by itself. depth: beats that a queue holds.
    latency: stages of an operator's program.
    """

    name: str
    engine: str
    cycles: int
    estimated: Cells | None = None
    pe: int | None = None
    simd: int | None = None
    planes: int | None = None
    vectors: int | None = None
    weight_store: str | None = None
    pe_utilisation: float | None = None
    comb_unshared: int | None = None
    depth: int | None = field(default=None, metadata={"since": 2})
    latency: int | None = field(default=None, metadata={"since": 2})


@dataclass(frozen=True, kw_only=True)
class Stream:
    """From an output port of a unit to an input port of another; beats of `elements` of so many bits, side by side.

    source, target: positions among the report's units; None for the core itself and its own ports. beats: of a group of
    `vectors` frames.
    """

    source: int | None
    output: str
    target: int | None
    input: str
    elements: int
    bits: int
    beats: int


@dataclass(frozen=True, kw_only=True)
class Clock:
    """asked_hz: the wish. actual_hz: what the PLL makes of it. fmax_hz: what the routed design stands."""

    asked_hz: float
    actual_hz: float
    fmax_hz: float | None = None

    @property
    def is_met(self) -> bool | None:
        """Whether the routed design stands its clock; None before routing."""
        return None if self.fmax_hz is None else self.fmax_hz >= self.actual_hz


@dataclass(frozen=True, kw_only=True)
class Link:
    """The way between the host and the core, and the frames it carries in a second when it never pauses."""

    name: str
    frames_per_second: float


@dataclass(frozen=True, kw_only=True)
class Performance:
    """interval_cycles: between the starts of two groups of `vectors` frames in the steady state. latency_cycles: from
    the first accepted beat of a group to its last output beat. Cycles are the core's clock. other_links: those that the
    board has, too."""

    clock: Clock
    interval_cycles: int
    latency_cycles: int
    vectors: int = 1
    link: Link | None = None
    other_links: tuple[Link, ...] = field(default=(), metadata={"since": 2})

    @property
    def core_frames_per_second(self) -> float:
        """clock * vectors / interval."""
        return self.clock.actual_hz * self.vectors / self.interval_cycles

    @property
    def frames_per_second(self) -> float:
        """What arrives at the host: the slower one of core and link."""
        return min(self.core_frames_per_second, self.link.frames_per_second if self.link else float("inf"))

    @property
    def bound_by(self) -> str:
        """`"core"` or `"link"`: which one rules."""
        return "core" if self.frames_per_second == self.core_frames_per_second else "link"

    @property
    def latency_us(self) -> float:
        return self.latency_cycles / self.clock.actual_hz * 1e6


@dataclass(frozen=True, kw_only=True)
class LadderRow:
    """One step of the ladder of equality; samples, differences and seconds are None where it was not run."""

    left: str
    right: str
    samples: int | None = None
    differences: int | None = None
    seconds: float | None = None


class Climbed:
    """A report that tells of the ladder of equality."""

    ladder: tuple[LadderRow, ...]

    @property
    def rungs_climbed(self) -> tuple[LadderRow, ...]:
        """The rungs of the ladder that were run."""
        return tuple(rung for rung in self.ladder if rung.differences is not None)

    @property
    def differences(self) -> int | None:
        """Of all rungs together; None where none was run."""
        return sum(rung.differences or 0 for rung in self.rungs_climbed) if self.rungs_climbed else None


@dataclass(frozen=True, kw_only=True)
class BuildPhase:
    """One step of the build; seconds is None where it was not run."""

    name: str
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A design that the folding search found, smallest at its rate. frames_per_second: the core's, at the report's
    clock. estimated: the whole design by the cost model."""

    frames_per_second: float
    vectors: int
    estimated: Cells


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What makes the build reproducible: the same model, board, versions and seed give the same bitstream.

    versions: program -> version. artifacts: file of the build folder -> SHA-256. command: what a shell repeats.
    """

    bnnhw: str
    model_sha256: str
    board: str
    seed: int
    versions: dict[str, str] = field(default_factory=dict)
    artifacts: dict[str, str] = field(default_factory=dict)
    command: str | None = None


@dataclass(frozen=True, kw_only=True)
class BuildReport(Climbed):
    """All that report.json and report.html say.

    metrics: the model's own, as its training recorded them; accuracies are shares, 0 to 1.
    """

    model: str
    dataset: str | None
    network: NetworkSummary
    units: tuple[Unit, ...]
    performance: Performance
    device: Chip
    resources: DesignResources
    provenance: Provenance
    metrics: dict[str, float] = field(default_factory=dict)
    ladder: tuple[LadderRow, ...] = ()
    stages: tuple[BuildPhase, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    streams: tuple[Stream, ...] = field(default=(), metadata={"since": 2})

    @property
    def binary_ops_per_second(self) -> float:
        """2 for each multiply-accumulate, at the core's own rate."""
        return 2.0 * self.network.macs * self.performance.core_frames_per_second

    @property
    def bottlenecks(self) -> tuple[Unit, ...]:
        """The units that are busy longest."""
        return tuple(unit for unit in self.units if unit.cycles == max(other.cycles for other in self.units))

    def figures(self) -> dict[str, Any]:
        """What follows from the other fields; written to report.json for readers that would rather not calculate."""
        performance, best, estimate = self.performance, self.resources.best, self.resources.estimated
        routed = self.resources.routed
        return {
            "core_frames_per_second": performance.core_frames_per_second,
            "frames_per_second": performance.frames_per_second,
            "bound_by": performance.bound_by,
            "latency_us": performance.latency_us,
            "binary_ops_per_second": self.binary_ops_per_second,
            "timing_met": performance.clock.is_met,
            "comb_share": share(best.logic, self.device.luts) if best else None,
            "ebr_share": share(best.ebr, self.device.ebr) if best else None,
            "comb_deviation": deviation(estimate.logic, routed.logic) if estimate and routed else None,
        }

    def to_json(self) -> str:
        """The text of report.json."""
        plain = {"format": FORMAT, "version": VERSION, **to_plain(self), "figures": self.figures()}
        return json.dumps(plain, indent=2, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "BuildReport":
        """The report whose `to_json` is `text`. Raises ValueError that names the field that does not fit."""
        plain = json.loads(text)
        found = (plain.pop("format", None), plain.pop("version", None)) if isinstance(plain, dict) else None
        if found not in [(FORMAT, version) for version in range(1, VERSION + 1)]:
            raise ValueError(f"report must be of format {FORMAT!r} and version 1 to {VERSION}, got {found}")
        plain.pop("figures", None)
        return from_plain(cls, plain, "report")


def share(used: int, available: int) -> float:
    """used / available; 0 of a device that has none is 0."""
    return used / available if available else 0.0


def deviation(estimate: int | None, measured: int | None) -> float | None:
    """estimate / measured - 1; None where either is not known or nothing was measured."""
    return None if estimate is None or not measured else estimate / measured - 1
