"""A board in pure Python behind UDP on this computer, and a network before it that treats datagrams badly."""

import random
import select
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from bnnhw.boards.manifest import Manifest
from bnnhw.hw.datagrams import BoardEnd, pack
from bnnhw.hw.protocol import Frame, Info, encode

from .fake_board import FakeBoard

HERE = "127.0.0.1"
ROOM = 1400


class Served:
    """A thread that waits at sockets, until the block ends or it is killed."""

    sockets: list[socket.socket]

    def start(self, handle: Callable[[socket.socket], None], *, wait_s: float | None = None) -> None:
        self._stop_read, self._stop_write = socket.socketpair()

        def serve() -> None:
            while True:
                ready, _, _ = select.select([self._stop_read, *self.sockets], [], [], wait_s)
                if self._stop_read in ready:
                    return
                for each in ready or self.sockets[:1]:
                    handle(each)

        self._thread = threading.Thread(target=serve)
        self._thread.start()

    def stop(self) -> None:
        """From another thread."""
        self._stop_write.close()
        self._thread.join()
        for each in (*self.sockets, self._stop_read):
            each.close()


def address_of(opened: socket.socket) -> str:
    host, port, *_ = opened.getsockname()
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class UdpBoard(FakeBoard, Served):
    """A FakeBoard behind UDP; `dies_after` so many datagrams, as one whose process is killed."""

    def __init__(
        self,
        info: Info,
        network: Callable[[bytes], bytes],
        *,
        host: str = HERE,
        dies_after: float = float("inf"),
        **options: Any,
    ):
        super().__init__(info, network, **options)
        self.dies_after = dies_after
        self._end = BoardEnd()
        self._host = host

    def __enter__(self) -> Self:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.bind((self._host, 0))
        self.sockets = [self._socket]
        self.address = address_of(self._socket)
        self.start(self._take)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _take(self, opened: socket.socket) -> None:
        data, sender = opened.recvfrom(2000)
        self.dies_after -= 1
        if self.dies_after == 0:
            opened.close()
            self.sockets.clear()
            return
        answers = []
        for frame in self._decoder.feed(self._end.unwrap(data, sender)):
            self.received.append(frame)
            answers += [] if self.mute else map(encode, self.answers(frame))
        self._answer(answers)

    def _answer(self, answers: list[bytes]) -> None:
        for payload in pack(answers, room=ROOM):
            self._socket.sendto(self._end.wrap(payload), self._end.peer)

    def images(self) -> int:
        """How many chunks of images came."""
        return sum(isinstance(frame, Frame) and bool(frame.payload) for frame in self.received)


@dataclass(frozen=True)
class Faults:
    """What happens to so many datagrams of a thousand, each way. Those that are late, or come again, come behind up to
    `behind` others, or when nothing has come for a while."""

    lost: float = 10
    doubled: float = 10
    late: float = 50
    damaged: float = 1
    behind: int = 40


class Way:
    """One way through a network."""

    def __init__(self, rng: random.Random, faults: Faults):
        self.faults = faults
        self.counts: dict[str, int] = dict.fromkeys(("carried", "lost", "doubled", "late", "damaged"), 0)
        self._rng = rng
        self._held: list[tuple[int, bytes]] = []  # behind how many others

    def pass_on(self, data: bytes) -> list[bytes]:
        """What comes out for a datagram."""
        self.counts["carried"] += 1
        treated = self._treated(data)
        arriving = [copy for behind, copy in treated if not behind]
        arriving += [copy for behind, copy in self._held if behind <= 1]
        self._held = [(behind - 1, copy) for behind, copy in self._held if behind > 1]
        self._held += [(behind, copy) for behind, copy in treated if behind]
        return arriving

    def release(self) -> list[bytes]:
        """What was held back."""
        held, self._held = self._held, []
        return [data for _, data in held]

    def _treated(self, data: bytes) -> list[tuple[int, bytes]]:
        """What arrives for a datagram: behind how many others, and what it is then."""
        rng = self._rng
        if self._happens("lost"):
            return []
        if self._happens("damaged"):
            at = rng.randrange(len(data))
            data = data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
        first = rng.randrange(1, self.faults.behind) if self._happens("late") else 0
        again = [(rng.randrange(self.faults.behind), data)] if self._happens("doubled") else []
        return [(first, data), *again]

    def _happens(self, name: str) -> bool:
        happens = self._rng.random() * 1000 < getattr(self.faults, name)
        self.counts[name] += happens
        return happens


def sum_of(*ways: Way) -> dict[str, int]:
    """What happened on them."""
    return {name: sum(way.counts[name] for way in ways) for name in ways[0].counts}


class Network(Served):
    """Carries datagrams between a host, which finds the board at `address`, and a board; a context manager."""

    def __init__(self, board: str, *, seed: int, faults: Faults):
        self.board = board
        rng = random.Random(seed)
        self.out, self.back = Way(rng, faults), Way(rng, faults)
        self._host: Any = None

    def __enter__(self) -> "Network":
        self.sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        self._front, self._rear = self.sockets
        self._front.bind((HERE, 0))
        host, port = self.board.rsplit(":", 1)
        self._rear.connect((host, int(port)))
        for each in self.sockets:
            each.setblocking(False)
        self.address = address_of(self._front)
        self.start(self._carry, wait_s=0.005)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _carry(self, opened: socket.socket) -> None:
        try:
            data, sender = opened.recvfrom(2000)
        except BlockingIOError:  # nothing has come for a while
            out, back = self.out.release(), self.back.release()
        else:
            is_out = opened is self._front
            self._host = sender if is_out else self._host
            out, back = (self.out.pass_on(data), []) if is_out else ([], self.back.pass_on(data))
        for data in out:
            self._rear.send(data)
        for data in back:
            self._front.sendto(data, self._host)


def board_info(manifest: Manifest) -> Info:
    """What a board of a build says of itself, where an image is one chunk."""
    return Info(
        window=4,
        input_chunk=manifest.input_bytes,
        output_chunk=manifest.output_bytes,
        input_bytes=manifest.input_bytes,
        output_bytes=manifest.output_bytes,
        clock_hz=round(manifest.clock_hz),
        network_id=bytes.fromhex(manifest.network_id),
    )
