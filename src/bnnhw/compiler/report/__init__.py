"""The build report: what was built, how large, how fast, how sure; as report.json and report.html."""

from .data import (
    BuildPhase,
    BuildReport,
    Candidate,
    Chip,
    Clock,
    DesignResources,
    LadderRow,
    Link,
    Performance,
    Provenance,
    Stream,
    Unit,
)
from .page import render
from .write import read, write

__all__ = [
    "BuildPhase",
    "BuildReport",
    "Candidate",
    "Chip",
    "Clock",
    "DesignResources",
    "LadderRow",
    "Link",
    "Performance",
    "Provenance",
    "Stream",
    "Unit",
    "read",
    "render",
    "write",
]
