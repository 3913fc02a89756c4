"""Functions of integers, at random from a seed: numpy runs them on arrays, operators write them down."""

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bnnhw import hls

__all__ = ["random_function"]

TABLE = hls.table(np.random.default_rng(0).integers(-50, 100, 64))

STEPS: dict[str, Callable[[Any, Any, Any, int], Any]] = {
    "add": lambda a, b, c, k: a + b,
    "sub": lambda a, b, c, k: a - b + k,
    "negative": lambda a, b, c, k: -a,
    "times": lambda a, b, c, k: a * (5 * k - 12),
    "product": lambda a, b, c, k: np.clip(a, -128, 127) * np.clip(b, -128, 127),
    "shifts": lambda a, b, c, k: (a >> k) + (b << 1),
    "where": lambda a, b, c, k: np.where(a >= b, c, k),
    "least": lambda a, b, c, k: np.minimum(a, c - k),
    "greatest": lambda a, b, c, k: np.maximum(a, b),
    "absolute": lambda a, b, c, k: abs(a),
    "compared": lambda a, b, c, k: np.where((a > k) & ~(b <= c) | (a == b), 1, 0),
    "chosen": lambda a, b, c, k: np.where((a != k) ^ (b < c), a, np.sign(c)),
    "bits": lambda a, b, c, k: (a & 15) ^ (b | k),
    "table": lambda a, b, c, k: TABLE[a & 63],
    "quotient": lambda a, b, c, k: a // 4 + b % 8,
}


def random_function(seed: int, *, outputs: int = 1) -> Callable[..., Any]:
    """A straight-line function of as many integers as it is given."""
    rng = random.Random(seed)
    steps = [
        (STEPS[rng.choice(list(STEPS))], rng.random(), rng.random(), rng.random(), rng.randint(1, 5))
        for _ in range(rng.randint(1, 10))
    ]

    def function(*inputs: Any) -> Any:
        pool: list[Any] = list(inputs)
        for step, *places, k in steps:
            a, b, c = (_pick(pool, place) for place in places)
            pool.append(np.clip(step(a, b, c, k), -100_000, 100_000))
        results = [pool[-1 - number % len(pool)] for number in range(outputs)]
        return results[0] if outputs == 1 else tuple(results)

    return function


def _pick(pool: Sequence[Any], place: float) -> Any:
    return pool[int(place * len(pool))]
