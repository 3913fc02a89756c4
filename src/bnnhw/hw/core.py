"""Core: the network's units and the streams between them."""

import re
from collections.abc import Sequence
from typing import Any

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.connections import OUTSIDE, Connection, End, channels_of, connect_flows, in_a_row
from bnnhw.hw.stream.flow import Channel, Flow

__all__ = ["Core"]


class Core(wiring.Component):
    """Units, connected by their streams from `i` to `o`. It inserts nothing between them.

    Parameters
    ----------
    units : sequence of components with flat streams
        In the order of the data.
    connections : sequence of ((number of a unit, port), (number of a unit, port)), optional
        From outputs to inputs; OUTSIDE is the core itself, with its ports `i` and `o`. By default the units stand in a
        row: `i`, units[0], units[1] .. `o`.
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
        connections: Sequence[Connection] | None = None,
        input_lanes: int,
        input_width: int,
        output_lanes: int,
        output_width: int,
        vectors: int = 1,
        names: Sequence[str] = (),
    ):
        self.units = tuple(units)
        self.connections = in_a_row(len(self.units)) if connections is None else tuple(connections)
        self.names = tuple(re.sub(r"\W", "_", name) for name in names)
        self.input_lanes = input_lanes
        self.input_width = input_width
        self.output_lanes = output_lanes
        self.output_width = output_width
        self.vectors = vectors
        if not self.units:
            raise ValueError("units must hold at least one unit")
        for (source, output), (target, into) in self.connections:
            if OUTSIDE in (source, target):
                continue
            gives, takes = len(self._port(source, output).payload), len(self._port(target, into).payload)
            if gives != takes:
                raise ValueError(
                    f"units[{source}] {self.units[source]!r} gives beats of {gives} bits, but units[{target}] "
                    f"{self.units[target]!r} takes {takes} bits; put a WidthConverter between them"
                )
        ends = (
            ("input", input_lanes, input_width, self._end("i")),
            ("output", output_lanes, output_width, self._end("o")),
        )
        for side, lanes, width, end in ends:
            bits = len(self._port(*end).payload)
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

    def _port(self, number: int, name: str) -> Any:
        """The stream of a unit's port."""
        return getattr(self.units[number], name)

    def _end(self, name: str) -> End:
        """The unit's port that the core's port `name` is."""
        ends = (
            inner
            for source, target in self.connections
            for outer, inner in ((source, target), (target, source))
            if outer == (OUTSIDE, name)
        )
        return next(ends)

    def flow(self, i: Channel, o: Channel) -> Flow:
        """The flow of all units."""
        return connect_flows([unit.flow for unit in self.units], channels_of(self.connections, i=i, o=o))

    def elaborate(self, platform) -> Module:
        m = Module()
        for index, unit in enumerate(self.units):
            m.submodules["_".join([f"unit{index}", *self.names[index : index + 1]])] = unit
            for (source, output), target in self.connections:
                if target[0] == index:
                    stream_in = wiring.flipped(self.i) if source == OUTSIDE else self._port(source, output)
                    wiring.connect(m, stream_in, self._port(*target))
        wiring.connect(m, self._port(*self._end("o")), wiring.flipped(self.o))
        return m
