"""The walk over a tile's beats: one a cycle, tile behind tile.

Tests: tests/hw/engine/test_engine.py
"""

from typing import Any

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.engine.engine_shape import LEAST_BEATS, EngineShape
from bnnhw.hw.engine.program.instruction import layer_layout

from .tile_walk import TileWalk, tile_layout

__all__ = ["BeatWalk"]


class BeatWalk(wiring.Component):
    """A layer's beats without a pause, the first one LEAST_BEATS + 1 cycles after `start`.

    Members
    -------
    layer : In(layer_layout(shape))
    start : In(1)
    beat, first, last : Out(1)
        There is a beat; it is its tile's first one, or its last one.
    tap : Out
        Where its tap lies.
    tile : Out(tile_layout(shape))
        Its tile.
    done : Out(1)
        The beat is the layer's last one.
    """

    layer: Any
    start: Signal
    beat: Signal
    first: Signal
    last: Signal
    tap: Signal
    tile: Any
    done: Signal

    def __init__(self, shape: EngineShape):
        self.shape = shape
        super().__init__(
            {
                "layer": In(layer_layout(shape)),
                "start": In(1),
                "beat": Out(1),
                "first": Out(1),
                "last": Out(1),
                "tap": Out((shape.taps - 1).bit_length()),
                "tile": Out(tile_layout(shape)),
                "done": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        layer = self.layer
        m.submodules.walk = walk = TileWalk(self.shape)
        waited = Signal(LEAST_BEATS)
        left = Signal(len(layer.beats))
        final = Signal()
        m.d.sync += waited.eq(waited << 1 | self.start)
        m.d.comb += [
            walk.layer.eq(layer),
            walk.start.eq(self.start),
            walk.take.eq(waited[-1] | (self.last & ~final)),
            self.done.eq(self.last & final),
        ]
        with m.If(self.beat):
            m.d.sync += [
                self.tap.eq(self.tap + 1),
                self.first.eq(0),
                left.eq(left - 1),
                self.last.eq(left == 1),
            ]
        with m.If(self.done):
            m.d.sync += [self.beat.eq(0), self.last.eq(0)]
        with m.If(walk.take):
            m.d.sync += [
                self.beat.eq(1),
                self.tap.eq(Mux(walk.tile.follows, self.tap + 1, layer.taps) if self.shape.values else layer.taps),
                self.first.eq(1),
                left.eq(layer.beats),
                self.last.eq(0),
                self.tile.eq(walk.tile),
                final.eq(walk.final),
            ]
        return m
