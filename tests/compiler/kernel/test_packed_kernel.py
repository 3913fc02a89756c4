"""The packed kernel against the oracle."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnnhw.compiler import evaluate, integerize, load
from bnnhw.compiler.ir.graph import random_feeds
from bnnhw.compiler.kernel.packed_kernel import IMAGES, PackedKernel, PackedStep, blas, images_per_second
from tests.compiler.make_model import CHAINS, make_model


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    frames=st.integers(1, 70),
    width=st.integers(1, 300),
    binarise=st.booleans(),
    chain=st.sampled_from(CHAINS),
    output=st.sampled_from(["affine", "batch_norm"]),
    label=st.booleans(),
    threads=st.integers(1, 3),
)
def test_equals_the_oracle(tmp_path_factory, seed, frames, width, binarise, chain, output, label, threads):
    model = make_model(
        seed=seed, shape=(5, 7, 2), hi=9, hidden=(width, 5), binarise=binarise, chain=chain, output=output
    )
    path = model.save(tmp_path_factory.mktemp("model") / "model.pt")
    graph = integerize(load(path), output="label" if label else "scores")
    x = np.random.default_rng(seed).integers(0, 10, (frames, 5, 7, 2)).astype(np.uint8)
    (expected,) = evaluate(graph, {"x": x}).values()
    np.testing.assert_array_equal(PackedKernel(graph, threads=threads)(x), expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64])
@pytest.mark.parametrize("binarise", [False, True])
def test_more_images_than_a_block(tmp_path, dtype, binarise):
    graph = integerize(load(make_model(seed=1, hi=9, binarise=binarise).save(tmp_path / "model.pt")))
    x = random_feeds(graph, samples=2 * IMAGES + 3, seed=0)["x"]
    (expected,) = evaluate(graph, {"x": x}).values()
    np.testing.assert_array_equal(PackedKernel(graph)(x.astype(dtype)), expected)


def test_images_out_of_range(tmp_path):
    graph = integerize(load(make_model(seed=0, hi=9).save(tmp_path / "model.pt")))
    with pytest.raises(ValueError, match=r"^'x' must lie in \[0, \d+\], but spans \[0, 200\]$"):
        PackedKernel(graph)(np.array([0] * 11 + [200], np.uint8).reshape(1, 4, 3, 1))


def test_no_images(tmp_path):
    graph = integerize(load(make_model(seed=0).save(tmp_path / "model.pt")))
    assert np.shape(PackedKernel(graph)(np.zeros((0, 4, 3, 1), np.uint8))) == (0,)


def test_blas_has_no_threads_of_its_own(tmp_path):
    """They would wait for each other where every thread of the kernel calls it; afterwards all is as it was."""
    kernel = PackedKernel(integerize(load(make_model(seed=0).save(tmp_path / "model.pt"))), threads=2)
    seen = []

    def look(values):
        seen.append(blas_threads())
        return values

    def blas_threads():
        return {library["num_threads"] for library in blas().info() if library["user_api"] == "blas"}

    kernel.steps.insert(0, PackedStep(look, (kernel.input.name,), "seen", frozenset()))
    with blas().limit(limits=2, user_api="blas"):
        before = blas_threads()
        kernel(np.zeros((1, 4, 3, 1), np.uint8))
        assert before == blas_threads() == {2}
    assert seen == [{1}]


def test_options_are_checked(tmp_path):
    graph = integerize(load(make_model(seed=0).save(tmp_path / "model.pt")))
    with pytest.raises(ValueError, match=r"^threads=0 must be at least 1$"):
        PackedKernel(graph, threads=0)
    with pytest.raises(ValueError, match=r"^repeats=0 must be at least 1$"):
        images_per_second(len, np.zeros(3), repeats=0)


def test_the_rate_counts_images():
    assert images_per_second(len, np.zeros(1000)) > 1000
