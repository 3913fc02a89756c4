"""Random model files, degenerate ones included: what the tests of this room and the fuzz test feed to the compiler.

Everything is drawn from a seed, so that a failing network can be made again from its parameters.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

CHAINS = ("batch_norm", "scaled", "hard_tanh", "bare")
"""What may stand between a layer's sum and its sign."""


class ModelFile:
    """A model file under construction: `add` appends a node, behind the last one or the values that it is given as
    `inputs`, and `save` writes it."""

    def __init__(self, shape: tuple[int, ...], lo: int, hi: int):
        self.value, self.version = "x", 1
        self.nodes: list[dict[str, Any]] = []
        self.tensors: dict[str, torch.Tensor] = {}
        self.inputs = [{"name": "x", "shape": list(shape), "element": {"kind": "int", "lo": lo, "hi": hi}}]

    def add(
        self,
        op: str,
        tensors: dict[str, NDArray[Any]] | None = None,
        inputs: tuple[str, ...] = (),
        **attributes: Any,
    ) -> None:
        self.version = 2 if inputs else self.version
        name = f"{op}{len(self.nodes)}"
        keys = {field: f"{name}.{field}" for field in tensors or {}}
        self.tensors |= {keys[field]: torch.from_numpy(np.array(array)) for field, array in (tensors or {}).items()}
        self.nodes.append(
            {
                "name": name,
                "op": op,
                "inputs": list(inputs or [self.value]),
                "output": f"{name}.out",
                "attributes": attributes,
                "tensors": keys,
            }
        )
        self.value = f"{name}.out"

    def data(self) -> dict[str, Any]:
        graph = {"inputs": self.inputs, "nodes": self.nodes, "outputs": [self.value]}
        scores = next(node for node in reversed(self.nodes) if node["op"] == "binary_linear")
        classes = [str(label) for label in range(scores["attributes"]["out_features"])]
        meta = {"network": "random", "dataset": "random", "classes": classes, "bnnhw": "0", "metrics": {}}
        return {"format": "bnnhw-model", "version": self.version, "graph": graph, "tensors": self.tensors, "meta": meta}

    def save(self, path: Path) -> Path:
        torch.save(self.data(), path)
        return path


def make_model(
    *,
    seed: int,
    shape: tuple[int, ...] = (4, 3, 1),
    lo: int = 0,
    hi: int = 255,
    hidden: tuple[int, ...] = (8, 6),
    classes: int = 5,
    binarise: bool = True,
    chain: str = "batch_norm",
    output: str = "affine",
) -> ModelFile:
    """A random network: [input_threshold,] flatten, (binary_linear, chain, sign) for each hidden width, and the
    output layer.

    `chain` is one of CHAINS; `output` is "affine" (one scale for all classes), "batch_norm" or "none".
    About half of all batch norm channels are degenerate: gamma 0 or tiny, tiny variance, a mean far outside the
    reachable sums; half of all gammas are negative.
    """
    rng = np.random.default_rng(seed)
    model = ModelFile(shape, lo, hi)
    if binarise:
        model.add("input_threshold", threshold=float(rng.uniform(lo - 1, hi + 1)))
    model.add("flatten")
    cols = int(np.prod(shape))
    for width in hidden:
        add_linear(model, rng, cols, width, scaled=chain == "scaled")
        if chain == "batch_norm":
            add_batch_norm(model, rng, width, spread=2 * np.sqrt(cols))
        elif chain == "hard_tanh":
            add_batch_norm(model, rng, width, spread=2 * np.sqrt(cols))
            model.add("hard_tanh")
        model.add("sign")
        cols = width
    add_linear(model, rng, cols, classes, scaled=False)
    if output == "affine":
        model.add("affine", {"weight": positive(rng, 1), "bias": normal(rng, 1)})
    elif output == "batch_norm":
        add_batch_norm(model, rng, classes, spread=np.sqrt(cols))
    return model


def add_linear(model: ModelFile, rng: np.random.Generator, cols: int, rows: int, *, scaled: bool) -> None:
    bits = rng.integers(0, 2, (rows, cols), dtype=np.uint8)
    tensors: dict[str, NDArray[Any]] = {"weight": np.packbits(bits, axis=1, bitorder="little")}
    if scaled:
        tensors |= {"scale": normal(rng, rows), "bias": normal(rng, rows) * 3}
    model.add("binary_linear", tensors, in_features=cols, out_features=rows)


def add_batch_norm(model: ModelFile, rng: np.random.Generator, channels: int, *, spread: float) -> None:
    weight, bias = normal(rng, channels), normal(rng, channels)
    mean, variance = normal(rng, channels) * np.float32(spread), positive(rng, channels) * np.float32(spread**2)
    kind = rng.integers(0, 8, channels)
    weight[kind == 0] = 0
    weight[kind == 1] *= np.float32(1e-30)
    variance[kind == 2] = np.float32(1e-38)
    mean[kind == 3] *= np.float32(1e4)
    bias[kind == 0] = rng.choice(np.array([-1, 0, 1], np.float32), (kind == 0).sum())
    model.add("batch_norm", {"weight": weight, "bias": bias, "mean": mean, "variance": variance}, eps=1e-5)


def normal(rng: np.random.Generator, size: int) -> NDArray[np.float32]:
    return rng.standard_normal(size).astype(np.float32)


def positive(rng: np.random.Generator, size: int) -> NDArray[np.float32]:
    return rng.uniform(0.05, 2, size).astype(np.float32)
