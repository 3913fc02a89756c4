"""Bulk transfers at high speed: every byte once and in order, stalls, PING and NYET, faults of the cable, the rate."""

import random

import pytest

from .coding import Pid
from .damage import bad_bytes
from .high_speed_host import MICROFRAME, high_speed_connected
from .host import drain
from .ulpi_wire import UlpiWire
from .wire import sent

PACKETS_A_MICROFRAME = 13
"""Of 512 bytes, that a host can send in bulk in 125 us (USB 2.0, table 5-10)."""


@pytest.mark.parametrize(
    ("seed", "chance", "ready", "offer", "high"),
    [
        (1, 0.0, 1.0, 1.0, True),
        (2, 0.0, 0.05, 0.05, True),
        (3, 0.05, 0.5, 0.1, True),
        (4, 0.2, 0.1, 0.3, True),
        (5, 0.5, 0.9, 0.9, True),
        (6, 0.0, 0.9, 0.9, False),
        (7, 0.5, 0.9, 0.9, False),
    ],
)
def test_bytes_both_ways(seed: int, chance: float, ready: float, offer: float, high: bool):
    """Whatever gets lost or damaged, each byte comes once, in order."""
    rng = random.Random(seed)
    wire = UlpiWire(seed=seed, ready=ready, offer=offer)
    host = high_speed_connected(wire, high=high)
    host.damage = bad_bytes(rng, chance=chance)
    written, read = b"", b""
    longest = 512 if high else 64
    for _ in range(100 if high else 300):
        if rng.random() < 0.5:
            packet = rng.randbytes(rng.choice([0, 1, longest - 1, longest, rng.randint(0, longest)]))
            host.write(1, packet, tries=2000)
            written += packet
        else:
            read += host.read(1, tries=1) or b""
    host.damage = list
    read += drain(host)
    wire.ready = 1
    wire.rest(3000)
    assert wire.received == written, f"seed={seed}"
    assert read == sent(wire.taken), f"seed={seed}"
    assert len(written) > 500
    assert len(read) > 500
    assert (host.faults > 5) == (chance > 0)


def test_a_host_that_reads_nothing_stalls_the_device_and_loses_nothing():
    wire = UlpiWire(offer=1)
    host = high_speed_connected(wire)
    wire.rest(5000)
    taken = wire.taken
    assert 1024 <= taken <= 1044
    wire.rest(5000)
    assert wire.taken == taken
    assert drain(host) == sent(wire.taken)


def test_a_stalled_device_says_so_before_a_packet_is_lost():
    """NYET with the last packet that finds room, NAK to PINGs, and to a packet that comes nevertheless."""
    wire = UlpiWire(ready=0)
    host = high_speed_connected(wire)
    packets = [bytes([number]) * 512 for number in range(9)]
    answers = [host.out(Pid.OUT, 1, number & 1, packets[number]) for number in range(4)]
    assert answers == [Pid.ACK, Pid.ACK, Pid.ACK, Pid.NYET]
    assert [host.ping(1), host.ping(1)] == [Pid.NAK, Pid.NAK]
    assert host.out(Pid.OUT, 1, 0, packets[4]) == Pid.NAK
    assert host.out(Pid.OUT, 1, 1, packets[3]) in (Pid.ACK, Pid.NYET)  # its handshake got lost
    assert host.request(0x80, 8, length=1) == b"\x01"  # with handshakes of its own
    wire.ready = 1
    wire.rest(2000)
    assert host.ping(1) == Pid.ACK
    assert host.out(Pid.OUT, 1, 0, packets[4]) == Pid.ACK
    wire.rest(1000)
    assert wire.received == b"".join(packets[:5])


def test_a_host_that_asks_wastes_no_packet():
    wire = UlpiWire(ready=0.3)
    host = high_speed_connected(wire)
    data = random.Random(1).randbytes(20_000)
    naks = 0
    for at in range(0, len(data), 512):
        pings = host.pings
        before = host.naks
        host.write(1, data[at : at + 512])
        naks += host.naks - before
        assert host.pings - pings >= host.naks - before, "a packet was refused"
    wire.rest(9000)
    assert wire.received == data
    assert naks > 10


def test_packets_of_full_speed_have_no_nyet():
    wire = UlpiWire(ready=0)
    host = high_speed_connected(wire, high=False)
    taken = 0
    while (answer := host.out(Pid.OUT, 1, taken & 1, bytes(64))) == Pid.ACK:
        taken += 1
    assert answer == Pid.NAK
    assert 1900 < taken * 64 < 2100


def test_short_packets_go_after_a_pause_and_empty_ones_behind_full_ones():
    wire = UlpiWire(offer=0.5)
    host = high_speed_connected(wire)
    lengths = []
    for count in (512, 700, 1024, 0):
        wire.offer, wanted = 0.5, wire.taken + count
        while wire.taken < wanted:
            wire.rest(1)
        wire.offer = 0
        while (packet := host.read(1, tries=8)) is not None:
            lengths.append(len(packet))
            wire.rest(600)
        assert lengths[-1] < 512
    assert sum(lengths) == wire.taken
    assert set(lengths) > {512, 0}


@pytest.mark.parametrize("way", ["out", "in", "both"])
def test_rate(way: str):
    """Most of what bulk transfers can be, with stuffed bits as random bytes have them."""
    wire = UlpiWire(offer=way != "out", stuffed=1 / 126)
    host = high_speed_connected(wire)
    data = random.Random(1).randbytes(512)
    frames, moved, turn = 6, 0, 0
    wire.rest(2000)
    began = host.frame_began = wire.cycle
    while wire.cycle < began + frames * MICROFRAME:
        turn += 1
        if way == "out" or (way == "both" and turn % 2):
            host.write(1, data)
            moved += len(data)
        else:
            moved += len(host.read(1) or b"")
    limit = PACKETS_A_MICROFRAME * 512 * (wire.cycle - began) / MICROFRAME
    print(f"{way}: {moved / limit:.1%} of {PACKETS_A_MICROFRAME * 512 * 8 / 1000:.3f} MB/s")
    assert moved >= 0.9 * limit
