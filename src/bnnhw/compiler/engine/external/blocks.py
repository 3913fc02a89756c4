"""Layers between which values stay in the engine, so that they run one behind the other for each group of frames.

Tests: tests/compiler/engine/external/test_blocks.py
"""

from collections.abc import Collection

from bnnhw.compiler.engine.layers import EngineNetwork

__all__ = ["blocks_of"]


def blocks_of(network: EngineNetwork, outside: Collection[str]) -> list[range]:
    """All layers in their order: from each that makes values which stay in the engine, as they are not named in
    `outside`, to the last one that adds them, in one block; every other layer is one."""
    count = len(network.layers)
    needed = list(range(count))  # the last layer that needs what a layer makes
    writer: dict[str, int] = {}
    for number, layer in enumerate(network.layers):
        if layer.values is None:
            continue
        residual = layer.values.residual
        if residual is not None and residual.map.name not in outside:
            needed[writer[residual.map.name]] = number
        writer[layer.values.map.name] = number
    blocks: list[range] = []
    begin = end = 0
    for number in range(count):
        end = max(end, needed[number])
        if number == end:
            blocks.append(range(begin, number + 1))
            begin = end = number + 1
    return blocks
