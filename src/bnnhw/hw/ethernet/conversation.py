"""Whom a board talks to (docs/link-protocol.md, "Datagrams").

Tests: tests/hw/ethernet/test_datagram_receiver.py
"""

from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from .sorter import SENDER_BITS

__all__ = ["conversation"]


def conversation() -> wiring.Signature:
    """The one conversation that a board knows.

    opening : Out(16), session : Out(32)
        Its numbers.
    peer : Out(SENDER_BITS)
        The host's addresses.
    opened : Out(1)
        High for one cycle, in the first one of a new conversation.
    """
    return wiring.Signature(
        {"opening": Out(16), "session": Out(32), "peer": Out(SENDER_BITS), "opened": Out(1)},
    )
