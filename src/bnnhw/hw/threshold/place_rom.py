"""Constants by place, in logic or in block RAM, read in a pipeline that may stand still.

Tests: tests/hw/threshold/test_multi_threshold.py
"""

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib.memory import Memory

from bnnhw.hw.storage.weight_rom import rom_luts
from bnnhw.hw.targets import BLOCK_RAM_LATENCY, Fabric, Target

__all__ = [
    "column_luts",
    "place_rom_cells",
    "place_rom_latency",
    "place_rom_store",
    "read_place_rom",
    "read_shared_roms",
]


def place_rom_store(fabric: Fabric, depth: int, width: int) -> Literal["constant", "lut", "block"]:
    """The cheapest store of `depth` words of `width` bits."""
    if depth == 1:
        return "constant"
    if depth > fabric.block_ram_depth:
        return "lut"
    return "lut" if _luts(fabric, depth, width) <= fabric.block_ram_luts * fabric.block_rams(depth, width) else "block"


def place_rom_latency(store: str) -> int:
    """Cycles from the address to the word."""
    return {"constant": 0, "lut": 1, "block": BLOCK_RAM_LATENCY}[store]


def place_rom_cells(fabric: Fabric, depth: int, width: int) -> tuple[int, int, int]:
    """(LUTs, flip-flops, block RAMs) of a ROM in the cheapest store."""
    match place_rom_store(fabric, depth, width):
        case "constant":
            return 0, 0, 0
        case "lut":
            return _luts(fabric, depth, width), min(width, (1 << min(depth, 16)) - 2), 0
        case _:
            return 0, 0, fabric.block_rams(depth, width)


def _luts(fabric: Fabric, depth: int, width: int) -> int:
    """LUTs of a ROM in logic: as for the weights, where it is no deeper than a LUT."""
    return rom_luts(fabric, depth, width) if depth <= fabric.lut_depth else round(width * column_luts(fabric, depth))


def column_luts(fabric: Fabric, depth: int) -> float:
    """LUTs of a bit of a ROM in logic; yosys packs the multiplexers of deep ones less well."""
    luts = max(1.0, depth / fabric.lut_depth)
    return (2 * luts - 1) * (1.14 if luts > 3 else 1.0)


def read_place_rom(
    m: Module, words: Sequence[int], width: int, address: Value, *, enable: Value, target: Target, name: str
) -> Value:
    """words[address], `place_rom_latency` cycles of `enable` later."""
    match place_rom_store(target.fabric, len(words), width):
        case "constant":
            return Const(words[0], width)
        case "lut":
            memory = Memory(shape=width, depth=len(words), init=words, attrs={"rom_style": "logic"})
            m.submodules[name] = memory
            port = memory.read_port(domain="comb")
            word = Signal(width, name=name, reset_less=True)
            m.d.comb += port.addr.eq(address)
            with m.If(enable):
                m.d.sync += word.eq(port.data)
            return word
    step = target.fabric.block_ram_width(len(words))
    parts: list[Value] = []
    for start in range(0, width, step):
        bits = min(step, width - start)
        init = [word >> start & (1 << bits) - 1 for word in words]
        ram = target.block_ram(depth=len(words), width=bits, init=init)
        m.submodules[f"{name}_{start // step}"] = ram
        m.d.comb += [ram.read_address.eq(address), ram.read_enable.eq(enable)]
        parts.append(ram.read_data)
    return Cat(parts)


def read_shared_roms(
    m: Module, tables: np.ndarray, width: int, place: Value, *, enable: Value, target: Target, name: str
) -> Iterator[Value]:
    """tables[pixel, place, lane], constants of `width` bits, of each pixel and lane; `place_rom_latency` cycles of
    `enable` later. The lanes of a pixel are a word, and equal tables are read once for all their pixels."""
    shared: dict[bytes, Value] = {}
    for pixel, words in enumerate(tables):
        if (key := words.tobytes()) not in shared:
            rows = [sum(int(value) << lane * width for lane, value in enumerate(row)) for row in words]
            shared[key] = read_place_rom(
                m, rows, words.shape[1] * width, place, enable=enable, target=target, name=f"{name}{pixel}"
            )
        for lane in range(words.shape[1]):
            yield shared[key].word_select(lane, width)
