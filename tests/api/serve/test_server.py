"""Over HTTP on the loopback address, with a board that answers with the sum of an image."""

import asyncio
import io
import logging
import pickle
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import numpy as np
import pytest
from PIL import Image

from bnnhw.api.serve import server
from bnnhw.api.serve.server import MOST_BYTES, application, http_server
from bnnhw.api.serve.waiting import Waiting

from .fakes import CLOCK_HZ, SHAPE, FakeBoard, at_work, network_of

Reply = tuple[int, Any]
"""Status and JSON."""


@dataclass
class Served:
    """Networks a, four images at once, and b, two, behind HTTP."""

    places: int = 64
    board: FakeBoard = field(default_factory=FakeBoard)

    @contextmanager
    def running(self) -> Iterator["Served"]:
        networks = {name: network_of(name) for name in "ab"}
        self.waiting = Waiting({"a": 4, "b": 2}, places=self.places)
        with ExitStack() as stack:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            self.port = listener.getsockname()[1]
            stack.enter_context(http_server(application(networks, self.waiting), listener))
            stack.enter_context(at_work(self.board, self.waiting, networks))
            yield self

    def ask(self, *requests: tuple[str, str, bytes]) -> list[Reply]:
        """The replies to requests (method, path, body) that are sent all at once."""
        return asyncio.run(self._ask(requests))

    async def _ask(self, requests: tuple[tuple[str, str, bytes], ...]) -> list[Reply]:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{self.port}") as session:
            return await asyncio.gather(*(ask(session, *request) for request in requests))

    def meanwhile(self, act: Callable[[aiohttp.ClientSession], Awaitable[None]]) -> None:
        """Runs `act` with a client."""

        async def run() -> None:
            async with aiohttp.ClientSession(f"http://127.0.0.1:{self.port}") as session:
                await act(session)

        asyncio.run(run())

    async def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline, "this does not happen"
            await asyncio.sleep(0.005)


async def ask(session: aiohttp.ClientSession, method: str, path: str, body: bytes = b"") -> Reply:
    async with session.request(method, path, data=io.BytesIO(body)) as reply:
        assert reply.content_type == "application/json"
        assert (reply.headers.get("Retry-After") == "1") == (reply.status == 503)
        return reply.status, await reply.json()


@pytest.fixture
def served() -> Iterator[Served]:
    with Served().running() as served:
        yield served


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def picture(value: int, shape: tuple[int, int] = SHAPE[:2]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full(shape, value, np.uint8)).save(file, format="PNG")
    return file.getvalue()


def row(value: int) -> Reply:
    """The answer to a picture of that value everywhere."""
    return 200, {"label": str(6 * value), "cycles": 6 * value, "seconds": 6 * value / CLOCK_HZ}


def test_tells_what_is_served(served: Served) -> None:
    assert served.ask(("POST", "/a", picture(1))) == [row(1)]
    told = {"shape": [2, 3, 1], "range": [0, 255], "classes": [], "waiting": 0}
    assert served.ask(("GET", "/", b"")) == [
        (200, {"board": "fake", "networks": {"a": told | {"answered": 1}, "b": told | {"answered": 0}}})
    ]


def test_many_clients_get_their_own_answers(served: Served) -> None:
    """As pictures and as arrays, of two networks."""
    values = np.random.default_rng(0).permutation([*range(0, 13), *range(15, 66)])
    kinds = [(name, make) for name in "ab" for make in (picture, lambda value: npy(np.full(SHAPE, value)))]
    requests = [(kinds[number % 4], int(value)) for number, value in enumerate(values)]
    replies = served.ask(*(("POST", f"/{name}", make(value)) for (name, make), value in requests))
    assert replies == [row(value) for _, value in requests]
    assert sum(served.waiting.answered.values()) == len(values) == 64


def test_what_the_queue_does_not_hold_is_refused_and_all_the_rest_answered() -> None:
    with Served(places=5).running() as served:
        served.board.may.clear()

        async def act(session: aiohttp.ClientSession) -> None:
            first = [asyncio.create_task(ask(session, "POST", "/a", picture(1)))]
            await served.until(lambda: served.board.batches == [("a", 1)])
            tasks = [asyncio.create_task(ask(session, "POST", "/a", picture(value))) for value in range(15, 35)]
            await served.until(lambda: sum(task.done() for task in tasks) == 15)
            assert served.waiting.count("a") == 5
            served.board.may.set()
            replies = dict(zip(range(15, 35), await asyncio.gather(*tasks), strict=True))
            refused = (503, {"error": "5 images wait already; send it again later"})
            assert sum(reply == refused for reply in replies.values()) == 15
            assert all(reply in (refused, row(value)) for value, reply in replies.items())
            assert await asyncio.gather(*first) == [row(1)]

        served.meanwhile(act)
        assert served.waiting.answered == {"a": 6, "b": 0}
        assert served.ask(("POST", "/a", picture(9))) == [row(9)]


