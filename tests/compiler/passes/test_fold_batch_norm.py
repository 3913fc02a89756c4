"""fold_batch_norm: exact thresholds, whatever the float arithmetic does."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from bnnhw.compiler import FoldError, evaluate
from bnnhw.compiler.ir.ops import Affine, BatchNorm, Elementwise, InputThreshold, MatMul, Relu, Sign, Threshold
from bnnhw.compiler.passes import fold_batch_norm, separate_sums

from .graphs import chain, linear, ops_of, vector


def norm(weight: float, bias: float, mean: float, variance: float) -> BatchNorm:
    """The same batch norm for three channels."""
    return BatchNorm(1e-5, *(vector(*[value] * 3) for value in (mean, variance, weight, bias)))


NORMS = {
    "rising": norm(1, 0, 1, 4),
    "falling": norm(-1, 0, 1, 4),
    "zero at a sum": norm(1, 0, 2, 1),
    "gamma 0, beta 0: always": norm(0, 0, 1, 1),
    "gamma 0, beta below: never": norm(0, -1, 1, 1),
    "no variance": norm(1, 0.1, 0, 0),
    "threshold beyond reach": norm(1, 0, 1e6, 1),
    "falling, beyond reach": norm(-1, 0, 1e6, 1),
    "overflow": norm(1e38, 0, 0, 1e-38),
}


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("case", NORMS)
def test_equals_the_trained_signs_on_every_input(case, binary):
    first = [InputThreshold(1)] if binary else []
    before = separate_sums(chain(*first, linear(3, 4), NORMS[case], Sign(), lo=0, hi=2))
    after = fold_batch_norm(before)
    assert ops_of(after)[-2:] == ["MatMul", "Threshold"]
    feeds = {"x": np.stack(np.meshgrid(*[np.arange(3)] * 4), axis=-1).reshape(-1, 4)}
    np.testing.assert_array_equal(evaluate(after, feeds)[after.outputs[0]], evaluate(before, feeds)[before.outputs[0]])


def test_constant_channels_have_thresholds_at_the_border_of_reach():
    both = BatchNorm(1e-5, vector(0, 0), vector(1, 1), vector(0, 0), vector(1, -1))
    graph = chain(InputThreshold(1), linear(2, 4), both, Sign())
    after = fold_batch_norm(separate_sums(graph))
    threshold = after.nodes[-1].op
    assert isinstance(threshold, Threshold)
    assert threshold.thresholds.tolist() == [-4, 6]  # +-1 sums of four: -4, -2, 0, 2, 4


def test_falling_rows_are_inverted():
    before = separate_sums(chain(linear(3, 4), norm(-1, 0, 1, 4), Sign(), lo=-1))
    after = fold_batch_norm(before)
    old, new = before.nodes[0].op, after.nodes[0].op
    assert isinstance(old, MatMul)
    assert isinstance(new, MatMul)
    np.testing.assert_array_equal(new.weights, -old.weights)


@dataclass(frozen=True)
class Square(Elementwise):
    """y = x*x - 1: no monotone function."""

    def reference(self, *inputs: Any) -> Any:
        return inputs[0].astype(np.float32) ** 2 - np.float32(1)


def test_a_layer_that_rises_and_falls_is_refused():
    with pytest.raises(FoldError, match=r"^layer 'n1': the sign of channel 0 changes 2 times as its sum rises; only"):
        fold_batch_norm(separate_sums(chain(InputThreshold(1), linear(3, 4), Square(), Sign())))


def test_a_value_with_two_readers_is_refused():
    graph = separate_sums(chain(linear(3, 4), Relu(), Sign()))
    graph = type(graph)(graph.inputs, graph.nodes, ("v0", "v2"))
    with pytest.raises(FoldError, match=r"^layer 'n0': value 'v0' may have one reader only, but is an output"):
        fold_batch_norm(graph)


def test_a_chain_of_many_layers_is_one_threshold():
    scale = Affine(vector(2), vector(0.5))
    after = fold_batch_norm(separate_sums(chain(linear(3, 4), scale, norm(1, 0, 1, 4), Relu(), Sign())))
    assert ops_of(after) == ["MatMul", "Threshold"]
