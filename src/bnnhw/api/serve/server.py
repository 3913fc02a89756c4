"""What is asked over HTTP, and what is answered.

Tests: tests/api/serve/test_server.py
"""

import asyncio
import logging
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
from aiohttp import web
from numpy.typing import NDArray

from bnnhw.api.builds.answer_row import answer_row
from bnnhw.api.builds.opened import BuiltNetwork
from bnnhw.api.images.files import image_in

from .waiting import EndedError, FullError, Waiting

__all__ = ["MOST_BYTES", "application", "http_server"]

MOST_BYTES = 32 << 20
"""Of an image's file."""
_RECEIVING_S = 60.0
_ENDING_S = 0.5
"""For the last answers to leave."""
_AGAIN = {"Retry-After": "1"}
_LOG = logging.getLogger(__name__)


def application(networks: Mapping[str, BuiltNetwork], waiting: Waiting) -> web.Application:
    """GET / tells what is served; POST /NAME takes the file of an image and answers with the network's answer.

    Each answer is JSON; errors are {"error": ...}.
    """
    site = _Site(networks, waiting)
    app = web.Application(client_max_size=MOST_BYTES, middlewares=[site.with_errors])
    app.add_routes([web.get("/", site.tell), web.post("/{name}", site.answer)])
    app.cleanup_ctx.append(site.reading)
    return app


class _Site:
    def __init__(self, networks: Mapping[str, BuiltNetwork], waiting: Waiting):
        self.networks = networks
        self.waiting = waiting

    async def reading(self, app: web.Application) -> AsyncIterator[None]:
        """Has one thread for pictures, as their readers change what the whole process does with warnings."""
        with ThreadPoolExecutor(1) as self.reader:
            yield

    @web.middleware
    async def with_errors(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            return await handler(request)
        except (FullError, EndedError) as error:
            return _error(503, str(error), _AGAIN)
        except web.HTTPRequestEntityTooLarge:
            return _error(413, f"the body has more than {MOST_BYTES >> 20} MiB")
        except web.HTTPMethodNotAllowed as error:
            allowed = ", ".join(sorted(error.allowed_methods))
            return _error(405, f"{request.path} takes {allowed}, not {request.method}", {"Allow": allowed})
        except web.HTTPNotFound:
            return _error(404, f"nothing is served at {request.path}; there is {', '.join(map(_path, self.networks))}")
        except web.HTTPException as error:
            return _error(error.status, error.reason)
        except Exception:
            _LOG.exception("a defect, at %s", request.path)
            return _error(500, "a defect of the server, whose log tells more")

    async def tell(self, request: web.Request) -> web.Response:
        networks = {
            name: {
                "shape": list(network.shape),
                "range": [network.lo, network.hi],
                "classes": list(network.classes),
                "waiting": self.waiting.count(name),
                "answered": self.waiting.answered[name],
            }
            for name, network in self.networks.items()
        }
        return web.json_response({"board": next(iter(self.networks.values())).board, "networks": networks})

    async def answer(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if (network := self.networks.get(name)) is None:
            raise web.HTTPNotFound
        place = self.waiting.join(name)  # before its body comes, so that no more bodies are held than places
        try:
            try:
                image = await self.image(request, network)
            except TimeoutError:
                return _error(408, f"the body was not there after {_RECEIVING_S:g} s")
            except ValueError as error:
                return _error(400, str(error))
            try:
                answer = await asyncio.wrap_future(self.waiting.bring(place, image))
            except (OSError, ValueError) as error:  # LinkError and SimulationError among them
                return _error(502, str(error))
        finally:
            self.waiting.leave(place)
        return web.json_response(answer_row(answer, clock_hz=network.clock_hz))

    async def image(self, request: web.Request, network: BuiltNetwork) -> NDArray[np.int64]:
        """The image in the body. Raises ValueError where it is not for the network."""
        async with asyncio.timeout(_RECEIVING_S):
            body = await request.read()
        read = partial(image_in, body, shape=network.shape, lo=network.lo, hi=network.hi)
        return await asyncio.get_running_loop().run_in_executor(self.reader, read)


def _path(name: str) -> str:
    return f"/{name}"


def _error(status: int, text: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response({"error": " ".join(text.split())}, status=status, headers=headers)


@contextmanager
def http_server(app: web.Application, listener: socket.socket) -> Iterator[None]:
    """Serves `app` in a thread of its own for as long as the block lasts; closes `listener`, where clients come."""
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=_ENDING_S)
    thread = threading.Thread(target=loop.run_forever, name="http", daemon=True)
    thread.start()

    def run(steps: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(steps, loop).result()

    async def start() -> None:
        await runner.setup()
        await web.SockSite(runner, listener).start()

    try:
        run(start())
        yield
    finally:
        run(runner.cleanup())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
