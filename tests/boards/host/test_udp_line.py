"""A board behind UDP on this computer: answers, and one clear line for each way in which there is none."""

import errno
import socket
from dataclasses import replace
from typing import Any

import pytest

from bnnhw.boards.host.errors import LinkError
from bnnhw.boards.host.link import BoardLink
from bnnhw.boards.host.open_line import open_line
from bnnhw.boards.host.udp_line import UdpLine
from bnnhw.boards.link_choice import LinkChoice
from bnnhw.hw.protocol import Info

from .udp_board import HERE, UdpBoard

INFO = Info(
    window=4, input_chunk=5, output_chunk=2, input_bytes=5, output_bytes=2, clock_hz=100_000_000, network_id=b"net-0001"
)
LARGE = replace(INFO, input_chunk=1024, output_chunk=1024, input_bytes=5000, output_bytes=3000)


def network(image: bytes) -> bytes:
    return sum(image).to_bytes(2, "little")


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as opened:
            opened.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.parametrize("host", [HERE, pytest.param("::1", marks=pytest.mark.skipif(not has_ipv6(), reason="IPv6"))])
def test_answers_come_in_order(host: str):
    images = [bytes([n % 256, 0x7E, 0x7D, n // 256, 0xFF]) for n in range(300)]
    with UdpBoard(INFO, network, host=host) as board, BoardLink(UdpLine(board.address)) as link:
        assert link.info() == INFO
        assert [answer.outputs for answer in link.infer_many(images)] == list(map(network, images))
        assert next(iter(link.infer_many(images))).outputs == network(images[0])  # and closed at once
        assert link.infer(images[7]).outputs == network(images[7])
        assert board.images() <= 300 + INFO.window + 1


def test_images_and_answers_go_in_several_datagrams():
    images = [bytes([n, 0x7E, 0x7D, n, 0xFF]) * 1000 for n in range(20)]
    with UdpBoard(LARGE, lambda image: image[-3000:]) as board, BoardLink(UdpLine(board.address)) as link:
        assert [answer.outputs for answer in link.infer_many(images)] == [image[-3000:] for image in images]


def test_a_name_is_an_address():
    with UdpBoard(INFO, network) as board:
        line = open_line(address=f"localhost:{board.address.rsplit(':')[1]}", built=LinkChoice(baud=3_000_000))
        with BoardLink(line) as link:
            assert link.infer(b"12345").outputs == network(b"12345")


def test_the_last_host_has_the_board():
    """The first one is told that it is silent, and gets it back when it asks again."""
    with (
        UdpBoard(INFO, network) as board,
        BoardLink(UdpLine(board.address), timeout_s=0.5, retries=0) as first,
        BoardLink(UdpLine(board.address), timeout_s=0.5, retries=0) as second,
    ):
        assert first.infer(b"first").outputs == network(b"first")
        assert second.infer(b"later").outputs == network(b"later")
        with pytest.raises(LinkError, match="lost image 0 1 times"):
            first.infer(b"first")
        assert first.infer(b"first").outputs == network(b"first")


def free_address() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind((HERE, 0))
        return f"{HERE}:{opened.getsockname()[1]}"


@pytest.mark.parametrize(
    "address",
    [
        *("", "board", ":7000", "board:", "board:0", "board:65536", "board:http", "::1:7000", "[::1]", "[]:7000"),
        *("board:7000:1", "[board:7000", "board:-1", "board:70000000000000000000"),
    ],
)
def test_names_what_is_no_address(address: str):
    with pytest.raises(LinkError, match=r"^address '.*' must be HOST:PORT, a port from 1 to 65535, and an IPv6 addres"):
        UdpLine(address)


@pytest.mark.parametrize("host", ["a" * 300, "a..b", "board"])
def test_names_an_unknown_host(host: str, monkeypatch: pytest.MonkeyPatch):
    def ask(name: str, *rest: Any, **options: Any) -> Any:
        name.encode("idna")
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", ask)
    with pytest.raises(LinkError, match=f"^host '{host}' is unknown: .*; name the board's address$"):
        UdpLine(f"{host}:7000")


def test_names_an_address_where_nothing_is():
    address = free_address()
    with (
        BoardLink(UdpLine(address)) as link,
        pytest.raises(LinkError, match=f"^nothing answers at {address}; is the board on, and is this its address"),
    ):
        link.info()


def test_names_a_silent_board():
    with (
        UdpBoard(INFO, network, mute=True) as board,
        BoardLink(UdpLine(board.address), timeout_s=0.05, retries=1) as link,
        pytest.raises(LinkError, match=f"^the board at {board.address} does not answer; is it flashed with this "),
    ):
        link.info()


def test_names_a_board_of_another_build():
    with (
        UdpBoard(INFO, network) as board,
        BoardLink(UdpLine(board.address), network_id=b"net-0002") as link,
        pytest.raises(LinkError, match=f"^the board at {board.address} holds the network {b'net-0001'.hex()}, not "),
    ):
        link.info()


def test_names_a_board_that_goes_away():
    with (
        UdpBoard(INFO, network, dies_after=5) as board,
        BoardLink(UdpLine(board.address), timeout_s=0.5) as link,
        pytest.raises(LinkError, match=f"^nothing answers at {board.address}"),
    ):
        list(link.infer_many([bytes(5)] * 300))


def test_names_a_way_with_too_small_packets(monkeypatch: pytest.MonkeyPatch):
    """As that of this computer to itself is for more than 65,535 bytes."""
    monkeypatch.setattr("bnnhw.boards.host.udp_line._PACKET", 80_000)
    info = replace(INFO, window=255, input_chunk=4096, input_bytes=4096)
    with (
        UdpBoard(info, network) as board,
        BoardLink(UdpLine(board.address)) as link,
        pytest.raises(LinkError, match=f"^a datagram of 79972 bytes is too long for the way to {board.address}; each "),
    ):
        list(link.infer_many([bytes(4096)] * 300))


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            OSError(errno.ENETUNREACH, "Network is unreachable"),
            "no way leads to .*: Network is unreachable; is its ",
        ),
        (OSError(errno.EIO, "Input/output error"), "the board at .* went away: .*Input/output error"),
        (TimeoutError(), "the board at .* takes no bytes"),
    ],
)
def test_names_what_the_system_says(error: OSError, message: str, monkeypatch: pytest.MonkeyPatch):
    class Broken:
        def settimeout(self, seconds: float) -> None:
            pass

        def send(self, data: bytes) -> None:
            raise error

        def close(self) -> None:
            pass

    def connect(address: str) -> tuple[Any, int]:
        return Broken(), 1472

    monkeypatch.setattr("bnnhw.boards.host.udp_line.connect", connect)
    with BoardLink(UdpLine("board:7000")) as link, pytest.raises(LinkError, match=f"^{message}"):
        link.info()


def test_a_port_and_an_address_exclude_each_other():
    with pytest.raises(ValueError, match="port and address exclude each other"):
        open_line(port="/dev/ttyUSB0", address="board:7000", built=LinkChoice(baud=3_000_000))
