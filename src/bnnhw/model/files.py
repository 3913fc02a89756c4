"""The bytes of files of models and records, and telling files apart."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import torch

from bnnhw.files import write_atomically

__all__ = ["file_sha256", "torch_bytes", "write_atomically", "write_json"]


def torch_bytes(content: dict[str, Any]) -> bytes:
    """What `torch.save` writes; equal contents give equal bytes, whatever the file will be called."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def write_json(path: Path, content: dict[str, Any]) -> None:
    """`json.dump` made atomic."""
    write_atomically(path, (json.dumps(content, indent=2) + "\n").encode())


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
