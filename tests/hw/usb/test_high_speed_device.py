"""The device behind a PHY, against a host of our own: chirps, requests, both speeds, resets, sleep."""

import random

import pytest

from .coding import SE0, J, K, Pid
from .damage import bad_bytes
from .high_speed_host import MICROFRAME, HighSpeedHost, attached, high_speed_connected
from .host import SilentError, StalledError, drain
from .ulpi_wire import MICROSECOND, UlpiWire
from .wire import SERIAL, sent

DEVICE, CONFIGURATION, TEXT, QUALIFIER, OTHER = 1, 2, 3, 6, 7
BOTH = pytest.mark.parametrize("high", [True, False], ids=["high", "full"])


def configuration(kind: int, packet_bytes: int) -> bytes:
    size = packet_bytes.to_bytes(2, "little").hex()
    return bytes.fromhex(f"09{kind:02x}200001010080fa 0904000002ffffff00 07050102{size}00 07058102{size}00")


@BOTH
def test_enumeration(high: bool):
    wire = UlpiWire()
    host = HighSpeedHost(wire, high=high)
    attached(wire)
    host.reset()
    first = host.descriptor(DEVICE, length=64)
    assert first == bytes.fromhex("12010002000000400912 0100 0000 010203 01")
    host.configure()
    here, there = (512, 64) if high else (64, 512)
    assert host.descriptor(CONFIGURATION, length=9) == configuration(CONFIGURATION, here)[:9]
    assert host.descriptor(CONFIGURATION) == configuration(CONFIGURATION, here)
    assert host.descriptor(OTHER) == configuration(OTHER, there)
    assert host.descriptor(QUALIFIER) == bytes.fromhex("0a060002000000400100")
    assert host.descriptor(TEXT) == bytes([4, 3, 0x09, 0x04])
    assert [host.text(index) for index in (1, 2, 3)] == ["bnnhw", "accelerator", SERIAL]
    assert host.request(0x80, 8, length=1) == b"\x01"  # its configuration
    for kind, index in ((CONFIGURATION, 1), (CONFIGURATION, 0x80), (OTHER, 1), (TEXT, 9)):
        with pytest.raises(StalledError):
            host.descriptor(kind, index)


@BOTH
def test_answers_come_in_time(high: bool):
    """ULPI 1.1, 3.8.2.6.3: the link has 1 to 14 cycles at high speed, 7 to 18 at full speed."""
    wire = UlpiWire(offer=0.5)
    host = high_speed_connected(wire, high=high)
    host.write(1, bytes(64))
    assert host.read(1)
    assert min(wire.turnarounds) >= (1 if high else 7)
    assert max(wire.turnarounds) <= (14 if high else 18)


def test_nothing_is_said_to_a_phy_that_sleeps():
    wire = UlpiWire()
    wire.awake = 0
    wire.rest(1000)
    assert wire.function == 0x41
    wire.awake = 1
    attached(wire)


@pytest.mark.parametrize("seed", range(3))
def test_enumeration_on_a_bad_cable(seed: int):
    """See the device of full speed: where luna takes a request for done, the host begins anew."""
    wire = UlpiWire(seed=seed)
    host = HighSpeedHost(wire, damage=bad_bytes(random.Random(seed), chance=0.2))
    attached(wire)
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
    wire.rest(200)
    assert wire.received == b"abc"


def test_another_address_is_not_the_device():
    host = high_speed_connected(UlpiWire(offer=0.5))
    host.address = 9
    assert host.out(Pid.OUT, 1, 0, b"abc") is None
    assert host.into(1) is None
    assert host.ping(1) is None
    assert host.wire.received == b""


@pytest.mark.parametrize("again", ["reset", "configuration", "halt out", "halt in"])
def test_packets_are_counted_anew(again: str):
    wire = UlpiWire(offer=0.2)
    host = high_speed_connected(wire)
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
    wire.rest(4000)
    expected = host.toggles.get((Pid.IN, 1), 0)
    answer = host.into(1)
    assert answer is not None
    assert answer.pid == (Pid.DATA1 if expected else Pid.DATA0)
    wire.rest(200)
    assert wire.received == b"beforebehind"


@pytest.mark.parametrize(("seed", "high"), [(0, True), (1, True), (2, False), (3, False)])
def test_reset_in_the_middle(seed: int, high: bool):
    """What was under way is cut off, and from then on nothing is lost, doubled or made of old bytes; the next host may
    have another speed."""
    rng = random.Random(seed)
    wire = UlpiWire(seed=seed, ready=0.05, offer=0.1)
    host = high_speed_connected(wire, high=seed % 2 == 0)
    before = rng.randbytes(2000)
    for at in range(0, 2000, 50):
        host.write(1, before[at : at + 50])
        host.read(1, tries=1)
    packet = host.coding.data_packet(Pid.DATA0, bytes(64))
    wire.say(host.coding.token(Pid.OUT, host.address, 1))
    wire.say(packet[: rng.randrange(2, len(packet))])
    wire.offer = 0
    host.high = high
    host.reset()
    host.configure()
    assert drain(host) == b""
    wire.ready = 1
    wire.rest(3000)
    here = bytes(wire.received)
    assert before.startswith(here)
    behind, first = rng.randbytes(300), wire.taken
    for at in range(0, 300, 60):
        host.write(1, behind[at : at + 60])
    wire.rest(1000)
    assert wire.received == here + behind
    wire.offer = 0.5
    wire.rest(3000)
    assert drain(host) == sent(wire.taken - first, first=first)


def test_no_packet_of_high_speed_is_left_for_full_speed():
    """What a device has taken before it knows the speed, even for a host that does not configure it."""
    wire = UlpiWire(offer=1)
    host = high_speed_connected(wire)
    wire.rest(2000)
    host.high = False
    host.reset()
    wire.rest(2000)
    answer = host.into(1)
    assert answer is not None
    assert len(answer.data) == 64


def test_a_bus_that_is_only_asked_stays_fast():
    """A device of high speed sleeps where the lines are silent for 3 ms; SOFs come each microframe."""
    wire = UlpiWire()
    host = high_speed_connected(wire)
    for frame in range(8 * 8):
        wire.rest(MICROFRAME - 100)
        wire.say(host.coding.token(Pid.SOF, frame >> 3, 0))
    assert wire.fast
    host.write(1, b"abc")
    wire.rest(200)
    assert wire.received == b"abc"


def test_a_bus_that_slept():
    """After 3 ms of silence a device has the terminations of full speed, sees J and sleeps, until the host's K."""
    wire = UlpiWire(offer=0.5)
    host = high_speed_connected(wire)
    host.write(1, b"before")
    wire.rest(3100 * MICROSECOND)
    assert wire.function == 0x45
    wire.report(J)
    wire.rest(1000 * MICROSECOND)
    wire.report(K)
    wire.rest(1000 * MICROSECOND)
    assert wire.fast
    wire.report(SE0)
    host.frame_began = wire.cycle
    host.write(1, b" behind")
    wire.rest(200)
    assert wire.received == b"before behind"
    assert host.read(1)
