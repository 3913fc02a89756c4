"""From an integer graph to an engine's program.

Tests: tests/compiler/engine/test_compile.py
"""

from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.graph import Graph
from bnnhw.hw.engine.engine_shape import EngineShape

from .first_layer import with_windows
from .layers import engine_network
from .program import EngineProgram
from .resident import resident_program
from .scheduled import scheduled_program

__all__ = ["compile_program"]


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
    return scheduled_program(network, shape)
