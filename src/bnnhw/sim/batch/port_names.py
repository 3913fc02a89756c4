"""Streams of units by the names of their ports.

In a unit whose port is called as that of one of its parts, RTLIL numbers one of both: `o__valid$13` may be the unit's,
and `o__valid` its buffer's.

Tests: tests/sim/batch/test_waves.py
"""

import re
from collections import defaultdict
from collections.abc import Mapping

__all__ = ["by_port_names"]

_MODULE_OR_PORT = re.compile(
    r"^module \\top(?:\.(?P<scope>\S+))?$|^  wire .*(?:input|output) \d+ +\\(?P<name>\S+)$", re.MULTILINE
)
_STREAM = re.compile(r"(?P<name>(?P<scope>.+)\.(?P<leaf>[io]\d*__(?:payload|valid|ready)))(?:\$\d+)?")
"""A signal of a unit's stream, perhaps with a number."""


def by_port_names(signals: Mapping[str, list[int]], design: str) -> dict[str, list[int]]:
    """The signals of a flattened design in RTLIL, those of each unit's own streams by their names without numbers.

    The text says which is a unit's port. Only where it has that bit by bit, as of many a payload, it is the one that is
    no part's of the unit.
    """
    ports = _ports(design)
    alike: dict[str, list[str]] = defaultdict(list)
    parts: dict[tuple[str, str], list[list[int]]] = defaultdict(list)
    for name, nets in sorted(signals.items(), key=lambda item: len(item[0])):
        if match := _STREAM.fullmatch(name):
            alike[match["name"]].append(name)
            parts[match["scope"].rpartition(".")[0], match["leaf"]].append(nets)
    named = dict(signals)
    for name, names in alike.items():
        scope, _, leaf = name.rpartition(".")
        strangers = [other for other in names if signals[other] not in parts[scope, leaf]]
        named[name] = signals[next((other for other in names if other in ports), (strangers + names)[0])]
    return named


def _ports(design: str) -> set[str]:
    """The names of all units' ports in the flattened design."""
    ports, scope = set[str](), ""
    for match in _MODULE_OR_PORT.finditer(design):
        if match["name"] is None:
            scope = f"{match['scope']}." if match["scope"] else ""
        else:
            ports.add(scope + match["name"])
    return ports
