"""What a sensor makes of little light: photons counted, electronics that add noise, numbers that are whole."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Sensor", "expose"]


@dataclass(frozen=True, kw_only=True)
class Sensor:
    """A sensor at one setting of its amplifier.

    A pixel with a mean of n electrons gives the number rint(gain * (Poisson(n) + read + row) + black_level), cut to
    0..white_level; `read` is normal, drawn for each pixel, `row` normal, drawn once for each row. So its variance is
    gain * mean + gain^2 * (read_noise^2 + row_noise^2) + 1/12, mean being that of the number above black: a line.

    Sources: EMVA 1288 for that line (the photon transfer method); Wei et al., "A Physics-Based Noise Formation Model
    for Extreme Low-Light Raw Denoising", arXiv:2003.12751, for the parts, whose heavy tails are left out here.

    Attributes
    ----------
    gain : float
        Numbers for each electron.
    read_noise, row_noise : float
        Standard deviations, in electrons.
    black_level, white_level : int
        The number of no light, and the greatest one.
    """

    gain: float = 2.0
    read_noise: float = 2.0
    row_noise: float = 0.3
    black_level: int = 512
    white_level: int = 16383

    def __post_init__(self) -> None:
        if not self.gain > 0:
            raise ValueError(f"gain={self.gain} must be greater than 0")
        for name in ("read_noise", "row_noise"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 0")
        if not 0 <= self.black_level < self.white_level:
            raise ValueError(f"black_level={self.black_level} must lie in [0, white_level={self.white_level})")

    @property
    def range(self) -> int:
        """Numbers from black to white."""
        return self.white_level - self.black_level


def expose(
    mosaic: NDArray[np.float32], *, ratio: float, sensor: Sensor, generator: np.random.Generator
) -> NDArray[np.float32]:
    """The mosaic (H, W) of an exposure 1/`ratio` as long as that of `mosaic`; both are 0 at black and 1 at white.

    `mosaic` is taken as free of noise. The result may fall below 0, as a sensor's does.
    """
    electrons = np.maximum(mosaic, 0) * (sensor.range / (ratio * sensor.gain))
    height, width = mosaic.shape
    signal = (
        generator.poisson(electrons)
        + generator.normal(0, sensor.read_noise, (height, width))
        + generator.normal(0, sensor.row_noise, (height, 1))
    )
    numbers = np.rint(sensor.gain * signal + sensor.black_level).clip(0, sensor.white_level)
    return ((numbers - sensor.black_level) / sensor.range).astype(np.float32)
