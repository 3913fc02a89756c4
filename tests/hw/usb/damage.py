"""What becomes of packets on a bad cable."""

import random

from .coding import END, SE0, J, K
from .host import Damage

_LONGEST_GLITCH = 3


def bad_cable(rng: random.Random, *, chance: float) -> Damage:
    """Loses, cuts and disturbs packets."""

    def damage(states: list[int]) -> list[int]:
        if not states or rng.random() >= chance:
            return states
        at = rng.randrange(len(states) - len(END))
        match rng.randrange(4):
            case 0:
                return []
            case 1:
                return [*states[:at], *END]
            case 2:
                return [*states[:at], J + K - states[at] if states[at] else J, *states[at + 1 :]]
            case _:
                glitch = rng.choices([J, K, SE0], k=rng.randint(1, _LONGEST_GLITCH))
                return [*states[:at], *glitch, *states[at + len(glitch) :]]

    return damage


def bad_bytes(rng: random.Random, *, chance: float) -> Damage:
    """The same behind a PHY, which has packets without their ends: a glitch turns up to three bits over."""

    def damage(packet: list[int]) -> list[int]:
        if not packet or rng.random() >= chance:
            return packet
        at = rng.randrange(len(packet))
        match rng.randrange(3):
            case 0:
                return []
            case 1:
                return packet[:at]
            case _:
                glitch = rng.randrange(1, 1 << _LONGEST_GLITCH) << rng.randrange(9 - _LONGEST_GLITCH)
                return [*packet[:at], packet[at] ^ glitch, *packet[at + 1 :]]

    return damage
