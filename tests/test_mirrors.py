"""Each file with logic has its tests at the mirrored path, or says near its top where they are: `Tests: tests/..`.

hw/pool/pool.py: tests/hw/pool/test_pool.py. Logic is a function or a method. The commands in cli/ are tested by what
they print, in tests/cli, file by file of errors and outputs and not of commands.
"""

import ast
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from .test_imports import ROOT, imported_modules, module_name, package_name

REPOSITORY = Path(__file__).parents[1]
LINE = re.compile(r"^Tests: (tests/[\w/]+\.py)$", re.MULTILINE)
BY_NAME = {"boards/toolchain/yosys_worker.py", "sim/netlist/ecp5/logic.py"}
"""A process of its own, and what a target names: no import leads to them."""
BY_FOLDER = {
    "bnnhw.compiler.units": (
        "compiler/units",
        "compiler/units/product",
        "compiler/units/join",
        "compiler/units/operator",
    ),
    "bnnhw.compiler.ir.ops": ("compiler/ir/ops/trained",),
    "bnnhw.model.export": ("model/layers", "model/export/torch_layers"),
}
"""Packages that import whatever lies in these folders."""
FILES = [file for file in sorted(ROOT.rglob("*.py")) if file.relative_to(ROOT).parts[0] != "cli"]


def holds_logic(source: str) -> bool:
    """Whether there is a function or a method in `source`."""
    return any(isinstance(node, ast.FunctionDef) for node in ast.walk(ast.parse(source)))


def places_of_tests(file: Path) -> list[Path]:
    """Where the tests of `file` are: at the mirrored path, and where its docstring says."""
    place = file.relative_to(ROOT)
    mirrored = REPOSITORY / "tests" / place.parent / f"test_{place.stem}.py"
    named = LINE.findall(ast.get_docstring(ast.parse(file.read_text())) or "")
    return [*([mirrored] if mirrored.exists() else []), *(REPOSITORY / name for name in named)]


@cache
def edges() -> Mapping[str, set[str]]:
    """What each module of the package imports of it, `from room import name` followed into the room's file."""
    files = {module_name(file): file for file in ROOT.rglob("*.py")}
    return {
        module: {
            *(part for name in imported_modules(file.read_text(), package_name(file)) for part in within(name)),
            *(module_name(found) for folder in BY_FOLDER.get(module, ()) for found in (ROOT / folder).glob("*.py")),
        }
        for module, file in files.items()
    }


def within(name: str) -> set[str]:
    """`a.b.c` and the packages above it, which an import runs too."""
    parts = name.split(".")
    return {".".join(parts[:length]) for length in range(1, len(parts) + 1)}


@cache
def reached(test: Path) -> set[str]:
    """The modules of the package that a test file imports, directly or through others."""
    package = ".".join(test.relative_to(REPOSITORY).parts[:-1])
    found: set[str] = set()
    left = {part for name in imported_modules(test.read_text(), package) for part in within(name)}
    for helper in test.parent.glob("*.py"):  # what a folder's tests share
        left |= {part for name in imported_modules(helper.read_text(), package) for part in within(name)}
    while left:
        module = left.pop()
        if module not in found:
            found.add(module)
            left |= edges().get(module, set())
    return found


@pytest.mark.parametrize("source", ["def f(): ...", "class A:\n    def f(self): ..."])
def test_functions_and_methods_are_logic(source: str):
    assert holds_logic(source)
    assert not holds_logic("X = 1\n\n\nclass A:\n    x: int\n")


def test_each_file_with_logic_has_tests_or_says_where():
    alone = [
        str(file.relative_to(ROOT)) for file in FILES if holds_logic(file.read_text()) and not places_of_tests(file)
    ]
    assert alone == []


def test_the_tests_that_a_file_names_use_it():
    named = [(file, test) for file in FILES if LINE.search(file.read_text()) for test in places_of_tests(file)]
    strangers = [
        f"{file.relative_to(ROOT)}: {test.relative_to(REPOSITORY)}"
        for file, test in named
        if not test.exists() or module_name(file) not in reached(test) | {module_name(ROOT / name) for name in BY_NAME}
    ]
    assert strangers == []
