"""Room in one of the engine's memories, given away in a ring.

Tests: tests/compiler/engine/external/test_scheduled.py
"""

from dataclasses import dataclass

__all__ = ["Region", "Ring"]


@dataclass(eq=False)
class Region:
    """Words of a memory.

    begin, size : int
    behind : int
        As many instructions of the other list must have ended before these words are written.
    used_until : int
        As many have ended when they are no longer needed.
    is_live : bool
        Nothing else has been given a place there.
    """

    begin: int
    size: int
    behind: int
    used_until: int = 0
    is_live: bool = True


class Ring:
    """Regions one behind the other, and at the begin again where the end is too near: the oldest ones make room.

    limit : int
        Where the ring ends; behind it are regions at places of their own.
    begin : int
        Where it begins; before it are words of others.
    """

    def __init__(self, size: int, *, begin: int = 0):
        self.limit = size
        self.begin = self._place = begin
        self._known: list[Region] = []

    @property
    def size(self) -> int:
        """Words of it."""
        return self.limit - self.begin

    def rewind(self, size: int) -> None:
        """The next regions, of `size` in all, come one behind the other."""
        if self._place + size > self.limit:
            self._place = self.begin

    def claim(self, size: int, *, align: int = 1) -> Region:
        """A region of so many words, at most those of the ring, at a multiple of `align`."""
        if size > self.size:
            raise ValueError(f"size={size} must be at most {self.size}, that of the ring")
        self._place += -self._place % align
        self.rewind(size)
        region, _ = self._put(self._place, size)
        self._place += size
        return region

    def claim_at(self, begin: int, size: int) -> Region:
        """A region at that place, which no transfer fills.

        So none waits until the regions that lose words to it are no longer needed, and the rest of each is known still.
        """
        region, gone = self._put(begin, size)
        for each in gone:
            for first, end in ((each.begin, begin), (begin + size, each.begin + each.size)):
                if first < end:
                    self._known.append(Region(first, end - first, 0, each.used_until, is_live=False))
        return region

    def _put(self, begin: int, size: int) -> tuple[Region, list[Region]]:
        """A region at that place, and those that lose words to it."""
        gone = [each for each in self._known if begin < each.begin + each.size and each.begin < begin + size]
        for each in gone:
            each.is_live = False
            self._known.remove(each)
        region = Region(begin, size, max((each.used_until for each in gone), default=0))
        self._known.append(region)
        return region, gone
