"""The build report: what was built, how large, how fast, how sure; as report.json and report.html."""

from .data import BuildReport, Candidate, Chip, Clock, DesignResources, Link, Performance, Provenance, Rung, Stage, Unit
from .page import render
from .write import read, write

__all__ = [
    "BuildReport",
    "Candidate",
    "Chip",
    "Clock",
    "DesignResources",
    "Link",
    "Performance",
    "Provenance",
    "Rung",
    "Stage",
    "Unit",
    "read",
    "render",
    "write",
]
