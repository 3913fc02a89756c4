"""Integer graphs whose paths meet again: ways of other lengths, kernels and strides, so some beats wait."""

from collections.abc import Callable

from bnnhw.compiler.ir import ops

from .sketches import Sketch

__all__ = ["PATHS", "repeated"]


def skip_over(*kernels: int) -> Callable[[Sketch], str]:
    """Bits beside those of convolutions with these kernels, one behind the other."""

    def draw(sketch: Sketch) -> str:
        value = first = bits(sketch, "x", 3)
        for kernel in kernels:
            value = bits(sketch, value, 3, kernel)
        return sketch.dense(sketch.add(ops.Concat(), first, value), 5)

    return draw


def skip_by_pooling(sketch: Sketch) -> str:
    first = bits(sketch, "x", 4)
    pooled = sketch.add(ops.MaxPool((2, 2), (2, 2)), first)
    return sketch.dense(sketch.add(ops.Concat(), pooled, bits(sketch, first, 3, 5, stride=(2, 2))), 5)


def pooling_beside_two(sketch: Sketch) -> str:
    first = bits(sketch, "x", 4)
    pooled = sketch.add(ops.MaxPool((2, 2), (2, 2)), first)
    return sketch.dense(sketch.add(ops.Concat(), pooled, bits(sketch, bits(sketch, first, 2), 4, stride=(2, 2))), 5)


def three_branches(sketch: Sketch) -> str:
    first = bits(sketch, "x", 4)
    return sketch.dense(sketch.add(ops.Concat(), first, bits(sketch, first, 2), bits(sketch, first, 3, 5)), 5)


def nested(sketch: Sketch) -> str:
    first = bits(sketch, "x", 4)
    inner = bits(sketch, first, 3)
    inner = sketch.add(ops.Concat(), inner, bits(sketch, inner, 2))
    return sketch.dense(sketch.add(ops.Concat(), first, bits(sketch, inner, 2)), 5)


def sum_beside_two(sketch: Sketch) -> str:
    sums = sketch.conv("x", 4)
    long = sketch.conv(bits(sketch, sketch.sign(sums), 2, 5), 4)
    return sketch.dense(sketch.sign(sketch.add(ops.Add(), sums, long)), 5)


def sum_with_its_signs(sketch: Sketch) -> str:
    sums = sketch.conv("x", 4)
    return sketch.dense(sketch.sign(sketch.add(ops.Add(), sums, sketch.conv(sketch.sign(sums), 4))), 5)


def two_skips(sketch: Sketch) -> str:
    return repeated(sketch, 2)


def repeated(sketch: Sketch, count: int, rows: int = 2) -> str:
    """DenseNet's idea so many times: bits beside those of a convolution of them."""
    value = bits(sketch, "x", 4)
    for _ in range(count):
        value = sketch.add(ops.Concat(), value, bits(sketch, value, rows))
    return sketch.dense(value, 5)


def bits(sketch: Sketch, value: str, rows: int, kernel: int = 3, **options) -> str:
    """A convolution and thresholds."""
    return sketch.sign(sketch.conv(value, rows, kernel, **options))


PATHS: dict[str, Callable[[Sketch], str]] = {
    "over_one": skip_over(3),
    "over_a_large_one": skip_over(5),
    "over_two": skip_over(3, 3),
    "over_three": skip_over(1, 3, 5),
    **{
        draw.__name__: draw
        for draw in (
            skip_by_pooling,
            pooling_beside_two,
            three_branches,
            nested,
            sum_beside_two,
            sum_with_its_signs,
            two_skips,
        )
    },
}
