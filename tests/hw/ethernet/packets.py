"""Packets by hand, as the RFCs draw them, and what a station is to do with any frame."""

import socket
import struct
from typing import NamedTuple

MAC, HOST_MAC, ALL = bytes.fromhex("02626e6e6877"), bytes.fromhex("025500000a01"), b"\xff" * 6
IP, HOST_IP = socket.inet_aton("192.0.2.7"), socket.inet_aton("192.0.2.200")
PORT, HOST_PORT = 0x6262, 50123
ARP, IPV4 = 0x0806, 0x0800
ICMP, UDP = 1, 17


def checksum(data: bytes) -> int:
    """RFC 1071: the complement of the sum of the 16-bit words in ones' complement."""
    words = struct.unpack(f">{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2))
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def ethernet(payload: bytes, *, kind: int, to: bytes = MAC, sender: bytes = HOST_MAC) -> bytes:
    return to + sender + struct.pack(">H", kind) + payload


def arp(operation: int, *, mac: bytes, ip: bytes, to_mac: bytes = bytes(6), to_ip: bytes) -> bytes:
    return struct.pack(">HHBBH", 1, IPV4, 6, 4, operation) + mac + ip + to_mac + to_ip


def ipv4(
    payload: bytes,
    *,
    protocol: int,
    sender: bytes = HOST_IP,
    to: bytes = IP,
    number: int = 0x1234,
    flags: int = 0x4000,
) -> bytes:
    fields = (0x45, 0, 20 + len(payload), number, flags, 64, protocol)
    before, behind = struct.pack(">BBHHHBB", *fields), sender + to
    return before + struct.pack(">H", checksum(before + b"\0\0" + behind)) + behind + payload


def icmp(kind: int, rest: bytes) -> bytes:
    """An ICMP message of 4 + len(rest) bytes."""
    return struct.pack(">BBH", kind, 0, checksum(bytes([kind, 0, 0, 0]) + rest)) + rest


def udp(payload: bytes, *, sender: int = HOST_PORT, to: int = PORT) -> bytes:
    return struct.pack(">HHHH", sender, to, 8 + len(payload), 0) + payload


def arp_request(*, to: bytes = IP) -> bytes:
    return ethernet(arp(1, mac=HOST_MAC, ip=HOST_IP, to_ip=to), kind=ARP, to=ALL)


def echo_request(rest: bytes) -> bytes:
    return ethernet(ipv4(icmp(8, rest), protocol=ICMP), kind=IPV4)


def datagram(payload: bytes) -> bytes:
    return ethernet(ipv4(udp(payload), protocol=UDP), kind=IPV4)


def answer_datagram(payload: bytes, *, to: bytes) -> bytes:
    """The station's: to a MAC, an IP address and a port, one behind the other."""
    inner = udp(payload, sender=PORT, to=int.from_bytes(to[10:], "big"))
    packet = ipv4(inner, protocol=UDP, sender=IP, to=to[6:10], number=0)
    return ethernet(packet, kind=IPV4, to=to[:6], sender=MAC)


class Sorted(NamedTuple):
    """What a frame is: the station's answer without its padding, or what UDP carries and from where; or neither."""

    answer: bytes = b""
    payload: bytes | None = None
    sender: bytes = b""


def sort(frame: bytes) -> Sorted:
    """What the station of MAC, IP and PORT is to make of a frame, without its FCS, that has arrived undamaged."""
    to_host, kind, packet = frame[6:12], int.from_bytes(frame[12:14], "big"), frame[14:]
    if kind == ARP and packet[:8] == struct.pack(">HHBBH", 1, IPV4, 6, 4, 1) and packet[24:28] == IP:
        answer = arp(2, mac=MAC, ip=IP, to_mac=packet[8:14], to_ip=packet[14:18])
        return Sorted(ethernet(answer, kind=ARP, to=to_host, sender=MAC))
    length, _, fragment = struct.unpack(">HHH", packet[2:8])
    is_sound = packet[0] == 0x45 and not fragment & 0xBFFF and packet[16:20] == IP and checksum(packet[:20]) == 0
    if kind != IPV4 or not is_sound or not 28 <= length <= min(len(packet), 2047):
        return Sorted()
    inner = packet[20:length]
    if packet[9] == ICMP and inner[:2] == b"\x08\0":
        total = int.from_bytes(inner[2:4], "big") + 0x800
        summed = struct.pack(">H", (total & 0xFFFF) + (total >> 16))
        header = packet[:12] + IP + packet[12:16]
        return Sorted(ethernet(header + b"\0\0" + summed + inner[4:], kind=IPV4, to=to_host, sender=MAC))
    port, to_port, udp_length = struct.unpack(">HHH", inner[:6])
    if packet[9] == UDP and to_port == PORT and udp_length == len(inner):
        return Sorted(payload=inner[8:], sender=to_host + packet[12:16] + struct.pack(">H", port))
    return Sorted()
