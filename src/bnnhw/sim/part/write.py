"""The files of a core as a part.

Tests: tests/sim/part/test_part.py
"""

from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from bnnhw.compiler.units.stage import core_resources
from bnnhw.version import __version__

from .part import Part
from .verilog import cell_models, core_verilog

__all__ = ["write_part"]

TEXTS = {
    "README.md": "readme.md.j2",
    "Makefile": "makefile.j2",
    "{name}.core": "fusesoc.core.j2",
    "test_{name}.py": "bench.py.j2",
    "golden_in.hex": "golden.hex.j2",
    "golden_out.hex": "golden.hex.j2",
}
"""File to its template."""
ORIGIN = "// For simulation alone. From yosys' library (ISC licence); that of block RAM is of bnnhw (Apache-2.0)."


def write_part(part: Part, folder: Path) -> None:
    """Writes the Verilog, the bench with its golden frames, the FuseSoC core and the README into `folder`."""
    verilog = core_verilog(part.schedule.core(target=part.target), part.name)
    models = cell_models(verilog)
    (folder / f"{part.name}.v").write_text(verilog)
    if models:
        (folder / f"{part.name}_cells.v").write_text(f"{ORIGIN}\n\n{models}")
    environment = Environment(
        loader=PackageLoader("bnnhw.sim.part", "."),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    for file, template in TEXTS.items():
        text = environment.get_template(template).render(**_names(part, models=bool(models)), file=file)
        (folder / file.format(name=part.name)).write_text(text)


def _names(part: Part, *, models: bool) -> dict[str, Any]:
    """What the templates say."""
    return {
        "part": part,
        "name": part.name,
        "version": __version__,
        "schedule": part.schedule,
        "timing": part.schedule.timing,
        "cells": core_resources(part.schedule.stages),
        "input": part.input,
        "output": part.output,
        "models": models,
    }