def test_a_board_that_dies_comes_back(served: Served) -> None:
    assert served.ask(("POST", "/a", picture(13))) == [(502, {"error": "the board at /dev/x went away"})]
    served.board.plugged = False
    assert served.ask(("POST", "/a", picture(1))) == [(502, {"error": "no board"})]
    served.board.plugged = True
    assert served.ask(("POST", "/b", picture(1))) == [row(1)]


def test_a_defect_is_told_of_and_ends_nothing(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        assert served.ask(("POST", "/a", picture(14))) == [
            (500, {"error": "a defect of the server, whose log tells more"})
        ]
    assert "RuntimeError: a defect" in caplog.text
    assert served.ask(("POST", "/a", picture(1))) == [row(1)]


class Planted:
    """What no server may unpickle."""

    def __reduce__(self) -> tuple[Any, ...]:
        return pytest.fail, ("it was unpickled",)


FORMATS = "give a PNG, JPEG, TIFF, BMP, GIF, WEBP, AVIF, PPM or TGA file"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "error"),
    [
        ("POST", "/a", b"", 400, f"the body is no image that can be read; {FORMATS}"),
        ("POST", "/a", picture(1)[:-30], 400, f"the body is no image that can be read; {FORMATS}"),
        ("POST", "/a", pickle.dumps(Planted()), 400, f"the body is no image that can be read; {FORMATS}"),
        ("POST", "/a", picture(1, (3, 3)), 400, "the body is 3x3 pixels; the network takes 3x2: resize it first"),
        ("POST", "/a", npy(np.full(SHAPE, 256)), 400, "the body spans [256, 256]; the network takes [0, 255]"),
        ("POST", "/a", npy(np.zeros(SHAPE))[:-1], 400,
         "the body is no numpy array of numbers; save it with numpy.save"),
        ("POST", "/a", npy(np.array([Planted()])), 400,
         "the body is no numpy array of numbers; save it with numpy.save"),
        ("POST", "/a", bytes(MOST_BYTES + 1), 413, "the body has more than 32 MiB"),
        ("POST", "/c", picture(1), 404, "nothing is served at /c; there is /a, /b"),
        ("POST", "/a/b", picture(1), 404, "nothing is served at /a/b; there is /a, /b"),
        ("GET", "/a", b"", 405, "/a takes POST, not GET"),
    ],
)  # fmt: skip
def test_refuses(served: Served, method: str, path: str, body: bytes, status: int, error: str) -> None:
    assert served.ask((method, path, body)) == [(status, {"error": error})]
    assert served.board.batches == []
    assert served.waiting.count("a") == 0


def test_who_hangs_up_leaves_the_queue(served: Served) -> None:
    served.board.may.clear()

    async def act(session: aiohttp.ClientSession) -> None:
        first = asyncio.create_task(ask(session, "POST", "/a", picture(1)))
        await served.until(lambda: served.board.batches == [("a", 1)])
        tasks = [asyncio.create_task(ask(session, "POST", "/a", picture(value))) for value in (2, 3, 4)]
        await served.until(lambda: served.waiting.count("a") == 3)
        tasks[1].cancel()
        await served.until(lambda: served.waiting.count("a") == 2)
        first.cancel()  # under way: it stays so
        served.board.may.set()
        assert [await tasks[0], await tasks[2]] == [row(2), row(4)]

    served.meanwhile(act)
    assert served.board.batches == [("a", 1), ("a", 2)]


def test_a_body_that_does_not_come_gives_its_place_back(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_RECEIVING_S", 0.2)
    with socket.create_connection(("127.0.0.1", served.port)) as client:
        client.sendall(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nnot all of it")
        client.settimeout(30)
        assert b" 408 " in client.recv(1000).splitlines()[0]
    assert served.waiting.count("a") == 0


def test_the_end_is_told_to_those_who_wait() -> None:
    with Served().running() as served:
        served.board.may.clear()

        async def act(session: aiohttp.ClientSession) -> None:
            task = asyncio.create_task(ask(session, "POST", "/a", picture(1)))
            await served.until(lambda: served.board.batches != [])
            served.waiting.end()
            assert await task == (503, {"error": "the server ends"})
            assert await ask(session, "POST", "/a", picture(1)) == (503, {"error": "the server ends"})

        served.meanwhile(act)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", served.port))
