"""The rows of an image, as the windows of a convolution need them and let them go.

Tests: tests/hw/window/test_sliding_window.py
"""

from dataclasses import dataclass
from functools import cached_property

__all__ = ["WindowRows"]


@dataclass(frozen=True, kw_only=True)
class WindowRows:
    """Which rows the output rows need, image after image without a pause.

    Output row y sees the rows y * stride - padding + ky, ky < taps; what lies outside the image is no row.

    Parameters
    ----------
    height, out_height : int
        Rows of the image and of the output.
    taps, stride, padding : int
        Of the kernel, its height; from output row to output row; above the image.
    """

    height: int
    out_height: int
    taps: int
    stride: int
    padding: int

    @cached_property
    def claims(self) -> tuple[int, ...]:
        """Rows that output row y needs beyond those that the row before had. Row 0 takes over the unused rows at the
        end of the image before, too."""
        ends = [min(y * self.stride + self.taps - self.padding, self.height) for y in range(self.out_height)]
        return tuple(b - a for a, b in zip([ends[-1] - self.height, *ends], ends, strict=False))

    @property
    def first_claim(self) -> int:
        """Rows that the very first output row needs."""
        return min(self.taps - self.padding, self.height)

    @cached_property
    def frees(self) -> tuple[int, ...]:
        """Rows that no window needs any more after output row y."""
        starts = [max(0, (y + 1) * self.stride - self.padding) for y in range(self.out_height - 1)]
        starts.append(self.height)
        return tuple(b - a for a, b in zip([0, *starts], starts, strict=False))

    @cached_property
    def most(self) -> int:
        """The most rows that an output row and the claim of the next one hold."""
        held, most = self.first_claim, 0
        for y in range(self.out_height):
            following = self.claims[(y + 1) % self.out_height]
            most = max(most, held + following)
            held += following - self.frees[y]
        return most
