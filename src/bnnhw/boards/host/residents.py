"""Which programs lie in an engine's external memory, as the host notes it at the memory's begin.

Tests: tests/boards/host/test_residents.py
"""

import hashlib
import zlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.engine.program import EngineProgram
from bnnhw.hw.engine.engine_shape import NOTED_WORDS, EngineShape

__all__ = ["Resident", "Residents", "digest_of"]

_MAGIC = 0x626E6E68
_DIGEST_WORDS = 4
_ENTRY_WORDS = _DIGEST_WORDS + 2
_HEADER_WORDS = 2
_MOST = (NOTED_WORDS - _HEADER_WORDS - 1) // _ENTRY_WORDS


def digest_of(program: EngineProgram) -> bytes:
    """16 bytes by which a host knows what of a program lies in the external memory."""
    digest = hashlib.sha256(program.shape.identity)
    for address, words in program.outside():
        digest.update(f"{address} {len(words)} ".encode() + np.ascontiguousarray(words, "<u4").tobytes())
    return digest.digest()[: 4 * _DIGEST_WORDS]


@dataclass(frozen=True)
class Resident:
    """A program and the bursts that it has, its maps' among them."""

    digest: bytes
    bursts: range


@dataclass(frozen=True)
class Residents:
    """All programs that lie there, those that were used last first; none of them has a burst of another one's.

    They are noted in the memory's first words, with a checksum: a chip that has lost what it held, or an engine that
    has been started again, which writes a test pattern there, has none.
    """

    shape: EngineShape
    programs: tuple[Resident, ...] = ()

    @classmethod
    def of(cls, words: NDArray[np.uint32], shape: EngineShape) -> "Residents":
        """Those that are noted; none where that is no note of a host's."""
        words = np.ascontiguousarray(words[:NOTED_WORDS], "<u4")
        magic, count = (int(word) for word in words[:_HEADER_WORDS])
        if (
            len(words) < NOTED_WORDS
            or magic != _MAGIC
            or count > _MOST
            or words[-1] != zlib.crc32(words[:-1].tobytes())
        ):
            return cls(shape)
        entries = words[_HEADER_WORDS : _HEADER_WORDS + count * _ENTRY_WORDS].reshape(-1, _ENTRY_WORDS)
        found = (Resident(entry[:_DIGEST_WORDS].tobytes(), range(int(entry[-2]), int(entry[-1]))) for entry in entries)
        return cls(shape, tuple(found))

    def words(self) -> NDArray[np.uint32]:
        """The note."""
        words = np.zeros(NOTED_WORDS, "<u4")
        words[:_HEADER_WORDS] = _MAGIC, len(self.programs)
        for number, each in enumerate(self.programs):
            at = _HEADER_WORDS + number * _ENTRY_WORDS
            words[at : at + _DIGEST_WORDS] = np.frombuffer(each.digest, "<u4")
            words[at + _DIGEST_WORDS : at + _ENTRY_WORDS] = each.bursts.start, each.bursts.stop
        words[-1] = zlib.crc32(words[:-1].tobytes())
        return words.astype(np.uint32)

    def find(self, digest: bytes) -> Resident | None:
        """The program of that digest, where it lies there."""
        return next((each for each in self.programs if each.digest == digest), None)

    def without(self, digest: bytes) -> "Residents":
        """All but that one."""
        return replace(self, programs=tuple(each for each in self.programs if each.digest != digest))

    def used(self, program: Resident) -> "Residents":
        """With that one as the last used."""
        return replace(self, programs=(program, *self.without(program.digest).programs))

    def room_for(self, bursts: int) -> tuple["Residents", int]:
        """Those that stay where a program of so many bursts comes, and its first burst: as many as can, those that were
        used last before others.

        Raises ValueError where it has no room at all.
        """
        most = len(self.shape.external_bursts)
        if bursts > most:
            raise ValueError(f"bursts={bursts} of a program must be at most {most}, the memory's")
        for stay in range(min(len(self.programs), _MOST - 1), -1, -1):
            kept = replace(self, programs=self.programs[:stay])
            first = kept._gap(bursts)
            if first is not None:
                return kept, first
        raise AssertionError("an empty memory has room")

    def _gap(self, bursts: int) -> int | None:
        """The first burst behind which so many are free."""
        room = self.shape.external_bursts
        first = room.start
        for taken in sorted((each.bursts for each in self.programs), key=lambda each: each.start):
            if first + bursts <= taken.start:
                return first
            first = max(first, taken.stop)
        return first if first + bursts <= room.stop else None
