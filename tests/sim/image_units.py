"""The units that know where a pixel lies in its image, as cases: windows, poolings, constants by place."""

# pyright: reportGeneralTypeIssues=false, reportAttributeAccessIssue=false, reportArgumentType=false
# (amaranth's types are loose)

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from bnnhw.compiler.ir.types import IntType
from bnnhw.compiler.units.codes import Codes
from bnnhw.compiler.units.operator.offsets import rescaling
from bnnhw.compiler.units.port import Port
from bnnhw.compiler.units.product.borders import Borders
from bnnhw.compiler.units.thresholds import Quantising
from bnnhw.hw.window.sliding_window import SlidingWindow
from tests.beats import pixels_to_beats, to_words

from .case import FRAMES, Case


def sliding_window(height, width, channels, kernel, simd, *, element_bits=1, code=0, target, **options) -> Case:
    def case(seed):
        x = np.random.default_rng(seed).integers(0, 1 << element_bits, (FRAMES, height, width, channels))
        unit = SlidingWindow(
            height=height,
            width=width,
            channels=channels,
            element_bits=element_bits,
            kernel=kernel,
            padding_code=code,
            simd=simd,
            target=target,
            **options,
        )
        shape = unit.shape
        borders = ((0, 0), shape.padding[:2], shape.padding[2:], (0, 0))
        views = sliding_window_view(np.pad(x, borders, constant_values=code), kernel, axis=(1, 2))
        words = np.moveaxis(views[:, :: shape.stride[0], :: shape.stride[1]], 3, -1)
        words = words.reshape(FRAMES, shape.out_height, shape.out_width, -1, shape.channel_groups, shape.group_channels)
        words = words.swapaxes(3, 4).reshape(*words.shape[:3], -1)
        inputs = pixels_to_beats(x, shape.in_pixels, shape.lanes)
        return unit, to_words(inputs, element_bits), to_words(pixels_to_beats(words, shape.pixels, simd), element_bits)

    return case


def pool(unit_class, reduce, height, width, channels, window, stride, pixels, lanes, bits, target) -> Case:
    def case(seed):
        x = np.random.default_rng(seed).integers(0, 1 << bits, (FRAMES, height, width, channels))
        unit = unit_class(
            height=height,
            width=width,
            channels=channels,
            element_bits=bits,
            window=window,
            stride=stride,
            pixels=pixels,
            lanes=lanes,
            target=target,
        )
        views = sliding_window_view(x, window, axis=(1, 2))[:, :: stride[0], :: stride[1]]
        results = pixels_to_beats(reduce(views, axis=(-2, -1)), unit.shape.out_pixels, lanes)
        return unit, to_words(pixels_to_beats(x, pixels, lanes), bits), to_words(results, unit.result_bits)

    return case


def by_place(make: Callable[[np.random.Generator, Port, Borders], tuple[Any, Any]], greatest, pixels, lanes) -> Case:
    """A unit of `make(generator, port, borders)`, which gives it and what it makes of images 4 x 6 of 4 channels."""
    rows, columns = (0, 1, 1, 2), (0, 1, 1, 1, 1, 2)

    def case(seed):
        rng = np.random.default_rng(seed)
        port = Port(4, 6, channels=4, bits=greatest.bit_length(), lanes=lanes, pixels=pixels)
        unit, function = make(rng, port, Borders(rows, columns))
        x = rng.integers(0, greatest + 1, (FRAMES, 4, 6, 4))
        y = function(x, np.ix_(rows, columns))
        inputs, outputs = (pixels_to_beats(values, pixels, lanes) for values in (x, y))
        return unit, to_words(inputs, port.bits), to_words(outputs, len(unit.o.payload) // (pixels * lanes))

    return case


def multi_threshold(bits, greatest, pixels, lanes, target) -> Case:
    def make(rng, port, borders):
        thresholds = np.sort(rng.integers(-1, greatest + 3, (3, 3, (1 << bits) - 1, 4)), axis=2)
        (stage,), _ = Quantising(thresholds, borders, greatest).stages("", port, target)
        return stage.build(), lambda x, places: (x[..., None, :] >= thresholds[places]).sum(axis=-2)

    return by_place(make, greatest, pixels, lanes)


def rescaled(factor, greatest, pixels, lanes, target) -> Case:
    def make(rng, port, borders):
        offsets = rng.integers(0, 9, (3, 3, 4))
        element = IntType(0, factor * greatest + 8)
        (stage,), _ = rescaling(Codes(offsets, factor, greatest, borders), element)[0].stages("", port, target)
        return stage.build(), lambda x, places: factor * x + offsets[places]

    return by_place(make, greatest, pixels, lanes)
