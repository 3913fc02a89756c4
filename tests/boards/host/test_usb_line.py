"""A board behind USB: pyusb on simulated hardware, and one clear line for each way in which there is no board."""

import errno
import random
import sys
from collections.abc import Callable
from typing import Any

import pytest
import usb.backend.libusb1
import usb.core
import usb.util

from bnnhw.boards.host.errors import LinkError
from bnnhw.boards.host.link import BoardLink
from bnnhw.boards.host.open_line import open_line
from bnnhw.boards.host.usb_line import UsbLine
from bnnhw.boards.link_choice import LinkChoice
from bnnhw.hw.protocol import Decoder, Frame, Info, Kind, encode
from tests.hw.usb.damage import bad_bytes, bad_cable
from tests.hw.usb.high_speed_host import high_speed_connected
from tests.hw.usb.host import Host
from tests.hw.usb.ulpi_wire import UlpiWire
from tests.hw.usb.wire import Wire, sent_byte

from .usb_bus import Bus, Hardware, Pretender

INFO = Info(
    window=4, input_chunk=5, output_chunk=2, input_bytes=5, output_bytes=2, clock_hz=100_000_000, network_id=b"net-0001"
)


def board() -> Pretender:
    """Answers as a board does."""
    decoder = Decoder()

    def answer(data: bytes) -> bytes:
        found = b""
        for frame in decoder.feed(data):
            assert isinstance(frame, Frame)
            if frame.kind == Kind.INFO:
                found += encode(Frame(Kind.INFO_ANSWER, frame.sequence, INFO.to_bytes()))
            else:
                outputs = sum(frame.payload).to_bytes(2, "little")
                found += encode(Frame(Kind.INFER_ANSWER, frame.sequence, outputs + bytes([40, 0, 0, 0])))
        return found

    return Pretender("7", answer)


def on(monkeypatch: pytest.MonkeyPatch, *sockets: Any) -> None:
    """This computer's bus has these sockets."""
    monkeypatch.setattr(usb.backend.libusb1, "get_backend", lambda: Bus(*sockets))


def full_speed() -> Hardware:
    host = Host(Wire(seed=1, ready=0.1))
    host.reset()
    host.configure()
    return Hardware(host)


def high_speed() -> Hardware:
    host = high_speed_connected(UlpiWire(seed=1, ready=0.1))
    return Hardware(host, packet_bytes=512, speed=usb.util.SPEED_HIGH)


@pytest.mark.parametrize(
    ("connect", "bad", "rate", "offer"),
    [(full_speed, bad_cable, 1_216_000, 0.02), (high_speed, bad_bytes, 53_248_000, 0.3)],
)
def test_bytes_both_ways_on_the_hardware(connect: Callable[[], Hardware], bad: Any, rate: float, offer: float):
    """pyusb's own calls reach the RTL: descriptors, the configuration, packets on a bad cable."""
    hardware = connect()
    host, wire = hardware.host, hardware.host.wire
    line = UsbLine(backend=Bus(hardware))
    assert line.name == "usb:1-2.0"
    assert line.bytes_per_second == rate
    assert line.receive() == b""
    host.damage = bad(random.Random(1), chance=0.1)
    sent = random.Random(2).randbytes(1000)
    line.send(sent[:10])
    line.send(sent[10:])
    line.flush()
    wire.offer = offer
    received = b"".join(line.receive() for _ in range(3))
    wire.offer = 0
    wire.rest(500)
    while chunk := line.receive():
        received += chunk
    assert received == bytes(map(sent_byte, range(wire.taken)))
    assert len(received) > 500
    assert wire.received == sent
    line.close()


