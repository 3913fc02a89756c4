"""Where a picture comes from: a file, or bytes that are at hand.

Tests: tests/pictures/test_reader.py
"""

from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Literal

__all__ = ["Body", "Source"]


@dataclass(frozen=True)
class Body:
    """The bytes of a file that lies nowhere. Messages call it by its name."""

    content: bytes = field(repr=False)
    name: str

    def open(self, mode: Literal["rb"] = "rb") -> BytesIO:
        return BytesIO(self.content)

    def __str__(self) -> str:
        return self.name


Source = Path | Body
