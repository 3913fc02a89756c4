"""Passes, dataflow and search know kinds of operators, and none by its name; but those that they make themselves."""

import ast
from pathlib import Path

import pytest

from bnnhw import compiler
from bnnhw.compiler.ir import ops
from bnnhw.compiler.ir.ops import base, kinds

ROOT = Path(next(iter(compiler.__path__)))
KINDS = {name for module in (base, kinds) for name, value in vars(module).items() if isinstance(value, type)}
KINDS |= {"Product"}  # what begins a layer
MADE = {
    "add_argmax": {"ArgMax"},
    "fold_input_threshold": {"Invert"},
    "fold_output": {"ArgMax", "ScoreTable"},
    "split_weights": {"Operator"},
}
FILES = sorted(file for room in ("passes", "dataflow", "search") for file in (ROOT / room).rglob("*.py"))


def ops_imported(source: str) -> set[str]:
    """The names that a module imports from the room of the ops."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("bnnhw.compiler.ir.ops"):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("bnnhw.compiler.ir.ops")}
    return found


def test_finds_imports():
    source = "from bnnhw.compiler.ir.ops import Op, MaxPool\ndef f():\n    import bnnhw.compiler.ir.ops.integer.conv"
    assert ops_imported(source) == {"Op", "MaxPool", "bnnhw.compiler.ir.ops.integer.conv"}
    assert not {"MaxPool", "Threshold", "Sign", "Affine"} & KINDS
    assert {"Op", "Elementwise", "Activation", "Selection"} <= KINDS & set(ops.__all__)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_knows_kinds_only(file: Path):
    assert ops_imported(file.read_text()) - KINDS <= MADE.get(file.stem, set())
