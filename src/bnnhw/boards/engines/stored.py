"""Manifests of engines and of their programs, as files: a format, a version, and a dataclass's fields.

Tests: tests/cli/test_engine.py
"""

import json
from pathlib import Path
from typing import Any, TypeVar

from bnnhw.boards.manifest import MANIFEST, ManifestError
from bnnhw.compiler.codec import from_plain, to_plain

__all__ = ["format_of", "read_stored", "write_stored"]

Stored = TypeVar("Stored")


def format_of(folder: Path) -> str | None:
    """What kind of manifest a folder has; None where it has none that says so."""
    plain = _json_of(folder / MANIFEST)
    return None if plain is None else plain.get("format")


def write_stored(folder: Path, manifest: Any, *, form: str, version: int) -> None:
    """Writes the folder's manifest.json."""
    plain = {"format": form, "version": version, **to_plain(manifest)}
    (folder / MANIFEST).write_text(json.dumps(plain, indent=2) + "\n")


def read_stored(kind: type[Stored], folder: Path, *, form: str, version: int, what: str, maker: str) -> Stored:
    """The manifest of a folder, of the dataclass `kind`.

    what, maker : str
        What the folder should hold, and which command makes it.

    Raises ManifestError where there is none, or one of another kind or version, or a damaged one.
    """
    path = folder / MANIFEST
    plain = _json_of(path)
    if plain is None or plain.pop("format", None) != form:
        raise ManifestError(
            f"{folder} is no {what}: its {MANIFEST} is missing, damaged or of another kind; {maker} makes one"
        )
    if (found := plain.pop("version", None)) != version:
        raise ManifestError(f"{path} is of version {found}; this bnnhw reads version {version}; make it again")
    try:
        return from_plain(kind, plain, "manifest")
    except ValueError as error:
        raise ManifestError(f"{path}: {error}; make it again") from error


def _json_of(path: Path) -> dict[str, Any] | None:
    try:
        plain = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return plain if isinstance(plain, dict) else None
