"""How many elements of a window may leave in a word.

Tests: tests/hw/window/test_sliding_window.py
"""

from functools import cache

__all__ = ["wide_simds", "window_simds"]


def wide_simds(*, channels: int, kernel: tuple[int, int]) -> tuple[int, int]:
    """The SIMD of a word that holds all `channels` of a kernel row, and of one that holds the kernel."""
    kh, kw = kernel
    return kw * channels, kh * kw * channels


@cache
def window_simds(*, channels: int, kernel: tuple[int, int]) -> tuple[int, ...]:
    """The legal SIMD of windows over `channels` channels, in order: their divisors, a row of the kernel, the kernel."""
    divisors = {n for n in range(1, channels + 1) if channels % n == 0}
    return tuple(sorted(divisors | set(wide_simds(channels=channels, kernel=kernel))))
