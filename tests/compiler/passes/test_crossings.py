"""Crossings: bisected, they are those that an evaluation at every sum finds."""

from collections.abc import Callable

import numpy as np
import pytest

from bnnhw.compiler.ir.graph import infer_types
from bnnhw.compiler.ir.ops import (
    Activation,
    Affine,
    BatchNorm,
    Elementwise,
    HardTanh,
    PRelu,
    Quantise,
    Relu,
    Sign,
    Ternarise,
    Thresholds,
    UniformQuantise,
)
from bnnhw.compiler.passes import crossings, separate_sums
from bnnhw.compiler.passes.crossings import bisect_crossings, enumerate_crossings, find_crossings
from bnnhw.compiler.passes.pool_sums_first import falls
from bnnhw.compiler.passes.rewrite import Chain, chains, is_monotone

from .graphs import chain, linear

ROWS, COLS = 6, 3
EXTREMES = np.array([0, 1, -1, 1e-38, 1e38, 3.4e38, 1e-45, 2**-24, 2**24], np.float32)
"""Gammas, betas, means and variances at which float32 underflows, overflows or rounds most."""

Draw = Callable[[np.random.Generator], list[Elementwise]]


def drawn(rng: np.random.Generator, scale: float) -> np.ndarray:
    """Parameters of each row around `scale`, some of them extreme."""
    usual = rng.normal(0, scale, ROWS).astype(np.float32)
    return np.where(rng.random(ROWS) < 0.2, rng.choice(EXTREMES, ROWS), usual)


def norm(rng: np.random.Generator) -> BatchNorm:
    variance = np.abs(drawn(rng, 10.0 ** rng.integers(-6, 8)))
    return BatchNorm(1e-5, drawn(rng, 300), variance, drawn(rng, 1), drawn(rng, 1))


def scale(rng: np.random.Generator) -> Affine:
    return Affine(drawn(rng, 0.1), drawn(rng, 10))


CHAINS: dict[str, Draw] = {
    "bare": lambda rng: [],
    "batch norm": lambda rng: [norm(rng)],
    "two batch norms": lambda rng: [norm(rng), norm(rng)],
    "scale, batch norm": lambda rng: [scale(rng), norm(rng)],
    "scale, batch norm, hard tanh": lambda rng: [scale(rng), norm(rng), HardTanh()],
    "batch norm, relu, scale": lambda rng: [norm(rng), Relu(), scale(rng)],
    "batch norm, leaking relu, scale": lambda rng: [norm(rng), PRelu(np.abs(drawn(rng, 0.3))), scale(rng)],
}


def random_chain(seed: int, floats: str, activation: Activation, *, bits: int = 5, signed: bool = False) -> Chain:
    """A layer of a few inputs of so many bits, with these floats and activation behind it."""
    rng = np.random.default_rng(seed)
    lo = -(2 ** (bits - 1)) if signed else 0
    ops = (linear(ROWS, COLS, seed=seed), *CHAINS[floats](rng), activation)
    graph = separate_sums(chain(*ops, shape=(COLS,), lo=lo, hi=lo + 2**bits - 1))
    (found,) = chains(graph, infer_types(graph))
    return found


ACTIVATIONS = {
    "sign": Sign(),
    "2 bits": Quantise(2),
    "4 bits": Quantise(4),
    "3 values": Ternarise(),
    "signed steps": UniformQuantise(0.3, 0, -4, 3),
    "thresholds of channels": Thresholds(np.linspace(-2, 3, 5 * ROWS, dtype=np.float32), ROWS, -2),
    "steps from 2": UniformQuantise(1.7, 2, 0, 15),
}


@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=ACTIVATIONS)
@pytest.mark.parametrize("floats", CHAINS)
@pytest.mark.filterwarnings("ignore:(overflow|invalid value|divide by zero) encountered")
def test_bisection_finds_what_evaluation_at_every_sum_finds(floats, activation):
    compared = 0
    for seed in range(10):
        case = random_chain(seed, floats, activation, signed=bool(seed % 2))
        if is_monotone(case):
            found, expected = bisect_crossings(case, activation), enumerate_crossings(case, activation)
            for field in ("reached", "first", "changes"):
                np.testing.assert_array_equal(getattr(found, field), getattr(expected, field), err_msg=f"seed {seed}")
            compared += 1
    assert compared > 2


@pytest.mark.parametrize("floats", CHAINS)
@pytest.mark.filterwarnings("ignore:(overflow|invalid value|divide by zero) encountered")
def test_the_ends_tell_where_there_is_nan(floats):
    for seed in range(20):
        case = random_chain(seed, floats, Sign(), signed=bool(seed % 2))
        every = case.reachable.lows + case.reachable.step * np.arange(case.reachable.count)[:, None]
        values = case.apply(every)
        assert is_monotone(case) == (not np.isnan(values).any())
        if is_monotone(case):
            rising, falling = ((side[1:] > side[:-1]).any(axis=0) for side in (values, -values))
            np.testing.assert_array_equal(falls(case, case.root), falling)
            assert not (rising & falling).any()


def test_many_sums_are_bisected(monkeypatch):
    evaluated = []
    levels_of = crossings.levels_of
    monkeypatch.setattr(crossings, "levels_of", lambda *args: evaluated.append(args[2].size) or levels_of(*args))
    find_crossings(random_chain(1, "batch norm", Sign(), bits=16), Sign())
    assert sum(evaluated) < 40 * ROWS
