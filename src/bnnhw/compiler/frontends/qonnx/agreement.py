"""A file's network, executed by qonnx, against the trained graph that was made of it.

Tests: tests/compiler/frontends/qonnx/test_agreement.py
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.errors import ModelError
from bnnhw.compiler.ir.graph import Graph, evaluate
from bnnhw.compiler.ir.ops import Op, UniformQuantise
from bnnhw.compiler.ir.types import IntType

from .held import CHANNELS_FIRST
from .read import quiet
from .translate import Quantised, Translation

__all__ = ["Agreement", "Tie", "agreement", "sample_images"]

ROUNDING = 2.0**-16
"""Of the greatest magnitude of a tensor: nearer to a step than this, float32's rounding decides."""
LIMITS = -(2.0**20), 2.0**20
"""Of steps, far beyond what any quantiser has."""
SCORES = 1e-4
"""Of the greatest score: what sums in another order may differ by."""


@dataclass(frozen=True)
class Tie:
    """A value that lies so near to a step that the file's own float arithmetic decides, otherwise than the graph's."""

    node: str
    image: int
    place: tuple[int, ...]
    real: float
    file: int
    graph: int

    def __str__(self) -> str:
        return f"{self.node}, image {self.image}, {self.place}: {self.real:.9g} is {self.file} there, {self.graph} here"


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """What was compared on so many images: integers behind the quantisers, and labels or images at the end.

    near : how many values lie within float32's rounding of a step
    ties : those of them of which the graph makes another integer
    labels : how many labels differ, all of them of images with ties, or with scores that are equal but for rounding
    """

    images: int
    integers: int
    near: int
    ties: tuple[Tie, ...]
    labels: int


def sample_images(graph: Graph, count: int, *, seed: int = 0) -> NDArray[np.int64]:
    """So many inputs, (count, *shape): uniform noise and, every second one, blocks with a little noise, as pictures
    are."""
    (value,) = graph.inputs
    element, shape = value.type.element, value.type.shape
    assert isinstance(element, IntType)
    generator = np.random.default_rng(seed)
    images = generator.integers(element.lo, element.hi + 1, (count, *shape))
    for image in images[1::2]:
        block = generator.integers(2, 6)
        coarse = image[::block, ::block] if len(shape) == 3 else image[::block]
        for axis in range(min(2, len(shape))):
            coarse = coarse.repeat(block, axis=axis)
        noise = generator.integers(-2, 3, shape) * (element.hi - element.lo) // 128
        image[...] = np.clip(coarse[tuple(map(slice, shape))] + noise, element.lo, element.hi)
    return images


def agreement(
    model: Any, translation: Translation, images: NDArray[np.int64], *, progress: Callable[[int], None] = lambda n: None
) -> Agreement:
    """Execute the file's network and compare what lies behind each quantiser with the trained graph's integers.

    Each layer of the graph reads the file's own integers, so that a tie does not hide what follows. Raises ModelError
    for any other difference.
    """
    wanted = _tensors(translation)
    found: dict[str, list[NDArray[np.float32]]] = {name: [] for name in wanted}
    for number, context in enumerate(_contexts(model, translation, images)):
        progress(number)
        for name in wanted:
            found[name].append(np.asarray(context[name], np.float32))
    tensors = {name: np.concatenate(each) for name, each in found.items()}
    for name, tensor in tensors.items():
        if not np.isfinite(tensor).all():
            raise ModelError(f"tensor {name!r} is NaN or infinite in the file's own execution")
    compared = _compared(model, translation, images, tensors)
    return _with_labels(translation, images, tensors, compared)


def _tensors(translation: Translation) -> list[str]:
    quantised = (name for one in translation.quantised for name in (one.call.inputs[0], one.call.output))
    return list(dict.fromkeys([*quantised, *(tensor for tensor, _ in translation.scores.values())]))


def _contexts(model: Any, translation: Translation, images: NDArray[np.int64]) -> Iterator[dict[str, Any]]:
    """All tensors of the file's network for each image."""
    from qonnx.core.onnx_exec import execute_onnx

    (value,) = translation.graph.inputs
    for image in images:
        tensor = translation.meaning.tensor(image[None])
        if translation.source.axes == CHANNELS_FIRST:
            tensor = tensor.transpose(0, 3, 1, 2)
        feed = {value.name: np.ascontiguousarray(tensor)}
        try:
            with quiet():
                context = execute_onnx(model, feed, return_full_exec_context=True)
        except Exception as error:  # qonnx and onnxruntime raise whatever they stumble over
            lines = str(error).splitlines() or [type(error).__name__]
            raise ModelError(f"qonnx cannot execute it: {lines[0][:200]}") from error
        yield context


