"""Nothing outside of hw/targets, and of the simulation models that a target names, asks which family it is.

Code is searched, not its comments and docstrings: they may say what holds for which family.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import bnnhw
from bnnhw.hw.targets import TARGETS

ROOT = Path(bnnhw.__file__).parent
FAMILY = re.compile(
    r"ecp5|lfe5u|trellis|ccu2|dp16k|ehxpll|dcca|mult18|lattice|ice40|icestorm|\bsb_|icepack"
    r"|\bsynth_|nextpnr-|ecppack|--lpf|\.lpf|--pcf|\.pcf|yowasp",
    re.I,
)
MODELS = {target.models.folder for target in TARGETS.values()}
ALLOWED = {
    "boards/board.py": {  # what the boards are called, by their makers, by amaranth-boards and by openFPGALoader
        "ecp5-evn",
        "Lattice ECP5-5G Evaluation Board",
        "ecp5_5g_evn:ECP55GEVNPlatform",
        "ecp5_evn",
        "versa-ecp5",
        "Lattice ECP5 Versa",
        "versa_ecp5:VersaECP5Platform",
        "versa-ecp5-5g",
        "Lattice ECP5-5G Versa",
        "versa_ecp5_5g:VersaECP55GPlatform",
        "ice40_generic",
    },
    "boards/flash/load.py": {  # where a loader comes from
        "`apt install fpga-icestorm`",
    },
}


def texts(tree: ast.AST) -> Iterator[str]:
    """The texts of Python source; docstrings, also those of attributes, are none."""
    docstrings = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def words(source: str) -> Iterator[str]:
    """The identifiers and texts of Python source."""
    tree = ast.parse(source)
    yield from texts(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                yield name
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.keyword(arg=str(name)) | ast.alias(name=name) | ast.ImportFrom(module=str(name)):
                yield name
            case ast.alias(asname=str(name)):
                yield name


def families_in(source: str) -> list[str]:
    return [word for word in words(source) if FAMILY.search(word)]


def is_a_familys_own(file: Path) -> bool:
    """Whether the file is in hw/targets, or in a folder of sim/ that a target names."""
    parts = file.relative_to(ROOT).parts
    return parts[:2] == ("hw", "targets") or (parts[0] == "sim" and bool(MODELS & set(parts)))


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('if target == "ecp5":\n    pass', ["ecp5"]),
        ("from bnnhw.hw.targets import ECP5", ["ECP5"]),
        ("from bnnhw.hw.targets.ecp5 import DEVICES", ["bnnhw.hw.targets.ecp5"]),
        ("import bnnhw.sim.netlist.ecp5.logic as models", ["bnnhw.sim.netlist.ecp5.logic"]),
        ("area.ccu2c", ["ccu2c"]),
        ("Cells(ccu2c=1)", ["ccu2c"]),
        ("def f(trellis_comb): ...", ["trellis_comb"]),
        ("class Dp16kd: ...", ["Dp16kd"]),
        ('cell == "SB_RAM40_4K"', ["SB_RAM40_4K"]),
        ('f"{name}.pcf"', [".pcf"]),
        ('f"{count} TRELLIS_COMB"', [" TRELLIS_COMB"]),
        ('run("synth_lattice -family x")', ["synth_lattice -family x"]),
        ('X = 1\n"""Of the ECP5."""\n', []),
        ('def f():\n    """For a CCU2C."""  # and a DP16KD\n', []),
        ("synthesise(board.target.tools)", []),
    ],
)
def test_finds_families_in_code_alone(source: str, found: list[str]):
    assert families_in(source) == found


def test_no_family_is_named():
    files = [file for file in sorted(ROOT.rglob("*.py")) if not is_a_familys_own(file)]
    assert len(files) > 100
    for file in files:
        name = file.relative_to(ROOT).as_posix()
        found = [word for word in families_in(file.read_text()) if word not in ALLOWED.get(name, ())]
        assert not found, f"{name} names a family: {found}"


def test_no_family_is_named_in_templates():
    templates = list(ROOT.rglob("*.j2"))
    assert templates
    for file in templates:
        found = FAMILY.findall(file.read_text())
        assert not found, f"{file.relative_to(ROOT)} names a family: {found}"


def test_what_is_allowed_is_there():
    for name, allowed in ALLOWED.items():
        assert allowed <= set(words((ROOT / name).read_text()))
