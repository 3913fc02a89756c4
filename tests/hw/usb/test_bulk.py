"""Bulk transfers at the lines: every byte once and in order, stalls, faults of the cable, other devices, the rate."""

import random

import pytest

from .coding import Pid, data_packet, handshake, token
from .damage import bad_cable
from .host import connected, drain
from .wire import Wire, sent

PACKETS_A_FRAME = 19
"""Of 64 bytes, that a host can send in bulk in a millisecond (USB 2.0, table 5-9)."""


@pytest.mark.parametrize(
    ("seed", "chance", "ready", "offer", "drift"),
    [
        (1, 0.0, 1.0, 1.0, 0.0),
        (2, 0.0, 0.01, 0.01, 0.0025),
        (3, 0.05, 0.5, 0.02, -0.0025),
        (4, 0.2, 0.02, 0.3, 0.001),
        (5, 0.5, 0.9, 0.9, 0.0),
    ],
)
def test_bytes_both_ways(seed: int, chance: float, ready: float, offer: float, drift: float):
    """Whatever gets lost or damaged, each byte comes once, in order; full-speed hosts are within 0.25 % of 12 MHz."""
    rng = random.Random(seed)
    wire = Wire(seed=seed, ready=ready, offer=offer, drift=drift)
    host = connected(wire)
    host.damage = bad_cable(rng, chance=chance)
    written, read = b"", b""
    for _ in range(150):
        if rng.random() < 0.5:
            packet = rng.randbytes(rng.choice([0, 1, 63, 64, rng.randint(0, 64)]))
            packet = bytes(len(packet)) if rng.random() < 0.1 else packet.replace(b"\x00", b"\xff")
            host.write(1, packet)
            written += packet
        else:
            read += host.read(1, tries=1) or b""
    host.damage = list
    read += drain(host)
    wire.ready = 1
    wire.rest(100)
    assert wire.received == written, f"seed={seed}"
    assert read == sent(wire.taken), f"seed={seed}"
    assert len(written) > 500
    assert len(read) > 500
    assert (host.faults > 5) == (chance > 0)


def test_a_host_that_reads_nothing_stalls_the_device_and_loses_nothing():
    wire = Wire(offer=1)
    host = connected(wire)
    wire.rest(5000)
    taken = wire.taken
    assert 128 <= taken <= 140
    wire.rest(5000)
    assert wire.taken == taken
    assert drain(host) == sent(wire.taken)


def test_a_stalled_device_refuses_packets():
    wire = Wire(ready=0)
    host = connected(wire)
    taken = 0
    while host.out(Pid.OUT, 1, taken & 1, bytes([taken]) * 64) == Pid.ACK:
        taken += 1
    assert taken >= 3
    assert host.out(Pid.OUT, 1, taken & 1, bytes([taken]) * 64) == Pid.NAK
    wire.ready = 1
    wire.rest(500)
    assert host.out(Pid.OUT, 1, taken & 1, bytes([taken]) * 64) == Pid.ACK
    wire.rest(500)
    assert wire.received == b"".join(bytes([number]) * 64 for number in range(taken + 1))


def test_short_packets_go_after_a_pause_and_empty_ones_behind_full_ones():
    wire = Wire(offer=0.05)
    host = connected(wire)
    lengths = []
    for count in (64, 100, 128, 0):
        wire.offer, wanted = 0.05, wire.taken + count
        while wire.taken < wanted:
            wire.rest(1)
        wire.offer = 0
        wire.rest(100)
        lengths.append([len(packet) for _ in range(4) if (packet := host.read(1, tries=1)) is not None])
    assert lengths == [[64, 0], [64, 36], [64, 64, 0], []]


def test_data_behind_a_damaged_token_are_nobodys():
    """Those of a request would else be bytes for the endpoint that was written to before."""
    wire = Wire()
    host = connected(wire)
    host.write(1, b"abc")
    damaged = token(Pid.SETUP, host.address, 0)
    damaged[20] ^= 3
    wire.say([1, 1, 1, *damaged])
    wire.say([1, 1, 1, *data_packet(Pid.DATA1, bytes(8))])
    assert wire.hear() == []
    wire.rest(100)
    assert wire.received == b"abc"


def test_data_for_another_device_are_none():
    """Those behind the token for this one got lost."""
    wire = Wire()
    host = connected(wire)
    wire.say(token(Pid.OUT, host.address, 1))
    wire.rest(100)
    wire.say(token(Pid.OUT, host.address + 1, 1))
    wire.say([1, 1, 1, *data_packet(Pid.DATA0, b"other")])
    assert wire.hear() == []
    host.write(1, b"abc")
    wire.rest(100)
    assert wire.received == b"abc"


def test_an_ack_for_another_device_is_none():
    """A host that has not got a packet goes on with another device, whose packet it acknowledges."""
    wire = Wire(offer=0.5)
    host = connected(wire)
    wire.say(token(Pid.IN, host.address, 1))
    lost = wire.hear()
    wire.rest(20)
    wire.say(token(Pid.IN, host.address + 1, 1))
    wire.rest(100)
    wire.say(handshake(Pid.ACK))
    wire.rest(10)
    wire.say(token(Pid.IN, host.address, 1))
    assert wire.hear() == lost


@pytest.mark.parametrize("way", ["out", "in"])
def test_rate(way: str):
    """Nearly all that bulk transfers can be."""
    wire = Wire(offer=way == "in")
    host = connected(wire)
    data = random.Random(1).randbytes(64)
    frames, moved = 3, 0
    began = wire.cycle
    while wire.cycle < began + frames * 48_000:
        if way == "out":
            host.write(1, data)
            moved += len(data)
        else:
            moved += len(host.read(1) or b"")
    limit = PACKETS_A_FRAME * 64 * (wire.cycle - began) / 48_000
    print(f"{way}: {moved / limit:.1%} of {PACKETS_A_FRAME * 64 / 1000:.3f} MB/s")
    assert moved >= 0.97 * limit
