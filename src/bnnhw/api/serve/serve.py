"""A board that answers over HTTP.

Tests: tests/cli/test_serve.py
"""

import errno
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

from bnnhw.api.builds.opened import BuiltNetwork, built_network, check_side_by_side, opened
from bnnhw.api.builds.program import BuiltProgram
from bnnhw.api.checks import check_count, check_place
from bnnhw.boards.host.errors import LinkError
from bnnhw.sim.board.read_build import LinkKind

from .waiting import Waiting
from .work import work

__all__ = ["serve"]


def serve(
    builds: Sequence[str | Path],
    *,
    simulate: bool = False,
    link: LinkKind = "uart",
    port: str | None = None,
    address: str | Sequence[str] = (),
    timeout_s: float | None = None,
    host: str = "127.0.0.1",
    http_port: int = 8080,
    places: int = 64,
    on_ready: Callable[[str, Mapping[str, BuiltNetwork]], None] = lambda address, networks: None,
    on_lost: Callable[[LinkError], None] = lambda error: None,
) -> None:
    """Answer over HTTP for the networks of a board, until it is interrupted. See docs/serve.md.

    Parameters
    ----------
    builds : paths
        A build's folder, or those of programs for one engine; each network is called as its folder is.
    simulate, link, port, address, timeout_s, on_lost
        As of `run`.
    host, http_port : str, int
        Where clients come; port 0 is any free one.
    places : int
        Images that may wait for the board.
    on_ready : callable
        Is told the address, and the networks by their names, once the board is open.

    Raises
    ------
    ValueError
        Where the folders are no builds, or no one board has them all, or the package aiohttp is missing.
    OSError
        Where the HTTP port is taken, and LinkError, one of them, where the board does not answer at first.
    """
    if find_spec("aiohttp") is None:
        raise ValueError("a server needs the package aiohttp, which is not installed; pip install 'bnnhw[serve]'")
    from .server import application, http_server

    check_count("places", places)
    addresses = [address] if isinstance(address, str) else list(address)
    check_place(simulate=simulate, link=link, port=port, addresses=addresses)
    networks = _by_name([built_network(Path(build)) for build in builds])
    check_side_by_side(list(networks.values()))
    at_once = {
        name: network.made.program.frames if isinstance(network.made, BuiltProgram) else places
        for name, network in networks.items()
    }
    waiting = Waiting(at_once, places=places)
    with ExitStack() as stack:
        listener = stack.enter_context(_listener(host, http_port))
        place = _address(listener)
        stack.enter_context(http_server(application(networks, waiting), listener))
        stack.callback(waiting.end)
        work(
            waiting,
            networks,
            lambda: opened(
                list(networks.values()),
                simulate=simulate,
                link=link,
                port=port,
                addresses=addresses,
                timeout_s=timeout_s,
                on_lost=on_lost,
            ),
            on_open=lambda: on_ready(place, networks),
        )


def _by_name(networks: Sequence[BuiltNetwork]) -> dict[str, BuiltNetwork]:
    """Raises ValueError where two have one name, or there is none."""
    if not networks:
        raise ValueError("builds are none; give one or more")
    found: dict[str, BuiltNetwork] = {}
    for network in networks:
        name = network.folder.resolve().name
        if name in found:
            raise ValueError(f"{found[name].folder} and {network.folder} have one name, {name}; rename one of them")
        found[name] = network
    return found


def _listener(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ValueError(
                f"port {port} of {host} is in use by another program; end it, or name another http_port"
            ) from error
        reason = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        raise OSError(error.errno, reason, f"{host}:{port}") from error


def _address(listener: socket.socket) -> str:
    host, port, *_ = listener.getsockname()
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"
