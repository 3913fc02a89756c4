"""A unit with random input and the output that it must have."""

from collections.abc import Callable
from typing import Any

import numpy as np

FRAMES = 6


Case = Callable[[int], tuple[Any, np.ndarray, np.ndarray]]
"""A function of a seed: the component, its input frames and its output frames, both (frames, beats, words) uint64."""
