"""What the documents say of the tree is true of it."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

from .test_imports import ROOT, SUB_ROOMS, module_name

REPOSITORY = Path(__file__).parents[1]
PAGES = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
MOST_COLUMNS = 120
EXAMPLES = sorted(
    path for path in ROOT.rglob("*.py") if ">>> " in path.read_text() and ROOT / "api" not in path.parents
)
"""Those of api need files: tests/api/test_examples.py."""


@pytest.mark.parametrize("room", sorted(SUB_ROOMS))
def test_sub_rooms_are_drawn_in_their_order(room: str):
    text = (REPOSITORY / "docs" / "architecture.md").read_text()
    drawn = re.search(rf"^    {room} +(\w+(?:\s+-> \w+)+)$", text, re.MULTILINE)
    assert drawn, f"docs/architecture.md draws no sub-rooms of {room}"
    assert tuple(re.findall(r"\w+", drawn[1])) == SUB_ROOMS[room]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_lines_end_where_code_does(page: Path):
    """But for the rows of tables and for pictures, which cannot be broken."""
    lines = [line for line in page.read_text().splitlines() if not line.startswith(("|", "!["))]
    assert [line for line in lines if len(line) > MOST_COLUMNS] == []


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_examples_in_docstrings_say_what_happens(file: Path):
    assert doctest.testmod(importlib.import_module(module_name(file))).failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_words_of_the_glossary_stand_where_it_says():
    rows = [row.split("|") for row in (REPOSITORY / "docs" / "glossary.md").read_text().splitlines() if "/" in row]
    places = {row[1]: re.findall(r"`([\w/.]+)`", row[3]) for row in rows if len(row) == 5}
    assert places
    for word, paths in places.items():
        files = [REPOSITORY / "src" / "bnnhw" / path for path in paths]
        assert [file for file in files if not file.exists()] == []
        texts = "".join(file.read_text() for path in files for file in (path.glob("*.py") if path.is_dir() else [path]))
        assert [name for name in re.findall(r"`(\w+)`", word) if name not in texts] == []