def _compared(
    model: Any, translation: Translation, images: NDArray[np.int64], tensors: dict[str, NDArray[np.float32]]
) -> Agreement:
    """The integers behind each quantiser, and the outputs' numbers."""
    graph = translation.graph
    quantised = {one.held.value: one for one in translation.quantised}
    values: dict[str, NDArray[Any]] = {graph.inputs[0].name: images}
    integers, near, ties = 0, 0, list[Tie]()
    for node in graph.nodes:
        made = node.op.reference(*(values[name] for name in node.inputs))
        if (one := quantised.get(node.output)) is not None:
            expected = _integers(one, tensors)
            integers += expected.size
            real, distance = _steps(model, one, node.op, tensors)
            close = distance <= ROUNDING * np.abs(real).max()
            near += int(close.sum())
            ties += _ties(one, made, expected, real, close)
            made = expected
        values[node.output] = made
    for value, (tensor, held) in translation.scores.items():
        expected = held.to_value(tensors[tensor])
        most = np.abs(expected).max()
        if (wrong := np.abs(values[value] - expected) > SCORES * most).any():
            image, *place = np.argwhere(wrong)[0]
            here, there = values[value][image, *place], expected[image, *place]
            raise ModelError(
                f"output {tensor!r}, image {image}, {tuple(map(int, place))} is {there:.9g} in the file's own "
                f"execution, and {here:.9g} in the graph made of it"
            )
    return Agreement(images=len(images), integers=integers, near=near, ties=tuple(ties), labels=0)


def _integers(one: Quantised, tensors: dict[str, NDArray[np.float32]]) -> NDArray[np.int64]:
    """What the file's quantiser gave, over its scale."""
    return np.rint(one.held.to_value(tensors[one.call.output]) / one.held.scale).astype(np.int64)


def _steps(
    model: Any, one: Quantised, op: Op, tensors: dict[str, NDArray[np.float32]]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(what the file's quantiser rounds, its distance from where that changes), in steps."""
    read = one.held.to_value(tensors[one.call.inputs[0]])
    if one.call.op == "MultiThreshold":
        table = model.get_initializer(one.call.inputs[1])
        table = table if one.held.order is None or len(table) == 1 else table[one.held.order]
        return read, np.abs(read[..., None] - table).min(-1)
    if not isinstance(op, UniformQuantise):
        return read, np.abs(read)
    with np.errstate(over="ignore"):
        steps = read / one.held.scale + np.float32(op.zero_point)
    steps = np.clip(steps, *LIMITS)
    return steps, np.abs(steps - np.floor(steps) - np.float32(0.5))


def _ties(
    one: Quantised,
    made: NDArray[np.int64],
    expected: NDArray[np.int64],
    real: NDArray[np.float32],
    close: NDArray[np.bool_],
) -> Iterator[Tie]:
    """The values of which both make another integer. ModelError for one that is no tie."""
    for image, *place in np.argwhere(made != expected):
        where = (image, *place)
        tie = Tie(
            one.call.name,
            int(image),
            tuple(map(int, place)),
            float(real[where]),
            int(expected[where]),
            int(made[where]),
        )
        if not close[where]:
            raise ModelError(
                f"{one.call.where} gives {tie.file} in the file's own execution, and {tie.graph} in the graph made of "
                f"it: image {tie.image}, {tie.place}, {tie.real:.9g} before rounding"
            )
        yield tie


def _with_labels(
    translation: Translation,
    images: NDArray[np.int64],
    tensors: dict[str, NDArray[np.float32]],
    compared: Agreement,
) -> Agreement:
    """The labels of the whole graph, too, whose layers read its own integers."""
    answers = evaluate(translation.graph, {translation.graph.inputs[0].name: images})
    with_ties = {tie.image for tie in compared.ties}
    different = 0
    for value, (tensor, held) in translation.scores.items():
        expected = held.to_value(tensors[tensor])
        if expected.ndim != 2:
            continue
        ours = answers[value].argmax(1)
        gap = expected.max(1) - expected[np.arange(len(ours)), ours]
        for image in np.flatnonzero(expected.argmax(1) != ours):
            if int(image) not in with_ties and gap[image] > SCORES * np.abs(expected).max():
                raise ModelError(f"image {image} has another label in the graph than in the file's own execution")
            different += 1
    return replace(compared, labels=different)
