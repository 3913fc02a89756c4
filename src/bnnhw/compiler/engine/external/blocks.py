"""Layers between which values stay in the engine, so that they run one behind the other for each group of frames.

Tests: tests/compiler/engine/external/test_blocks.py
"""

from bnnhw.compiler.engine.layers import EngineNetwork

__all__ = ["blocks_of"]


def blocks_of(network: EngineNetwork) -> list[range]:
    """All layers in their order: from each that makes values to the last one that needs them, in one block; every other
    layer is one."""
    count = len(network.layers)
    needed = list(range(count))  # the last layer that needs what a layer makes
    writer: dict[str, int] = {}
    for number, layer in enumerate(network.layers):
        if layer.values is None:
            continue
        if layer.values.residual is not None:
            needed[writer[layer.values.residual.map.name]] = number
        writer[layer.values.map.name] = number
    if network.output is not None:
        needed[writer[network.output.name]] = count - 1
    blocks: list[range] = []
    begin = end = 0
    for number in range(count):
        end = max(end, needed[number])
        if number == end:
            blocks.append(range(begin, number + 1))
            begin = end = number + 1
    return blocks
