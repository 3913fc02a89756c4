"""fold_output: the label of the float scores, with the fewest integers."""

import sys

import numpy as np
import pytest

from bnnhw.compiler import FoldError, evaluate
from bnnhw.compiler.ir.ops import Affine, BatchNorm, InputThreshold, Op, Relu, ScoreTable
from bnnhw.compiler.passes import add_argmax, fold_output, separate_sums

from .graphs import chain, linear, ops_of, vector

PLAIN, TABLE = ["InputThreshold", "MatMul", "ArgMax"], ["InputThreshold", "MatMul", "ScoreTable", "ArgMax"]


@pytest.mark.parametrize(
    ("ops", "left"),
    [
        ([], PLAIN),
        ([Affine(vector(0.5), vector(-3))], PLAIN),
        ([Affine(vector(-0.5), vector(-3))], TABLE),
        ([Affine(vector(0), vector(1))], TABLE),
        ([Affine(vector(1e-30), vector(1))], TABLE),  # sums become equal in float32
        ([Affine(vector(1, 2, 3), vector(0))], TABLE),
        ([Relu()], TABLE),
        ([BatchNorm(1e-5, vector(0, 1, 2), vector(1, 1, 1))], TABLE),
    ],
)
@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_labels_and_nodes(ops: list[Op], left, chunk, monkeypatch):
    monkeypatch.setattr(sys.modules[fold_output.__module__], "CHUNK", chunk)
    before = add_argmax(separate_sums(chain(InputThreshold(1), linear(3, 6, seed=5), *ops, shape=(6,))))
    after = fold_output(before)
    assert ops_of(after) == left
    feeds = {"x": np.stack(np.meshgrid(*[np.arange(2)] * 6), axis=-1).reshape(-1, 6)}
    np.testing.assert_array_equal(evaluate(after, feeds)["label"], evaluate(before, feeds)["label"])


def test_ranks_are_dense_and_compare_over_classes():
    scores = Affine(vector(1, 1, 2), vector(0))
    after = fold_output(add_argmax(separate_sums(chain(InputThreshold(1), linear(3, 2), scores, shape=(2,)))))
    (table,) = (node.op for node in after.nodes if isinstance(node.op, ScoreTable))
    assert table.table.tolist() == [[1, 2, 3], [1, 2, 3], [0, 2, 4]]  # scores -2 0 2, -2 0 2, -4 0 4


def test_nan_scores_are_refused():
    infinite = [Affine(vector(3e38), vector(0)), Affine(vector(3e38), vector(0)), Affine(vector(0), vector(0))]
    graph = add_argmax(separate_sums(chain(InputThreshold(1), linear(3, 2), *infinite, shape=(2,))))
    with pytest.raises(
        FoldError, match=r"^value 'v4': channel 0 is NaN for a sum of -2; a factor before it overflows float32$"
    ):
        fold_output(graph)


def test_a_table_beyond_all_memory_is_refused():
    norm = BatchNorm(1e-5, vector(0, 1, 2), vector(1, 1, 1))
    graph = add_argmax(separate_sums(chain(linear(3, 128), norm, shape=(128,), hi=65535)))
    with pytest.raises(FoldError, match=r"^layer 'n0' can make 8388481 sums a class, .* would have 25165443 entries, "):
        fold_output(graph)
