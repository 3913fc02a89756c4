import gzip
from pathlib import Path

import numpy as np
import pytest

from bnnhw.model.data.idx import read_idx

ARRAY = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
CONTENT = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, *range(24)])


@pytest.mark.parametrize("content", [CONTENT, gzip.compress(CONTENT, mtime=0)], ids=["plain", "gzipped"])
def test_reads(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    assert np.array_equal(read_idx(tmp_path / "a", axes=3), ARRAY)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "must be an IDX file of bytes with 3 axes, which begins with 00000803; this one begins with nothing"),
        (b"PNG...", "which begins with 00000803; this one begins with 504e472e"),
        (bytes([0, 0, 8, 1]) + CONTENT[4:], "which begins with 00000803; this one begins with 00000801"),
        (CONTENT[:9], "is truncated: its header needs 16 bytes and it has 9; fetch it again"),
        (CONTENT[:-1], r"must hold 40 bytes for shape \(2, 3, 4\) and has 39; fetch it again"),
        (CONTENT + b"x", r"must hold 40 bytes for shape \(2, 3, 4\) and has 41; fetch it again"),
        (bytes([0, 0, 8, 3]) + b"\xff" * 12, r"must hold \d+ bytes for shape .* and has 16; fetch it again"),
        (gzip.compress(CONTENT, mtime=0)[:-9], "is damaged: .*; fetch it again"),
        (gzip.compress(CONTENT, mtime=0)[:15] + b"garbage" * 9, "is damaged: .*; fetch it again"),
    ],
)
def test_refuses(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_idx(tmp_path / "a", axes=3)
