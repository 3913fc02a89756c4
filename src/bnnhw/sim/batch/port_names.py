"""Streams of units by the names of their ports.

In a unit whose port is called as that of one of its parts, RTLIL numbers one of both: `o__valid$13` may be the unit's,
and `o__valid` its buffer's.

Tests: tests/sim/batch/test_waves.py
"""

import re
from collections import defaultdict
from collections.abc import Mapping

__all__ = ["by_port_names", "unnumbered"]

_STREAM = re.compile(r"(?P<name>(?P<scope>.+)\.(?P<leaf>[io]\d*__(?:payload|valid|ready)))(?:\$\d+)?")
"""A signal of a unit's stream, perhaps with a number."""


def unnumbered(ports: Mapping[str, list[int]]) -> dict[str, list[int]]:
    """The ports of a module that lay within others, by the names that its component gives them."""
    return {name.partition("$")[0]: nets for name, nets in ports.items()}


def by_port_names(signals: Mapping[str, list[int]]) -> dict[str, list[int]]:
    """The signals of a flattened design, those of each unit's own streams by their names without numbers.

    Of those that are called alike the unit's own is the one that no part of it has; where its parts have all of them,
    it is wired to the first one.
    """
    alike: dict[str, list[str]] = defaultdict(list)
    of_parts: dict[tuple[str, str], list[list[int]]] = defaultdict(list)
    for name, nets in sorted(signals.items(), key=lambda item: len(item[0])):
        if match := _STREAM.fullmatch(name):
            alike[match["name"]].append(name)
            of_parts[match["scope"].rpartition(".")[0], match["leaf"]].append(nets)
    named = dict(signals)
    for name, names in alike.items():
        scope, _, leaf = name.rpartition(".")
        strangers = [other for other in names if signals[other] not in of_parts[scope, leaf]]
        named[name] = signals[(strangers or names)[0]]
    return named
