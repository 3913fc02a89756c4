"""The foldings of a network, and the file they are kept in.

Tests: tests/compiler/search/test_scheduling.py
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.units.product.folding import Folding

FORMAT = "bnnhw-folding"
VERSION = 1


@dataclass(frozen=True)
class Entry:
    """How an image comes in where a core does not begin with a layer: so many pixels of a row a beat, and of each so
    many channels."""

    lanes: int
    pixels: int = 1


@dataclass(frozen=True)
class FoldingPlan:
    """The foldings of a network's layers, by name, and the vectors (frames in lockstep) that they all carry.

    entry: None where the first layer's folding says how the input comes.
    """

    layers: tuple[tuple[str, Folding], ...]
    vectors: int = 1
    entry: Entry | None = None

    def to_json(self) -> str:
        layers = [{"name": name, **asdict(folding)} for name, folding in self.layers]
        entry = {} if self.entry is None else {"input": asdict(self.entry)}
        data = {"format": FORMAT, "version": VERSION, "vectors": self.vectors, **entry, "layers": layers}
        return json.dumps(data, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "FoldingPlan":
        """The plan that `to_json` wrote. Raises ScheduleError for anything else."""
        try:
            data = json.loads(text)
            if (data["format"], data["version"]) != (FORMAT, VERSION):
                raise ScheduleError(f"is not a {FORMAT} file of version {VERSION}")
            layers = tuple(
                (
                    str(layer["name"]),
                    Folding(
                        _count(layer, "pe"),
                        _count(layer, "simd"),
                        layer.get("store", "auto"),
                        _count({"pixels": 1, **layer}, "pixels"),
                        layer.get("engine", "folded"),
                    ),
                )
                for layer in data["layers"]
            )
            given = data.get("input")
            entry = None if given is None else Entry(_count(given, "lanes"), _count({"pixels": 1, **given}, "pixels"))
            return cls(layers, _count(data, "vectors"), entry)
        except json.JSONDecodeError as error:
            raise ScheduleError(f"is not JSON: {error}") from error
        except (KeyError, TypeError, AttributeError) as error:
            raise ScheduleError(f"lacks what a {FORMAT} file has: {error}") from error

    def select(self, names: Iterable[str]) -> tuple[Folding, ...]:
        """The foldings of these layers, which must be the plan's layers."""
        wanted, known = list(names), [name for name, _ in self.layers]
        if sorted(known) != sorted(wanted):
            raise ScheduleError(f"has foldings of {sorted(known)}, but the network's layers are {sorted(wanted)}")
        return tuple(dict(self.layers)[name] for name in wanted)


def read_folding(path: str | Path) -> FoldingPlan:
    """A folding file. Raises ScheduleError, in one line with the path, where it is not one."""
    try:
        return FoldingPlan.from_json(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ScheduleError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    except ScheduleError as error:
        raise ScheduleError(f"{path}: {error}") from error


def _count(mapping: dict, field: str) -> int:
    value = mapping[field]
    if type(value) is not int or value < 1:
        raise ScheduleError(f"has {field}={value!r}; it must be a whole number of at least 1")
    return value
