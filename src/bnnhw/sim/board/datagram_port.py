"""The bytes of a simulated link in datagrams, as a board behind UDP takes and gives them.

Tests: tests/sim/board/test_udp_board.py
"""

import socket
from contextlib import suppress

from bnnhw.hw.datagrams import DATAGRAM_HEADER_BYTES, BoardEnd, pack, take_frames

__all__ = ["DatagramPort"]

_QUEUE = 65536  # bytes that wait for the link, at most: datagrams beyond are lost, as where a board's buffer is full
_LONGEST = 2048
_AT_ONCE = 64  # datagrams, before the simulation goes on
_ROOM = {socket.AF_INET: 1472 - DATAGRAM_HEADER_BYTES, socket.AF_INET6: 1452 - DATAGRAM_HEADER_BYTES}


class DatagramPort:
    """A board's end of UDP: whole frames go out in as few datagrams as may be, to the host that asked last."""

    def __init__(self, opened: socket.socket):
        self._socket = opened
        self._end = BoardEnd()
        self._said = bytearray()

    @property
    def descriptor(self) -> int:
        """The socket's."""
        return self._socket.fileno()

    def receive(self, queue: bytearray) -> None:
        """Puts the bytes of the datagrams that have come behind those in `queue`."""
        with suppress(BlockingIOError):
            for _ in range(_AT_ONCE):
                data, sender = self._socket.recvfrom(_LONGEST, socket.MSG_DONTWAIT)
                if len(queue) + len(data) <= _QUEUE:
                    queue += self._end.unwrap(data, sender)

    def send(self, data: bytes) -> None:
        """Sends the frames that end in `data`."""
        self._said += data
        for payload in pack(take_frames(self._said), room=_ROOM[self._socket.family]):
            self._socket.sendto(self._end.wrap(payload), self._end.peer)
