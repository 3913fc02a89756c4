"""What the host and an engine say to each other: packets of words, each answered by one.

Tests: tests/hw/engine/test_engine.py
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "DATA_WORDS",
    "HEADER_WORDS",
    "NO_LIMIT",
    "PACKET_WORDS",
    "Answer",
    "Memory",
    "Request",
    "Status",
    "data_of",
    "read",
    "run",
    "write",
]

HEADER_WORDS = 2
DATA_WORDS = 64
PACKET_WORDS = HEADER_WORDS + DATA_WORDS
"""Words of 32 bits of a request, and of an answer."""
NO_LIMIT = (1 << 32) - 1


class Request(IntEnum):
    """What the low 4 bits of a request's first word say."""

    WRITE = 1
    RUN = 2
    READ = 3


class Memory(IntEnum):
    """The memories that WRITE knows, in bits 4 to 7 of the first word."""

    INSTRUCTIONS = 0
    TAPS = 1
    PARAMETERS = 2
    WEIGHTS = 3
    MAPS = 4
    WINDOWS = 5  # pixels of a few channels, which become windows of columns in the banks: see `WindowLane`
    TRANSFERS = 6
    EXTERNAL = 7  # by host alone, who reads it, too, in whole bursts; an address counts words of the bus here, too
    FACTORS = 8  # of lanes: see `factor_layout`
    VALUES = 9  # read by the host, too


class Status(IntEnum):
    """The first word of an answer."""

    DONE = 1
    UNKNOWN = 2  # no such request or memory, or an external address between two bursts
    STOPPED = 3  # the run took more cycles than it was allowed to
    NO_MEMORY = 4  # to whatever was asked: the external memory does not give back what is written


@dataclass(frozen=True, eq=False)
class Answer:
    """An answer: its status, the cycles of the last run, and words of results."""

    status: Status
    cycles: int
    data: NDArray[np.uint32]

    @classmethod
    def of(cls, words: NDArray[np.uint32]) -> "Answer":
        """Raises ValueError where the words are no answer."""
        if len(words) != PACKET_WORDS or words[0] not in set(Status):
            raise ValueError(f"an engine's answer has {PACKET_WORDS} words and begins with a status, not {words[:1]}")
        return cls(Status(words[0]), int(words[1]), words[HEADER_WORDS:])


def _packet(kind: Request, address: int, data: NDArray[np.uint32], *, memory: int = 0) -> NDArray[np.uint32]:
    packet = np.zeros(PACKET_WORDS, np.uint32)
    packet[:HEADER_WORDS] = kind | memory << 4 | len(data) << 8, address
    packet[HEADER_WORDS : HEADER_WORDS + len(data)] = data
    return packet


def write(memory: Memory, address: int, data: NDArray[np.uint32]) -> list[NDArray[np.uint32]]:
    """The packets that write these words one behind the other; a wide memory's words are several, lowest bits first."""
    parts = range(0, len(data), DATA_WORDS)
    return [_packet(Request.WRITE, address + at, data[at : at + DATA_WORDS], memory=memory) for at in parts]


def data_of(packet: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The words that a packet writes."""
    return packet[HEADER_WORDS : HEADER_WORDS + (int(packet[0]) >> 8 & 0xFF)]


def run(*, tag: int = 1, limit: int = NO_LIMIT, base: int = 0) -> NDArray[np.uint32]:
    """The packet that runs the program. Its answer comes when it has ended, with its first sums.

    tag: another one than the run before it has, and not 0 for the first; a repeated one only answers again.
    limit: of its cycles; a run of more is stopped, so that no program whatever runs for ever.
    base: the burst of the external memory at which the program begins.
    """
    return _packet(Request.RUN, 0, np.array([tag, limit, base], np.uint32))


def read(address: int, *, memory: int = 0) -> NDArray[np.uint32]:
    """The packet whose answer brings the sums from there on; or words of the bus of Memory.VALUES; or of
    Memory.EXTERNAL, from the begin of a burst on."""
    return _packet(Request.READ, address, np.zeros(0, np.uint32), memory=memory)
