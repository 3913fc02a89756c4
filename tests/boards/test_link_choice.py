"""What a link may go over, and what it says of itself."""

import re

import pytest

from bnnhw.boards.board import get_board
from bnnhw.boards.link_choice import LinkChoice
from bnnhw.hw.ethernet.port import EthernetPort
from bnnhw.hw.link.phy.uart_port import UartPort
from bnnhw.hw.usb.bulk_port import BulkPort
from bnnhw.hw.usb.device import UsbDevice
from bnnhw.hw.usb.high_speed_device import UsbHighSpeedDevice


def test_a_uart():
    link = LinkChoice(baud=3_000_000)
    port = link.port(get_board("ulx3s-12f"), clock_hz=50_000_000)
    assert isinstance(port, UartPort)
    assert (link.name, link.bytes_per_second) == ("UART, 3 Mbaud", 300_000)
    assert (port.byte_cycles, port.queue_bytes) == (pytest.approx(500 / 3, rel=1e-3), 0)


@pytest.mark.parametrize(("board", "queue"), [("ecpix5-85f", 32768), ("ecpix5-45f", 32768)])
def test_udp(board: str, queue: int):
    """95 % of a gigabit."""
    link = LinkChoice(address="192.0.2.7:4096")
    link.check(get_board(board))
    port = link.port(get_board(board), clock_hz=50_000_000)
    assert isinstance(port, EthernetPort)
    assert (link.name, link.bytes_per_second) == ("UDP, gigabit Ethernet", pytest.approx(118e6, rel=0.01))
    assert (port.byte_cycles, port.queue_bytes) == (1, queue)


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("192.0.2.7", "must be IP:PORT"),
        ("192.0.2.7:0", "must be IP:PORT"),
        ("192.0.2.7:65536", "must be IP:PORT"),
        ("192.0.2.700:1", "must be IP:PORT"),
        ("board:4096", "must be IP:PORT"),
        ("[::1]:4096", "must be IP:PORT"),
        ("224.0.0.1:4096", "must be one that a board can have"),
        ("0.0.0.0:4096", "must be one that a board can have"),
        ("127.0.0.1:4096", "must be one that a board can have"),
        ("255.255.255.255:4096", "must be one that a board can have"),
    ],
)
def test_addresses_are_checked(address: str, reason: str):
    message = f"address={address!r} {reason}, such as 192.168.1.50:4096"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        LinkChoice(address=address)


@pytest.mark.parametrize("both", [{}, {"baud": 1, "address": "192.0.2.7:1"}])
def test_a_link_is_one_of_both(both: dict):
    with pytest.raises(ValueError, match=r"^a link has a baud rate or an address, not baud="):
        LinkChoice(**both)


@pytest.mark.parametrize(("address", "serial"), [("usb", "bnnhw"), ("usb:7", "7")])
@pytest.mark.parametrize(
    ("name", "kind", "speed", "rate"),
    [("ulx3s-85f", UsbDevice, "full", 1_216_000), ("ecpix5-85f", UsbHighSpeedDevice, "high", 53_248_000)],
)
def test_usb(name: str, kind: type, speed: str, rate: float, address: str, serial: str):
    """Both ways share it."""
    board = get_board(name)
    link = LinkChoice(address=address).on(board)
    link.check(board)
    port = link.port(board, clock_hz=50_000_000)
    assert isinstance(port, BulkPort)
    assert type(port) is kind
    assert (link.medium, link.name, link.bytes_per_second) == ("usb", f"USB, {speed} speed", rate)
    assert port.serial == serial


def test_a_uart_has_no_other_speed_anywhere():
    link = LinkChoice(baud=3_000_000)
    assert link.on(get_board("ecpix5-85f")) == link


@pytest.mark.parametrize(
    ("link", "board", "needed", "others"),
    [
        ({"address": "usb"}, "versa-ecp5", "link=usb needs USB of its own", "link=uart or link=udp"),
        ({"address": "192.0.2.7:4096"}, "ulx3s-85f", "link=udp needs gigabit Ethernet", "link=uart or link=usb"),
        ({"address": "192.0.2.7:4096"}, "orangecrab-85f", "link=udp needs gigabit Ethernet", "link=usb or link=uart"),
        ({"baud": 115_200}, "butterstick", "link=uart needs a UART", "link=udp"),
    ],
)
def test_a_board_that_lacks_it_is_named(link: dict, board: str, needed: str, others: str):
    with pytest.raises(ValueError, match=f"^{needed}, which bnnhw does not know {board} to have; take {others}$"):
        LinkChoice(**link).check(get_board(board))
