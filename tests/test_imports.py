"""Rooms and their sub-rooms import one way, without circles, and stay small enough to see.

A room is a folder of the package; a sub-room is a folder or a file in one. An upward edge is a defect, and so is an
import through the links at the top level.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import bnnhw

ROOT = Path(bnnhw.__file__).parent
MAY_IMPORT = {
    "files": {"files"},
    "hls": {"hls"},
    "hw": {"hw", "hls"},
    "pages": {"pages"},
    "pictures": {"pictures"},
    "model": {"model", "compiler", "files", "hls", "pages"},
    "lowlight": {"lowlight", "files", "model", "pictures"},
    "compiler": {"compiler", "files", "hls", "hw", "pages"},
    "sim": {"sim", "compiler", "files", "hw"},
    "boards": {"boards", "compiler", "files", "hw"},
    "api": {"api", "files", "hls", "pictures", "hw", "model", "lowlight", "compiler", "sim", "boards"},
    "accuracy": {"accuracy", "files", "model"},
    "bench": {"bench", "api", "hw", "model", "compiler", "sim", "boards"},
    "cli": {
        *("cli", "bench", "accuracy", "api"),
        *("files", "hls", "pages", "pictures", "hw", "model", "lowlight", "compiler", "sim", "boards"),
    },
}
SUB_ROOMS = {
    "hls": (
        *("errors", "program", "stored", "intervals", "ranges", "reach"),
        *("scheduling", "value", "arrays", "alone", "table", "kind"),
        *("stateless", "window", "scan", "traced", "operator", "rearrange", "chain", "decorators"),
    ),
    "hw": (
        *("rtlil", "targets", "logic", "storage", "stream", "memory", "join", "product", "mac", "hardwired"),
        *("window", "raster", "pool", "threshold", "program", "output", "engine", "core", "axi_stream", "protocol"),
        *("datagrams", "ethernet", "usb", "link", "top"),
    ),
    "compiler": (
        *("codec", "errors", "ir", "frontends", "passes", "units", "lowering", "dataflow", "search", "kernel"),
        *("engine", "report"),
    ),
    "model": (
        *("files", "errors", "options", "registry", "layers", "fixed_point"),
        *("data", "methods", "networks", "export", "history", "training"),
        *("report", "pruning", "named"),
    ),
    "sim": ("errors", "memory", "netlist", "batch", "icarus", "ladder", "board", "part"),
    "boards": (
        "description",
        "board",
        "link_choice",
        "flash_pads",
        "rgmii_pads",
        "sdram_pads",
        "ulpi_pads",
        "usb_pads",
        "design",
        "toolchain",
        "build",
        "output_format",
        "manifest",
        "folder",
        "engines",
        "flash",
        "host",
    ),
    "api": (
        *("checks", "imports", "images", "builds", "ladder", "operators", "operator"),
        *("build", "build_core", "engine", "verify", "simulate", "evaluate", "inspect"),
        *("train", "prune", "quantise", "flash", "run", "selftest", "serve", "samples"),
        *("lowlight", "lowlight_cores", "enhance"),
    ),
    "accuracy": ("rows", "record", "fitting", "report", "plot", "measure"),
    "bench": (
        *("row", "untrained", "accuracy", "equality", "speed", "cnv", "link", "routed"),
        *("engines", "bases", "programs", "overhead", "popcount", "training", "measurements"),
    ),
    "cli": (
        *("errors", "telling", "options"),
        *("train", "imports", "prune", "quantise", "evaluate", "inspect", "build", "engine"),
        *("verify", "sim", "run", "selftest", "serve", "flash", "boards", "operator"),
        *("methods", "samples", "bench", "accuracy", "lowlight", "enhance"),
    ),
}
"""Of each room its sub-rooms from the bottom up: each imports itself and those before it."""
OF_THE_COMPILER = {"errors", "ir", "frontends", "passes"}
"""Its sub-rooms that model may import: graphs, their file, and what makes integers of them; no hardware."""
MOST_LINES, MOST_FILES = 300, 20


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


def sub_rooms_imported(source: str, package: str, room: str = "") -> set[str]:
    """The sub-rooms of a room, by default its own, that a module of `package` imports."""
    room = room or package.split(".")[1]
    names = (name.split(".") for name in imported_modules(source, package))
    return {name[2] for name in names if name[:2] == ["bnnhw", room] and len(name) > 2} & set(SUB_ROOMS[room])


def circles(edges: Mapping[str, set[str]]) -> Iterator[list[str]]:
    """The circles that a walk along `edges` from each node runs into."""
    done: set[str] = set()

    def walk(node: str, path: list[str]) -> Iterator[list[str]]:
        if node in path:
            yield path[path.index(node) :]
        elif node not in done:
            for following in sorted(edges.get(node, ())):
                yield from walk(following, [*path, node])
            done.add(node)

    for node in sorted(edges):
        yield from walk(node, [])


def module_name(file: Path) -> str:
    parts = ("bnnhw", *file.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def package_name(file: Path) -> str:
    return ".".join(("bnnhw", *file.relative_to(ROOT).parts[:-1]))


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


@pytest.mark.parametrize(
    ("source", "sub_rooms"),
    [
        ("import bnnhw.hw.core", {"core"}),
        ("from bnnhw.hw.stream.fifo import Fifo", {"stream"}),
        ("from . import shape", {"window"}),
        ("from ..pool import shape", {"pool"}),
        ("from bnnhw.sim.batch import BatchSimulator", set()),
    ],
)
def test_finds_sub_rooms(source: str, sub_rooms: set[str]):
    assert sub_rooms_imported(source, "bnnhw.hw.window") == sub_rooms


@pytest.mark.parametrize(
    ("edges", "found"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"b", "c"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"b"}, "b": {"c"}, "c": {"b"}}, [["b", "c"]]),
        ({"a": {"a"}}, [["a"]]),
    ],
)
def test_finds_circles(edges: dict[str, set[str]], found: list[list[str]]):
    assert list(circles(edges)) == found


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_rooms_import_one_way(room: str):
    files = sorted((ROOT / room).rglob("*.py"))
    assert files, f"no files in {room}"
    for file in files:
        upward = rooms_imported(file.read_text(), package_name(file)) - MAY_IMPORT[room]
        assert not upward, (
            f"{file.relative_to(ROOT)} imports {sorted(upward)}; {room} may import {sorted(MAY_IMPORT[room])}"
        )


@pytest.mark.parametrize("room", sorted(SUB_ROOMS))
def test_sub_rooms_import_down(room: str):
    order = SUB_ROOMS[room]
    found = {path.stem for path in (ROOT / room).iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert found - {"__init__"} == set(order), f"the sub-rooms of {room} and their order"
    for place, sub_room in enumerate(order):
        folder = ROOT / room / sub_room
        for file in sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]:
            upward = sub_rooms_imported(file.read_text(), package_name(file)) - set(order[: place + 1])
            assert not upward, f"{file.relative_to(ROOT)} imports {sorted(upward)}, which stand above {sub_room}"


def test_model_imports_of_the_compiler_what_knows_no_hardware():
    for file in sorted((ROOT / "model").rglob("*.py")):
        source, package = file.read_text(), package_name(file)
        found = sub_rooms_imported(source, package, "compiler")
        assert found <= OF_THE_COMPILER, f"{file.relative_to(ROOT)} imports {sorted(found - OF_THE_COMPILER)}"
        assert not {name for name in imported_modules(source, package) if name.count(".") == 2} & {
            "bnnhw.compiler.integerize", "bnnhw.compiler.load", "bnnhw.compiler.schedule",
        }  # fmt: skip


def test_files_import_without_circles():
    files = {module_name(file): file for file in ROOT.rglob("*.py")}
    edges = {
        module: {
            target
            for name in imported_modules(file.read_text(), package_name(file))
            if (target := name if name in files else name.rpartition(".")[0]) in files and target != module
        }
        for module, file in files.items()
    }
    assert list(circles(edges)) == []


def test_files_and_folders_are_small():
    files = sorted(ROOT.rglob("*.py"))
    lengths = {str(file.relative_to(ROOT)): len(file.read_text().splitlines()) for file in files}
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}
    folders = {file.parent for file in files}
    counts = {str(folder.relative_to(ROOT)): len(list(folder.glob("*.py"))) for folder in folders}
    assert {name: count for name, count in counts.items() if count > MOST_FILES} == {}


def test_the_command_line_alone_knows_click():
    known = {
        str(file.relative_to(ROOT))
        for file in ROOT.rglob("*.py")
        if any(name.split(".")[0] == "click" for name in imported_modules(file.read_text(), package_name(file)))
    }
    assert {name for name in known if not name.startswith("cli/")} == set()


def test_what_python_calls_prints_nothing():
    for file in (ROOT / "api").rglob("*.py"):
        calls = [node.func for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
        assert not any(isinstance(call, ast.Name) and call.id == "print" for call in calls), file


@pytest.mark.parametrize("room", sorted(set(MAY_IMPORT) - {"cli"}))
def test_links_lead_into_the_package(room: str):
    link = Path(__file__).parents[1] / room
    if link.is_symlink():
        assert link.resolve() == (ROOT / room).resolve()
