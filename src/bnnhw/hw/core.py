"""Core: the network's units in a row."""

import re
from collections.abc import Sequence
from itertools import pairwise

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.flow import Channel, Flow, chain_flow

__all__ = ["Core"]


class Core(wiring.Component):
    """Chains units by their streams: `i`, units[0], units[1] .. `o`. It inserts nothing between them.

    Parameters
    ----------
    units : sequence of components with flat streams `i` and `o`
        In the order of the data.
    input_lanes, input_width : int
        Elements of a vector in a beat of `i`, and bits of an element.
    output_lanes, output_width : int
        The same for `o`.
    vectors : int
        Vectors in a beat, on both sides.
    names : sequence of str
        Of the units, for waveforms and messages.

    Members
    -------
    i : In(stream of unsigned(vectors * input_lanes * input_width))
    o : Out(stream of unsigned(vectors * output_lanes * output_width))
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(
        self,
        *,
        units: Sequence,
        input_lanes: int,
        input_width: int,
        output_lanes: int,
        output_width: int,
        vectors: int = 1,
        names: Sequence[str] = (),
    ):
        self.units = tuple(units)
        self.names = tuple(re.sub(r"\W", "_", name) for name in names)
        self.input_lanes = input_lanes
        self.input_width = input_width
        self.output_lanes = output_lanes
        self.output_width = output_width
        self.vectors = vectors
        if not self.units:
            raise ValueError("units must hold at least one unit")
        for index, (unit, successor) in enumerate(pairwise(self.units)):
            gives, takes = len(unit.o.payload), len(successor.i.payload)
            if gives != takes:
                raise ValueError(
                    f"units[{index}] {unit!r} gives beats of {gives} bits, but units[{index + 1}] {successor!r} takes "
                    f"{takes} bits; put a WidthConverter between them"
                )
        ends = (
            ("input", input_lanes, input_width, len(self.units[0].i.payload)),
            ("output", output_lanes, output_width, len(self.units[-1].o.payload)),
        )
        for side, lanes, width, bits in ends:
            if vectors * lanes * width != bits:
                raise ValueError(
                    f"vectors={vectors} * {side}_lanes={lanes} * {side}_width={width} must be the {bits} bits of the "
                    f"units' {side} beat"
                )
        super().__init__(
            {
                "i": In(flat_stream(vectors * input_lanes * input_width)),
                "o": Out(flat_stream(vectors * output_lanes * output_width)),
            }
        )

    def flow(self, i: Channel, o: Channel) -> Flow:
        """The flow of all units, one after the other."""
        return chain_flow([unit.flow for unit in self.units], i, o)

    def elaborate(self, platform) -> Module:
        m = Module()
        source = wiring.flipped(self.i)
        for index, unit in enumerate(self.units):
            m.submodules["_".join([f"unit{index}", *self.names[index : index + 1]])] = unit
            wiring.connect(m, source, unit.i)
            source = unit.o
        wiring.connect(m, source, wiring.flipped(self.o))
        return m
