"""From an integer graph to an engine's program.

Tests: tests/compiler/engine/test_compile.py
"""

from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.graph import Graph
from bnnhw.hw.engine.engine_shape import EngineShape

from .external.places import WeightsInMemory
from .external.scheduled import frame_counts, outsides, scheduled_program, segmentations
from .first_layer import with_windows
from .from_graph import engine_network
from .layers import EngineNetwork
from .program import EngineProgram
from .resident import resident_program

__all__ = ["compile_program"]

_WORTH = 1.01
"""How much faster runs of twice the frames must be for those of even more to be tried."""


def compile_program(graph: Graph, shape: EngineShape) -> EngineProgram:
    """The program of an integer graph: all on the chip where it fits there, else by the external memory.

    Raises ScheduleError, which names what does not fit and the way out.
    """
    network = with_windows(engine_network(graph), shape)
    try:
        return resident_program(network, shape)
    except ScheduleError:
        if shape.external is None:
            raise
    return _fastest(network, shape)


def _fastest(network: EngineNetwork, shape: EngineShape) -> EngineProgram:
    """The program of most frames a cycle, of those with more or fewer frames, longer or shorter segments, and values in
    the engine or outside.

    Raises ScheduleError where none fits: what the simplest one does not fit for.
    """
    weights = WeightsInMemory(network, shape)
    best: EngineProgram | None = None
    refusals: list[ScheduleError] = []
    for outside in outsides(network):
        for segments in segmentations(network, shape, outside=outside):
            rate = 0.0
            for frames in frame_counts(network, shape):
                try:
                    program = scheduled_program(
                        network, shape, weights=weights, frames=frames, segments=segments, outside=outside
                    )
                except ScheduleError as refusal:
                    refusals.append(refusal)
                    break
                if best is None or program.frames * best.cycles > best.frames * program.cycles:
                    best = program
                before, rate = rate, program.frames / program.cycles
                if rate < _WORTH * before:
                    break
    if best is None:
        raise refusals[0]
    return best
