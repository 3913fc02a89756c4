"""A hardwired matrix unit before it is built: its adder graph, its sizes and its timing.

Tests: tests/hw/hardwired/test_unit.py
"""

from dataclasses import dataclass

import numpy as np

from bnnhw.hw.product.product_shape import BinaryShape
from bnnhw.hw.stream.credited_pipeline import CreditedPipeline, queue_depth_for
from bnnhw.hw.stream.flow import Channel, Flow, Process
from bnnhw.hw.stream.result_queue import ResultQueue
from bnnhw.hw.targets import Fabric

from .adder_graph import AdderGraph
from .row_sums import plan_row_sums

__all__ = ["WORD_REGISTERS", "HardwiredPlan", "plan_hardwired"]

WORD_REGISTERS = 2
"""Registers of a word on its way to the adders, which fill a large part of the chip."""


@dataclass(frozen=True, kw_only=True)
class HardwiredPlan(BinaryShape):
    """A constant (rows, cols) matrix of +1/-1 times vectors of `planes`-bit numbers, all rows and columns at once.

    Attributes
    ----------
    rows, cols, vectors, planes, thresholded
        See `BinaryShape`. Each vector has adders of its own; bit planes take a cycle each.
    graph : AdderGraph
        The mismatch sums of a bit plane.
    fabric : Fabric
        That the graph is made for.
    """

    graph: AdderGraph
    fabric: Fabric

    @property
    def initiation_interval(self) -> int:
        """Cycles from vector to vector in the steady state."""
        return self.planes

    @property
    def input_width(self) -> int:
        """Bits of a beat of `i`."""
        return self.vectors * self.cols * self.planes

    @property
    def output_width(self) -> int:
        """Bits of a beat of `o`."""
        return self.vectors * self.rows * self.result_width

    @property
    def skew(self) -> int:
        """Cycles by which each of the vectors side by side is behind the one before it in the adders: 1 where there are
        accumulators, so that no control has to reach all of these in the same cycle."""
        return int(self.planes > 1)

    @property
    def plane_latency(self) -> int:
        """Cycles from the acceptance of a vector to its last plane at the adders of vector 0."""
        return WORD_REGISTERS + (1 if self.planes == 1 else 1 + self.planes)

    @property
    def pipeline_latency(self) -> int:
        """Cycles from the acceptance of a vector to its results' push into the output queue."""
        skewed = self.skew * (self.vectors - 1)
        return self.plane_latency + skewed + self.graph.latency + (self.planes > 1) + self.thresholded

    @property
    def queue_depth(self) -> int:
        """Results that the output queue holds: enough for a vector every `initiation_interval` cycles."""
        beats = -(-(self.latency + 1) // self.initiation_interval)
        return queue_depth_for(beats, least=self.fabric.distributed_ram_depth)

    @property
    def latency(self) -> int:
        """Cycles from the acceptance of a vector to its output beat."""
        return self.pipeline_latency + ResultQueue.latency

    def flow(self, i: Channel, o: Channel) -> Flow:
        """The unit's flow: a vector is accepted when the adders have taken the one before and two places of the output
        queue are free, by what is known of it: acceptances show two cycles late, departures three."""
        return [self._process(i, o)]

    def _process(self, i: Channel, o: Channel) -> Process:
        pipeline = CreditedPipeline(self.latency, self.queue_depth, o)
        accepted = -self.initiation_interval
        while True:
            cycle = max((yield i), accepted + self.initiation_interval)
            accepted = yield from pipeline.enter(cycle)
            i.take(accepted)


def plan_hardwired(
    weights: np.ndarray,
    fabric: Fabric,
    *,
    vectors: int = 1,
    planes: int = 1,
    thresholded: bool = True,
    shared: bool = True,
) -> HardwiredPlan:
    """The plan for `weights`, (rows, cols) of +1 and -1; seconds for 64 x 576.

    Unless `shared` each row is summed by itself: what the sharing is measured by.

    >>> from bnnhw.hw.targets import PORTABLE
    >>> plan = plan_hardwired(np.ones((4, 8), np.int8), PORTABLE.fabric)
    >>> plan.initiation_interval, plan.latency
    (1, 9)
    """
    weights = np.asarray(weights)
    if weights.ndim != 2 or not weights.size or not np.isin(weights, (-1, 1)).all():
        raise ValueError(f"weights of shape {weights.shape} must be a matrix of +1 and -1")
    graph = plan_row_sums(weights.astype(np.int8), fabric, with_offsets=thresholded, shared=shared)
    rows, cols = weights.shape
    options = {"vectors": vectors, "planes": planes, "thresholded": thresholded}
    return HardwiredPlan(rows=rows, cols=cols, graph=graph, fabric=fabric, **options)
