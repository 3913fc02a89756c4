"""The device at its lines, against a host of our own: requests, addresses, resets, sleep."""

import hashlib
import random
import subprocess
import sys

import pytest

from bnnhw.hw.targets import PORTABLE
from bnnhw.hw.usb.device import UsbDevice

from .coding import Pid, data_packet, token
from .damage import bad_cable
from .host import Host, SilentError, StalledError, connected, drain
from .wire import SERIAL, Wire, sent

DEVICE, CONFIGURATION, TEXT, QUALIFIER = 1, 2, 3, 6


def test_enumeration():
    wire = Wire()
    host = Host(wire)
    host.reset()
    first = host.descriptor(DEVICE, length=64)
    assert first == bytes.fromhex("12010002000000400912 0100 0000 010203 01")
    host.configure()
    assert host.descriptor(DEVICE, length=18) == first
    whole = bytes.fromhex("0902200001010080fa 0904000002ffffff00 07050102400000 07058102400000")
    assert host.descriptor(CONFIGURATION, length=9) == whole[:9]
    assert host.descriptor(CONFIGURATION) == whole
    assert host.descriptor(TEXT) == bytes([4, 3, 0x09, 0x04])
    assert [host.text(index) for index in (1, 2, 3)] == ["bnnhw", "accelerator", SERIAL]
    assert host.request(0x80, 8, length=1) == b"\x01"  # its configuration
    assert host.request(0x80, 0, length=2) == bytes(2)  # its status
    with pytest.raises(StalledError):
        host.descriptor(QUALIFIER)  # it has no high speed
    with pytest.raises(StalledError):
        host.text(9)


@pytest.mark.parametrize("seed", range(3))
def test_enumeration_on_a_bad_cable(seed: int):
    """Where a handshake that ends a request is lost, luna takes the request for done and stays silent: the host begins
    anew, as systems do, and nothing that went wrong before is in its way."""
    host = Host(Wire(seed=seed), damage=bad_cable(random.Random(seed), chance=0.2))
    for _ in range(20):
        try:
            host.reset()
            host.configure()
            texts = [host.text(index) for index in (1, 2, 3)]
            break
        except (SilentError, StalledError):
            continue
    else:
        pytest.fail("20 tries")
    assert texts == ["bnnhw", "accelerator", SERIAL]
    assert host.faults
    host.write(1, b"abc")
    host.wire.rest(100)
    assert host.wire.received == b"abc"


def test_answers_come_in_time():
    """USB 2.0, 7.1.18.1: between 2 and 6.5 bits after the packet before."""
    wire = Wire(offer=0.5)
    host = connected(wire)
    host.write(1, bytes(64))
    assert host.read(1)
    assert min(wire.turnarounds) >= 2
    assert max(wire.turnarounds) <= 6.5


def test_another_address_is_not_the_device():
    host = connected(Wire(offer=0.5))
    host.address = 9
    assert host.out(Pid.OUT, 1, 0, b"abc") is None
    assert host.into(1) is None
    assert host.wire.received == b""


@pytest.mark.parametrize("again", ["reset", "configuration", "halt out", "halt in"])
def test_packets_are_counted_anew(again: str):
    """Behind a reset or a request for a configuration both endpoints begin with DATA0, and behind one that clears a
    halt one does."""
    wire = Wire(offer=0.2)
    host = connected(wire)
    host.write(1, b"before")
    assert host.read(1)
    if again == "reset":
        host.reset()
    elif again == "configuration":
        host.request(0x00, 9, 1)
        host.toggles.clear()
    else:
        kind, address = (Pid.IN, 0x81) if again == "halt in" else (Pid.OUT, 0x01)
        host.request(0x02, 1, 0, address)
        host.toggles[kind, 1] = 0
    host.write(1, b"behind")
    expected = host.toggles.get((Pid.IN, 1), 0)
    answer = host.into(1)
    assert answer is not None
    assert answer.pid == (Pid.DATA1 if expected else Pid.DATA0)
    wire.rest(100)
    assert wire.received == b"beforebehind"


def test_a_configuration_whose_last_ack_is_lost_counts():
    wire = Wire(offer=0.2)
    host = connected(wire)
    host.write(1, b"before")
    host.write(0, bytes([0x00, 9, 1, 0, 0, 0, 0, 0]), pid=Pid.SETUP)
    wire.say(token(Pid.IN, host.address, 0))
    assert wire.hear()
    host.toggles.clear()
    host.write(1, b"behind")
    assert host.read(1)
    host.write(1, b" it all")
    wire.rest(100)
    assert wire.received == b"beforebehind it all"


@pytest.mark.parametrize("seed", range(4))
def test_reset_in_the_middle(seed: int):
    """What was under way is cut off, and from then on nothing is lost, doubled or made of old bytes."""
    rng = random.Random(seed)
    wire = Wire(seed=seed, ready=0.02, offer=0.02)
    host = connected(wire)
    before = rng.randbytes(400)
    for at in range(0, 400, 50):
        host.write(1, before[at : at + 50])
        host.read(1, tries=1)
    packet = data_packet(Pid.DATA0, bytes(64))
    wire.say(token(Pid.OUT, host.address, 1))
    wire.say([1, 1, 1, *packet[: rng.randrange(len(packet))]])
    wire.offer = 0
    host.reset()
    host.configure()
    assert drain(host) == b""
    wire.ready = 1
    wire.rest(700)
    here = bytes(wire.received)
    assert before.startswith(here)
    behind, first = rng.randbytes(300), wire.taken
    for at in range(0, 300, 60):
        host.write(1, behind[at : at + 60])
    wire.rest(500)
    assert wire.received == here + behind
    wire.offer = 0.5
    wire.rest(2000)
    assert drain(host) == sent(wire.taken - first, first=first)


def test_a_bus_that_slept():
    """After 3 ms without an SOF a device may sleep; what comes then wakes it."""
    wire = Wire(offer=0.5)
    host = connected(wire)
    host.write(1, b"before")
    wire.rest(60_000)
    host.write(1, b"behind")
    wire.say([2] * 240 + [1] * 20)  # a host wakes devices by a K, at least 20 ms long
    host.write(1, b" it all")
    wire.rest(100)
    assert wire.received == b"beforebehind it all"
    assert host.read(1) == sent(64)


@pytest.mark.parametrize("bench", ["wire.Bench", "ulpi_wire.PhyBench"])
def test_the_same_hardware_each_time(bench: str):
    program = (
        "from tests.hw.usb import ulpi_wire, wire; from bnnhw.hw.rtlil import convert_to_rtlil;"
        f"print(convert_to_rtlil({bench}()), end='')"
    )
    texts = [
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", program],
            env={"PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert hashlib.sha256(texts[0]).digest() == hashlib.sha256(texts[1]).digest()


@pytest.mark.parametrize("serial", ["", "a board", "0" * 65, "é"])
def test_what_is_no_serial_number(serial: str):
    with pytest.raises(ValueError, match=r"^serial='.*' must be 1 to 64 letters, digits or signs of ASCII, without b"):
        UsbDevice(serial=serial, target=PORTABLE)


def test_without_luna(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "luna.gateware.usb.usb2.device", None)
    with pytest.raises(ValueError, match=r"^USB needs the package luna-usb, .*; pip install 'bnnhw\[usb\]'$"):
        UsbDevice(serial="1", target=PORTABLE)
