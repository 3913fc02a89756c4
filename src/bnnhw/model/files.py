"""Writing files so that a reader never sees half of one, and telling them apart."""

import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any

import torch

__all__ = ["file_sha256", "torch_bytes", "write_atomically", "write_json"]


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` to a file beside `path`, flush it to the disk, then rename it to `path`.

    After a kill -9 the file beside it, `.name.partial`, may stay; the next write replaces it.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


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
