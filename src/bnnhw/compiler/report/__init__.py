"""The build report: what was built, how large, how fast, how sure; as report.json and report.html."""

from .data import (
    BuildReport,
    Candidate,
    Clock,
    DesignResources,
    Link,
    Performance,
    Provenance,
    Resources,
    Rung,
    Stage,
    Unit,
)
from .page import render
from .write import read, write

__all__ = [
    "BuildReport",
    "Candidate",
    "Clock",
    "DesignResources",
    "Link",
    "Performance",
    "Provenance",
    "Resources",
    "Rung",
    "Stage",
    "Unit",
    "read",
    "render",
    "write",
]