def test_answers_come_in_order(monkeypatch: pytest.MonkeyPatch):
    images = [bytes([n % 256, 0x7E, 0x7D, n // 256, 0xFF]) for n in range(300)]
    made = board()
    made.waiting += b"left by the host before"
    on(monkeypatch, made)
    with BoardLink(open_line(address="usb:7", built=LinkChoice(baud=3_000_000))) as link:
        assert made.waiting == b""
        assert [answer.outputs for answer in link.infer_many(images)] == [
            sum(image).to_bytes(2, "little") for image in images
        ]
        assert link.port == "usb:1-2.0"
    assert made.open_handles == 0


@pytest.mark.parametrize(
    ("sockets", "serial", "message"),
    [
        ([], "", r"^no board on USB; is the board's own socket connected, .* flashed with a build for USB\?$"),
        ([Pretender("1", product="a lamp")], "", r"^no board on USB; is"),
        ([Pretender("1"), Pretender("2")], "", r"^more than one board on USB: 1 at 1-2.0, 2 at 1-2.1; name one, usb:S"),
        (
            [Pretender("1"), Pretender("1"), Pretender("2")],
            "1",
            r"^more than one board on USB: 1 at 1-2.0, 1 at 1-2.1;",
        ),
        ([Pretender("1"), Pretender("2")], "3", r"^no board on USB is called '3'; there are 1 at 1-2.0, 2 at 1-2.1$"),
        ([Pretender("1", opens=errno.EACCES)], "", r"^a board on USB is forbidden to this user; on Linux `bnnhw fla"),
        ([Pretender("1", opens=errno.EIO)], "", r"^a board on USB does not answer: \[Errno 5\] EIO$"),
        (
            [Pretender("1", configures=errno.EBUSY)],
            "1",
            r"^the board at usb:1-2.0 is in use by another program; end it f",
        ),
        (
            [Pretender("1", configures=errno.EACCES)],
            "1",
            r"^the board at usb:1-2.0 is forbidden to this user; on Linux `b",
        ),
        ([Pretender("1", configures=errno.ENODEV)], "1", r"^the board at usb:1-2.0 went away: \[Errno 19\] ENODEV$"),
    ],
)
def test_says_why_there_is_no_board(sockets: list[Pretender], serial: str, message: str):
    with pytest.raises(LinkError, match=message) as refused:  # and with it all that could be closed only later
        UsbLine(serial, backend=Bus(*sockets))
    assert [socket.open_handles for socket in sockets] == [0] * len(sockets), refused


@pytest.mark.parametrize("name", ["3", "1-2.2"])
def test_one_of_several_is_taken(name: str):
    made = [Pretender("1", opens=errno.EACCES), Pretender("2"), Pretender("3"), Pretender("3", product="a lamp")]
    line = UsbLine(name, backend=Bus(*made))
    assert [each.open_handles for each in made] == [0, 0, 1, 0]
    line.close()


@pytest.mark.parametrize(
    ("fault", "number", "message"),
    [
        ("writes", errno.ETIMEDOUT, r"^the board at usb:1-2.0 takes no bytes$"),
        ("writes", errno.ENODEV, r"^the board at usb:1-2.0 went away: \[Errno 19\] ENODEV$"),
        ("reads", errno.EIO, r"^the board at usb:1-2.0 went away: \[Errno 5\] EIO$"),
    ],
)
def test_says_why_the_line_ended(fault: str, number: int, message: str):
    made = Pretender("1")
    line = UsbLine(backend=Bus(made))
    setattr(made, fault, number)
    line.send(b"abc")
    with pytest.raises(LinkError, match=message):
        line.flush() if fault == "writes" else line.receive()
    line.close()


def test_a_board_that_takes_a_part():
    made = Pretender("1")
    line = UsbLine(backend=Bus(made))
    made.out = lambda data: len(data) - 1
    line.send(b"abc")
    with pytest.raises(LinkError, match=r"^the board at usb:1-2.0 takes no bytes$"):
        line.flush()
    line.close()


def test_without_pyusb_or_libusb(monkeypatch: pytest.MonkeyPatch):
    for name in ("libusb1", "libusb0", "openusb"):
        monkeypatch.setattr(f"usb.backend.{name}.get_backend", lambda: None)
    with pytest.raises(LinkError, match=r"^pyusb finds no libusb; install it: `sudo apt install libusb-1.0-0`, `b"):
        UsbLine()
    monkeypatch.setitem(sys.modules, "usb.core", None)
    with pytest.raises(LinkError, match=r"^a board on USB needs the package pyusb; pip install 'bnnhw\[usb\]'$"):
        UsbLine()
