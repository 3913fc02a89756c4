"""Writing files so that a reader never sees half of one."""

import io
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import torch

__all__ = ["torch_bytes", "write_atomically", "write_json"]


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` under a temporary name beside `path`, flush it to the disk, then rename it to `path`."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _umask() -> int:
    """The process' file mode mask, which mkstemp ignores; it can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def torch_bytes(content: dict[str, Any]) -> bytes:
    """What `torch.save` writes; equal contents give equal bytes, whatever the file will be called."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def write_json(path: Path, content: dict[str, Any]) -> None:
    """`json.dump` made atomic."""
    write_atomically(path, (json.dumps(content, indent=2) + "\n").encode())
