"""The weights of a matrix unit, in block RAM or in LUTs, one word for each cycle of a vector."""

import math
from typing import Literal

import numpy as np
from amaranth.hdl import Array, Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from bnnhw.hw.logic.delays import delay
from bnnhw.hw.targets import BLOCK_RAM_LATENCY, Fabric, Target

__all__ = ["WeightRom", "block_rams", "different_columns", "rom_latency", "rom_luts", "weight_words"]


def weight_words(weights: np.ndarray, *, pe: int, simd: int) -> np.ndarray:
    """The bits of +1/-1 `weights` (rows, cols) in the order in which a matrix unit reads them.

    (depth, pe, simd) uint8: bit (p, s) of word nf*SF + sf is 1 where weights[nf*pe + p, sf*simd + s] is +1, with
    SF = cols / simd words to a fold of pe rows.
    """
    rows, cols = weights.shape
    folded = (weights > 0).reshape(rows // pe, pe, cols // simd, simd)
    return folded.transpose(0, 2, 1, 3).reshape(-1, pe, simd).astype(np.uint8)


def block_rams(fabric: Fabric, depth: int, width: int) -> int:
    """Block RAMs of a ROM of `depth` words of `width` bits."""
    banks = _banks(fabric, depth)
    return len(banks) * -(-width // _bank_width(fabric, banks))


def _banks(fabric: Fabric, depth: int) -> list[int]:
    """Depths of the banks that a ROM of `depth` words is cut into: one block RAM's depth at most."""
    deepest = fabric.block_ram_depth
    return [min(deepest, depth - start) for start in range(0, depth, deepest)]


SHARED_FUNCTIONS = 128
"""Functions of 8 words, each of which stands for its inverse, too."""


def rom_luts(fabric: Fabric, depth: int, width: int) -> int:
    """LUTs of a ROM of random bits in logic: `lut_depth` words to each, and multiplexers between these, of which one of
    few words beside a LUT is a part; what is a function of 8 words or fewer is made once for all columns."""
    columns = different_columns(depth, width)
    if depth <= fabric.lut_depth:
        return columns
    shared = SHARED_FUNCTIONS * -math.expm1(-columns / SHARED_FUNCTIONS)
    return round(columns * (2 * depth / fabric.lut_depth - 1) + shared)


def different_columns(depth: int, width: int) -> int:
    """The expected number of different columns in a ROM of random bits; equal ones are made once in logic, with their
    registers, and constant ones (depth 1) not at all."""
    possible = 2.0 ** min(depth, 64)
    return round(possible * -math.expm1(width * math.log1p(-1 / possible))) if depth > 1 else 0


def rom_latency(store: str) -> int:
    """Cycles from the address to the word, for store "block" or "lut"."""
    return 1 if store == "lut" else BLOCK_RAM_LATENCY + 1


def _bank_width(fabric: Fabric, banks: list[int]) -> int:
    """Columns that each block RAM of these banks holds."""
    return min(fabric.block_ram_width(words) for words in banks)


class WeightRom(wiring.Component):
    """A ROM whose columns are grouped: w of group g, cycle t + latency + g, is its part of words[address(t)].

    The address passes from group to group through registers, and so does the input word that the weights meet: no
    signal crosses the chip in one cycle.

    Parameters
    ----------
    words : array (depth, width) of 0 and 1
        The content, column 0 in the lowest bit of `w`.
    group_width : int
        Bits of `w` in each group; the last one may be smaller.
    store : "block" or "lut"
        Block RAM, which may serve the bits of neighbouring groups, or logic.
    target : Target

    Members
    -------
    address : In(ceil_log2(depth))
    w : Out(width)
    """

    address: Signal
    w: Signal

    def __init__(self, *, words: np.ndarray, group_width: int, store: Literal["block", "lut"], target: Target):
        self.words = words
        self.group_width = group_width
        self.store = store
        self.target = target
        self.depth, self.width = words.shape
        super().__init__({"address": In(max(1, (self.depth - 1).bit_length())), "w": Out(self.width)})

    @property
    def latency(self) -> int:
        """Cycles from the address to the word of group 0."""
        return rom_latency(self.store)

    def elaborate(self, platform) -> Module:
        m = Module()
        addresses: list[Value] = [self.address]
        for group in range(1, -(-self.width // self.group_width)):
            address = Signal(len(self.address), name=f"address{group}", reset_less=True)
            m.d.sync += address.eq(addresses[-1])
            addresses.append(address)
        if self.store == "lut":
            self._in_luts(m, addresses)
        else:
            self._in_block_ram(m, addresses)
        return m

    def _in_luts(self, m: Module, addresses: list[Value]) -> None:
        for group, address in enumerate(addresses):
            columns = slice(group * self.group_width, min(self.width, (group + 1) * self.group_width))
            init = _row_ints(self.words[:, columns])
            memory = Memory(shape=columns.stop - columns.start, depth=self.depth, init=init, attrs=_IN_LOGIC)
            m.submodules[f"rom{group}"] = memory
            port = memory.read_port(domain="comb")
            m.d.comb += port.addr.eq(address)
            # Its first value lets synthesis see which columns are constant, registers and all.
            word = Signal(len(port.data), name=f"word{group}", init=init[0], reset_less=True)
            m.d.sync += word.eq(port.data)
            m.d.comb += self.w[columns].eq(word)

    def _in_block_ram(self, m: Module, addresses: list[Value]) -> None:
        """Block RAM e holds columns e*n..e*n+n-1 and hears the address of the first one's group; the columns of later
        groups are delayed by more registers. There is one at least, which halves the way from the block RAM's column
        to the place of the PE.
        """
        banks = _banks(self.target.fabric, self.depth)
        step = _bank_width(self.target.fabric, banks)
        parts: list[Value] = []
        for start in range(0, self.width, step):
            columns = range(start, min(self.width, start + step))
            group = start // self.group_width
            data = self._banked(m, addresses[group], columns, banks, name=f"rom{start // step}")
            for lag in range((columns[-1] // self.group_width) - group + 1):
                begin = max(start, (group + lag) * self.group_width)
                end = min(columns.stop, (group + lag + 1) * self.group_width)
                late = Signal(columns.stop - begin, name=f"late{start // step}_{lag}", reset_less=True)
                m.d.sync += late.eq(data[-len(late) :])
                data = late
                parts.append(data[: end - begin])
        m.d.comb += self.w.eq(Cat(parts))

    def _banked(self, m: Module, address: Value, columns: range, banks: list[int], *, name: str) -> Value:
        """The columns of the word at `address`, two cycles later."""
        outputs: list[Value] = []
        for bank, words in enumerate(banks):
            start = bank * self.target.fabric.block_ram_depth
            init = _row_ints(self.words[start : start + words, columns.start : columns.stop])
            ram = self.target.block_ram(depth=words, width=len(columns), init=init)
            m.submodules[f"{name}_{bank}" if len(banks) > 1 else name] = ram
            m.d.comb += ram.read_address.eq(address)
            outputs.append(ram.read_data)
        if len(banks) == 1:
            return outputs[0]
        word_bits = (self.target.fabric.block_ram_depth - 1).bit_length()
        bank = delay(m, address[word_bits:], BLOCK_RAM_LATENCY, name=f"{name}_bank")
        return Array(outputs)[bank]


_IN_LOGIC = {"rom_style": "logic"}


def _row_ints(bits: np.ndarray) -> list[int]:
    """Each row of 0 and 1 as an int, column 0 lowest."""
    packed = np.packbits(bits, axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in packed]
