"""`bnnhw serve` over the virtual board, as a process of its own that clients ask; and what it refuses."""

import asyncio
import importlib.util
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest

from bnnhw.boards.manifest import Manifest
from bnnhw.cli import main
from bnnhw.cli.errors import INTERRUPTED
from tests.boards.host.udp_board import UdpBoard, board_info

from .case import Case, run_case
from .stock import write_design
from .test_interrupts import PROGRAM

PATIENCE_S = 120


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """(the process, its address), which Ctrl-C ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "serve", *arguments, "--http-port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        text=True,
    )
    try:
        assert process.stdout is not None
        where = ", simulated" if "--simulate" in arguments else ""
        said = re.fullmatch(rf"(http://127\.0\.0\.1:\d+/): build on ulx3s-85f{where}\n", process.stdout.readline())
        assert said
        yield process, said[1]
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE_S)
        assert (process.returncode, errors.strip()) == (INTERRUPTED, "bnnhw: interrupted")
    finally:
        process.kill()
        process.communicate()


def ask(address: str, bodies: list[bytes]) -> list[tuple[int, Any]]:
    """(status, JSON) for each body, all sent at once."""

    async def run() -> list[tuple[int, Any]]:
        async with aiohttp.ClientSession() as session:

            async def one(body: bytes) -> tuple[int, Any]:
                async with session.post(f"{address}build", data=body) as reply:
                    return reply.status, await reply.json()

            return await asyncio.gather(*(one(body) for body in bodies))

    return asyncio.run(run())


def test_answers_as_run_does(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """64 images at once; then the board dies, and another one takes its place."""
    write_design(Path("build/top.il"))
    for number, image in enumerate(np.random.default_rng(5).integers(0, 17, (64, 8, 8, 1))):
        np.save(f"{number}.npy", image)
    names = [f"{number}.npy" for number in range(64)]
    with pytest.raises(SystemExit):
        main(["run", "--simulate", "--json", "build", *names])
    wanted = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row.pop("image") for row in wanted] == names
    assert len({row["label"] for row in wanted}) > 1
    bodies = [Path(name).read_bytes() for name in names]
    with serving("--simulate", "build", "--queue", "64") as (process, address):
        assert ask(address, bodies) == [(200, row) for row in wanted]
        (board,) = children(process.pid)
        os.kill(board, signal.SIGKILL)
        ((status, said),) = ask(address, bodies[:1])
        assert status == 502
        assert re.match("the virtual board ended: killed by SIGKILL|the board at .* went away", said["error"])
        assert ask(address, bodies[:9]) == [(200, row) for row in wanted[:9]]
        left = children(process.pid)
    wait_for_the_death_of(left)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(re.findall(r"\d+", address)[-1])))


def test_boards_behind_udp_share_the_images(workplace: Path) -> None:
    np.save("image.npy", np.zeros((8, 8, 1), np.int64))
    info = board_info(Manifest.read(Path("build")))
    with (
        UdpBoard(info, lambda image: b"\3") as one,
        UdpBoard(info, lambda image: b"\3") as other,
        serving("--address", one.address, "--address", other.address, "build") as (_, address),
    ):
        answers = ask(address, [Path("image.npy").read_bytes()] * 40)
    assert answers == [(200, {"label": "3", "cycles": 40, "seconds": 4e-07})] * 40


def children(pid: int) -> list[int]:
    """The processes that a process has started, and that still run."""
    return [int(number) for number in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait_for_the_death_of(numbers: list[int]) -> None:
    assert numbers
    deadline = time.monotonic() + PATIENCE_S
    while any(Path(f"/proc/{number}").exists() for number in numbers):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def same_build(path: Path) -> None:
    path.write_bytes(Path("build/manifest.json").read_bytes())


CASES = (
    Case("no build", "serve nowhere", r"nowhere is no build: .*"),
    Case("two builds", "serve build build2",
         r"build fills the board alone; only programs of one engine run side by side",
         {"build2/manifest.json": same_build}),
    Case("two folders of one name", "serve build more/build",
         r"build and more/build have one name, build; rename one of them", {"more/build/manifest.json": same_build}),
    Case("the virtual board at a port", "serve --simulate --port /dev/x build",
         r"--simulate and --port exclude each other; give one of them \(try 'bnnhw serve --help'\)"),
    Case("a board in two places", "serve --port /dev/x --address 127.0.0.1:7000 build",
         r"--port and --address exclude each other; give one of them \(try 'bnnhw serve --help'\)"),
    Case("no board", "serve --port /dev/nowhere --http-port 0 build",
         r"port /dev/nowhere does not exist; the USB serial ports are .*"),
    Case("no such address", "serve --host 192.0.2.1 build", r"192\.0\.2\.1:8080: Cannot assign requested address"),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_refuses(case: Case, workplace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run_case(case, workplace, capfd)


def test_a_port_in_use_is_refused(workplace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        message = f"port {port} of 127\\.0\\.0\\.1 is in use by another program; end it, or name another http_port"
        run_case(Case("", f"serve --http-port {port} build", message), workplace, capfd)


def test_names_the_extra_where_its_library_is_missing(
    workplace: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr("bnnhw.api.serve.serve.find_spec", lambda name: None if name == "aiohttp" else find(name))
    message = r"a server needs the package aiohttp, which is not installed; pip install 'bnnhw\[serve\]'"
    run_case(Case("", "serve build", message), workplace, capfd)
