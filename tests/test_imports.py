"""The rooms import one way: an upward edge is a defect, and so is an import through the links at the top level."""

import ast
from pathlib import Path

import pytest

import bnnhw

ROOT = Path(bnnhw.__file__).parent
MAY_IMPORT = {
    "files": {"files"},
    "hw": {"hw"},
    "pages": {"pages"},
    "pictures": {"pictures"},
    "model": {"model", "files", "pages"},
    "lowlight": {"lowlight", "files", "model", "pictures"},
    "compiler": {"compiler", "files", "hw", "pages"},
    "sim": {"sim", "compiler", "files", "hw"},
    "boards": {"boards", "compiler", "files", "hw"},
    "cli": {"cli", "files", "pages", "pictures", "hw", "model", "lowlight", "compiler", "sim", "boards"},
}


def imported_modules(source: str, package: str) -> set[str]:
    """Absolute dotted names of everything that `source`, a module of `package`, imports, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            base = ".".join(parts[: len(parts) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            found |= {f"{module}.{alias.name}" for alias in node.names}
    return found


def rooms_imported(source: str, package: str) -> set[str]:
    names = (name.split(".") for name in imported_modules(source, package))
    return {name[1] for name in names if name[0] == "bnnhw" and len(name) > 1} & set(MAY_IMPORT)


@pytest.mark.parametrize(
    ("source", "rooms"),
    [
        ("import bnnhw.sim.batch", {"sim"}),
        ("from bnnhw import boards", {"boards"}),
        ("from ..model.layers import Sign", {"model"}),
        ("def f():\n    from bnnhw.compiler.ir import Graph", {"compiler"}),
        ("import numpy", set()),
    ],
)
def test_finds_every_form_of_import(source: str, rooms: set[str]):
    assert rooms_imported(source, "bnnhw.hw") == rooms


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_rooms_import_one_way(room: str):
    files = sorted((ROOT / room).rglob("*.py"))
    assert files, f"no files in {room}"
    for file in files:
        package = ".".join(("bnnhw", *file.relative_to(ROOT).parts[:-1]))
        upward = rooms_imported(file.read_text(), package) - MAY_IMPORT[room]
        assert not upward, (
            f"{file.relative_to(ROOT)} imports {sorted(upward)}; {room} may import {sorted(MAY_IMPORT[room])}"
        )


@pytest.mark.parametrize("room", sorted(set(MAY_IMPORT) - {"cli"}))
def test_links_lead_into_the_package(room: str):
    link = Path(__file__).parents[1] / room
    if link.exists():
        assert link.resolve() == (ROOT / room).resolve()
