"""The rows and columns that a window spans, and whether they fit into an image.

Tests: tests/hw/window/test_sliding_window.py
"""

__all__ = ["check_fits", "extent"]

Pair = tuple[int, int]


def extent(kernel: Pair, dilation: Pair) -> Pair:
    """Rows and columns from a window's first tap to its last one, both included."""
    down, across = ((taps - 1) * apart + 1 for taps, apart in zip(kernel, dilation, strict=True))
    return down, across


def check_fits(size: Pair, *, kernel: Pair, dilation: Pair, padding: tuple[int, int, int, int]) -> None:
    """ValueError unless windows fit into an image of `size` with its padding, and none can lie in padding alone."""
    spans = extent(kernel, dilation)
    what = f"kernel={kernel}" if dilation == (1, 1) else f"kernel={kernel} with dilation={dilation}"
    axes = zip(("height", "width"), size, spans, padding[::2], padding[1::2], strict=True)
    for name, length, span, before, after in axes:
        if not 0 <= min(before, after) <= max(before, after) < span:
            raise ValueError(f"padding=(top, bottom, left, right)={padding} must be at least 0 and less than {what}")
        if length + before + after < span:
            raise ValueError(
                f"{what} must fit into the image: {name}={length} with its padding is {length + before + after}"
            )
