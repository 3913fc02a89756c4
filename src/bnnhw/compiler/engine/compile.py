"""From an integer graph to an engine's program.

Tests: tests/compiler/engine/test_compile.py
"""

from dataclasses import replace

from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.graph import Graph
from bnnhw.compiler.ir.ops import Conv
from bnnhw.hw.engine.engine_shape import EngineShape

from .layers import EngineNetwork, engine_network
from .program import EngineProgram
from .resident import resident_program
from .scheduled import scheduled_program

__all__ = ["compile_program"]


def compile_program(graph: Graph, shape: EngineShape) -> EngineProgram:
    """The program of an integer graph: all on the chip where it fits there, else by the external memory.

    Raises ScheduleError, which names what does not fit and the way out.
    """
    network = unrolled_by_host(engine_network(graph), shape)
    try:
        return resident_program(network, shape)
    except ScheduleError:
        if shape.external is None:
            raise
    return scheduled_program(network, shape)


def unrolled_by_host(network: EngineNetwork, shape: EngineShape) -> EngineNetwork:
    """The network with windows of a first convolution of few channels as its input: a word then holds many taps.

    Not where a border is a product of 0, which no code stands for.
    """
    first, *others = network.layers
    conv = first.conv
    no_code = any(conv.padding) and not first.pads_with_code
    if conv.kernel == (1, 1) or conv.channels >= shape.array.simd or no_code:
        return network
    lines, columns, _ = conv.output_shape(first.in_shape)
    pixels = Conv(conv.weights.reshape(conv.rows, 1, 1, -1), factors=conv.factors)
    whole = replace(first, conv=pixels, in_shape=(lines, columns, conv.cols))
    return replace(network, layers=(whole, *others), windows=conv)
