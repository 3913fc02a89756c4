"""What all units of matrix-vector products have in common before they are built.

Tests: tests/hw/product/test_matrix_unit.py
Tests: tests/hw/hardwired/test_unit.py
"""

from dataclasses import dataclass

__all__ = ["BinaryShape", "ProductShape"]


@dataclass(frozen=True, kw_only=True)
class ProductShape:
    """A (rows, cols) matrix times vectors of `planes`-bit numbers.

    Parameters
    ----------
    rows, cols : int
    vectors : int
        Vectors side by side: FINN's MMV.
    planes : int
        Bits of an input element.
    """

    rows: int
    cols: int
    vectors: int = 1
    planes: int = 1

    def __post_init__(self) -> None:
        for name in ("rows", "cols", "vectors", "planes"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")


@dataclass(frozen=True, kw_only=True)
class BinaryShape(ProductShape):
    """The same with a matrix of +1/-1: its mismatch sums.

    Parameters
    ----------
    thresholded : bool
        Whether a result is one bit, else the mismatch sum.
    """

    thresholded: bool = True

    @property
    def greatest_sum(self) -> int:
        """The greatest mismatch sum."""
        return self.cols * ((1 << self.planes) - 1)

    @property
    def sum_width(self) -> int:
        """Bits of a mismatch sum."""
        return self.greatest_sum.bit_length()

    @property
    def result_width(self) -> int:
        """Bits of a row's result for one vector."""
        return 1 if self.thresholded else self.sum_width
