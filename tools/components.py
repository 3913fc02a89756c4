"""Writes docs/components.md: what the docstrings and signatures of the hardware's components say of them.

python tools/components.py
"""

import importlib
import inspect
import pkgutil
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

from amaranth.lib.wiring import Component

import bnnhw.hw

PAGE = Path(__file__).parents[1] / "docs" / "components.md"
HEAD = """\
# Components

Made from the docstrings by `python tools/components.py`; change those, not this page. How streams are laid out, and
what goes on inside: [hardware.md](hardware.md). What a parameter means, and a member: the docstring of the
class.
"""
WIDTH = 120


def components() -> Iterator[type[Component]]:
    """The public components of bnnhw.hw: modules by the alphabet, and the classes of each."""
    for found in pkgutil.walk_packages(bnnhw.hw.__path__, f"{bnnhw.hw.__name__}."):
        classes = inspect.getmembers_static(importlib.import_module(found.name), inspect.isclass)
        own = [thing for name, thing in classes if thing.__module__ == found.name and not name.startswith("_")]
        yield from (thing for thing in own if issubclass(thing, Component))


def summary(docstring: str) -> str:
    """The first paragraph, on one line."""
    return " ".join(docstring.partition("\n\n")[0].split())


def members(docstring: str) -> list[str]:
    """The lines of the section "Members" that name one, without what is said of it."""
    section = re.search(r"^Members\n-+\n(.*?)(?:\n\n|\Z)", docstring, re.MULTILINE | re.DOTALL)
    return [line for line in section[1].splitlines() if not line.startswith(" ")] if section else []


def inherited_members(component: type[Component]) -> list[str]:
    """Its members, or those of the nearest base class that names some."""
    return next((found for base in component.__mro__ if (found := members(inspect.getdoc(base) or ""))), [])


def arguments(component: type[Component]) -> str:
    """The constructor's arguments with their defaults, without types: `*, width, depth=16`."""
    signature = inspect.signature(component)
    empty = inspect.Parameter.empty
    bare = signature.replace(parameters=[p.replace(annotation=empty) for p in signature.parameters.values()])
    return str(bare)[1:-1]


def entry(component: type[Component]) -> str:
    """The lines of one component."""
    lines = [f"{component.__name__}({arguments(component)})", *map(str.strip, inherited_members(component))]
    wrapped = [textwrap.fill(line, WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 8) for line in lines]
    text = textwrap.fill(summary(inspect.getdoc(component) or ""), WIDTH, break_on_hyphens=False)
    return "\n".join([f"### {component.__name__}", "", text, "", *wrapped, ""])


def page() -> str:
    """The whole page: the components by module."""
    modules: dict[str, list[str]] = {}
    for component in components():
        modules.setdefault(component.__module__, []).append(entry(component))
    return "\n".join([HEAD, *(f"## `{name}`\n\n" + "\n".join(entries) for name, entries in modules.items())])


if __name__ == "__main__":
    PAGE.write_text(page())
