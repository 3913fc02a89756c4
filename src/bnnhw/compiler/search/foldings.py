"""The foldings of a layer that the search tries.

These are each PE and each number of pixels with the least SIMD that keeps the limit, and the next larger ones, whose
weights may fill block RAM better, in each way to store the weights; the engines hardwired and mac, too, with as few
pixels as keep the limit.

Tests: tests/compiler/search/test_scheduling.py
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from bnnhw.compiler.units.product.folding import Folding, divisors
from bnnhw.compiler.units.product.layer import MatrixLayer

SIMD_CANDIDATES = 4
"""SIMD that are tried for each PE."""


def folded_foldings(layer: MatrixLayer, limit: float, vectors: int, bits: float) -> Iterator[Folding]:
    """Matrix units of at most `limit` cycles, and `bits` multiplications a cycle."""
    for pixels in layer.pixel_counts if vectors == 1 else (1,):
        for pe in layer.pes:
            fitting = (simd for simd in layer.simds if layer.cycles(Folding(pe, simd, pixels=pixels)) <= limit)
            for simd in islice(fitting, SIMD_CANDIDATES):
                if pe * simd * pixels * vectors > bits:
                    break
                stores = ("constant",) if pe * simd == layer.weights.size else ("block", "lut")
                yield from (Folding(pe, simd, store, pixels) for store in stores)


def hardwired_foldings(layer: MatrixLayer, limit: float, vectors: int) -> Iterator[Folding]:
    """The hardwired engine with the fewest pixels that keep the limit, and each number of columns that does."""
    if layer.groups > 1 or layer.levels:
        return
    for pixels in layer.pixel_counts if vectors == 1 else (1,):
        simds = layer.simds if layer.windows else (layer.cols,)
        foldings = [Folding(layer.rows, simd, "auto", pixels, "hardwired") for simd in simds]
        if fitting := [folding for folding in foldings if layer.cycles(folding) <= limit]:
            yield from fitting[:SIMD_CANDIDATES]
            return


def mac_foldings(layer: MatrixLayer, limit: float, vectors: int) -> Iterator[Folding]:
    """Multipliers for integer weights, with the fewest pixels that keep the limit: each PE with the least SIMD that
    does."""
    if layer.integers is None:
        return
    for pixels in layer.pixel_counts if vectors == 1 else (1,):
        foldings = []
        for pe in divisors(layer.integers.rows // layer.groups):
            tried = (Folding(pe, simd, pixels=pixels, engine="mac") for simd in layer.simds)
            foldings += islice((folding for folding in tried if layer.cycles(folding) <= limit), 1)
        for folding in foldings:
            whole = folding.pe * folding.simd == layer.integers.weights.size
            yield from (replace(folding, store=store) for store in (("constant",) if whole else ("block", "lut")))
        if foldings:
            return
