"""A first convolution of few channels: its windows as the channels of its input, so that a word holds many taps.

Tests: tests/compiler/engine/test_first_layer.py
"""

from dataclasses import replace

import numpy as np

from bnnhw.compiler.ir.ops import Conv
from bnnhw.compiler.ir.types import FloatType
from bnnhw.hw.engine.engine_shape import WINDOW_CHANNELS, WINDOW_COLUMNS, EngineShape

from .layer_data import check_sums
from .layers import EngineLayer, EngineNetwork

__all__ = ["with_windows"]


def with_windows(network: EngineNetwork, shape: EngineShape) -> EngineNetwork:
    """The network with windows of its first convolution as its input, where that has few channels.

    Windows of columns are made by the engine, where it can: those of some colours, of several bits each. All others are
    laid out by the host. None where a border is a product of 0, which no code stands for, or where other layers read
    the input, too. Raises ScheduleError where sums of the engine's windows have no room.
    """
    conv, first = network.layers[0].conv, network.layers[0]
    no_code = any(conv.padding) and not first.pads_with_code
    shared = len(first.reads) > 1 or len(network.readers(network.input)) > 1
    if conv.kernel == (1, 1) or conv.channels >= shape.array.simd or no_code or shared:
        return network
    by_engine = (
        shape.makes_windows
        and conv.kernel[1] == WINDOW_COLUMNS
        and conv.dilation[1] == 1
        and conv.channels <= WINDOW_CHANNELS
        and first.planes > 2
        and (conv.is_binary or _knows_nothing(first))
    )
    if not by_engine:
        return _by_host(network)
    made = _by_engine(network)
    windows = made.layers[0]
    check_sums(windows, conv.cols if conv.is_binary else windows.conv.cols, shape)
    return made


def _knows_nothing(first: EngineLayer) -> bool:
    """Whether a window's bits of no channel, which are 0, add nothing whatever their weights, or there are none."""
    assert not isinstance(first.element, FloatType)
    return first.element.lo == 0 or first.conv.channels == WINDOW_CHANNELS


def _by_host(network: EngineNetwork) -> EngineNetwork:
    """A window is a pixel, of a convolution of 1 x 1."""
    first, *others = network.layers
    conv = first.conv
    lines, columns, _ = conv.output_shape(first.in_shape)
    pixels = Conv(conv.weights.reshape(conv.rows, 1, 1, -1), factors=conv.factors)
    whole = replace(first, conv=pixels, in_shape=(lines, columns, conv.cols), channels=(conv.cols,))
    return replace(network, layers=(whole, *others), windows=conv)


def _by_engine(network: EngineNetwork) -> EngineNetwork:
    """A pixel has the channels of its window's columns, as a WindowLane orders them; lines are taps as ever."""
    first, *others = network.layers
    conv = first.conv
    height, width = conv.kernel
    unused = -1 if conv.is_binary else conv.weights.min()  # their bits are 0, as those of -1
    weights = np.full((conv.rows, height, 1, width, WINDOW_CHANNELS), unused, conv.weights.dtype)
    weights[..., : conv.channels] = conv.weights[:, :, None]
    lines, columns, _ = first.in_shape
    windows = columns + 2 * conv.padding[1] - width + 1
    pixels = replace(conv, weights=weights.reshape(conv.rows, height, 1, -1), padding=(conv.padding[0], 0))
    channels = width * WINDOW_CHANNELS
    whole = replace(first, conv=pixels, in_shape=(lines, windows, channels), channels=(channels,), reads_windows=True)
    return replace(network, layers=(whole, *others), windows=conv)
