"""What arrives from a network, which nothing can hold up.

Tests: tests/hw/ethernet/test_mac.py
"""

from amaranth.lib import wiring
from amaranth.lib.wiring import Out

__all__ = ["arrivals"]


def arrivals() -> wiring.Signature:
    """Bytes of packets as they come, and a verdict behind each packet: at the earliest in the cycle after its last
    byte, and before the first byte of the next one.

    data : Out(8), valid : Out(1)
        A byte, for one cycle.
    end : Out(1)
        The packet is over; high for one cycle.
    good : Out(1)
        With `end`: it is to be taken. What was made of another one never was.
    """
    return wiring.Signature({"data": Out(8), "valid": Out(1), "end": Out(1), "good": Out(1)})
