"""The block RAM that components ask a target for: written at one port, read at the other, with a registered output.

Tests: tests/hw/storage/test_line_memory.py
"""

from collections.abc import Sequence

from amaranth.hdl import Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .fabric import Fabric

__all__ = ["BLOCK_RAM_LATENCY", "BlockRam"]

BLOCK_RAM_LATENCY = 2
"""Cycles from an address to its word, in any target."""


class BlockRam(wiring.Component):
    """A memory of `depth` words: read_data(t + 2) = memory[read_address(t)], counted in cycles of `read_enable`.

    A word that is written in cycle t is seen by the addresses of cycle t + 1 and later; its old and new value mix for
    an address of cycle t itself. A target's subclass makes it.

    Parameters
    ----------
    fabric : Fabric
        Whose block RAM it is.
    depth, width : int
        At most one of `fabric.block_ram_shapes`.
    init : sequence of int
        The first words; the others are 0.
    writable : bool
        Without it the write port does not exist.

    Members
    -------
    read_address : In(ceil_log2(depth))
    read_data : Out(width)
    read_enable : In(1)
        Both steps of a read wait while it is 0. Left unconnected, it is 1.
    write_enable, write_address, write_data : In(1), In(ceil_log2(depth)), In(width)
    """

    read_address: Signal
    read_data: Signal
    read_enable: Signal
    write_enable: Signal
    write_address: Signal
    write_data: Signal

    def __init__(self, fabric: Fabric, *, depth: int, width: int, init: Sequence[int] = (), writable: bool = False):
        widest = fabric.block_ram_width(depth)
        if not 1 <= width <= widest:
            raise ValueError(f"width={width} must be in 1..{widest}, a block RAM's at depth={depth}")
        self.fabric = fabric
        self.depth = depth
        self.width = width
        self.init = tuple(init)
        self.writable = writable
        bits = max(1, (depth - 1).bit_length())
        ports = {"read_address": In(bits), "read_data": Out(width), "read_enable": In(1, init=1)}
        if writable:
            ports |= {"write_enable": In(1), "write_address": In(bits), "write_data": In(width)}
        super().__init__(ports)
