"""A trained network of real numbers made one of fixed-point numbers, and what that costs.

Tests: tests/cli/test_quantise.py
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bnnhw.compiler.ir.graph import Graph
from bnnhw.files import sole_writer
from bnnhw.model.data.datasets import DATA_SETS, DataSet
from bnnhw.model.errors import ExportError
from bnnhw.model.export.loading import read
from bnnhw.model.export.network_file import NetworkFile
from bnnhw.model.export.save_model import save
from bnnhw.model.fixed_point.calibration import calibrate as choose_exponents
from bnnhw.model.fixed_point.conversion import FixedPointOptions, in_fixed_point
from bnnhw.model.fixed_point.cost import Cost, RoundingCost, cost_by_layer, cost_of, labels_of

from .checks import check_count, check_output
from .images.inputs import check_images, test_set

__all__ = ["Quantised", "quantise"]

_DEFAULT = FixedPointOptions()
_EXAMPLES = 100  # that the file's network is compared with the module on, bit for bit
_LAYER_IMAGES = 200  # that each layer is judged by


@dataclass(frozen=True, kw_only=True)
class Quantised:
    """What fixed point cost on the test images of the data set called `dataset`, and what each rounding does alone, the
    worst first."""

    dataset: str
    cost: Cost
    layers: tuple[RoundingCost, ...]


def quantise(
    model: str | Path,
    output: str | Path,
    *,
    calibrate: str | Path,
    data_dir: str | Path | None = None,
    bits: int = _DEFAULT.bits,
    weight_bits: int = _DEFAULT.weight_bits,
    images: int = 512,
    progress: Callable[[str, str], None] = lambda stage, note: None,
) -> Quantised:
    """Make a trained network of real numbers one of fixed-point numbers, without training, and write its model.pt.

    Its exponents are those of the least squared error on training images; the test images tell what it costs.

    >>> import bnnhw
    >>> done = bnnhw.quantise("real.pt", "fixed.pt", calibrate="cifar10")    # doctest: +SKIP
    >>> done.cost.difference, done.cost.interval    # doctest: +SKIP
    (0.0045, (-0.0017, 0.0107))

    Parameters
    ----------
    model, output : path
        The file of a network that torch alone evaluates, and the model.pt to write.
    calibrate, data_dir : str or path, path
        A data set and the folder of its files; or that folder alone, of the data set that the model was trained on.
    bits, weight_bits : int
        Of a value, 2 to 16; of a weight of layers that have real ones, 1 to 8.
    images : int
        Training images to choose the exponents by.
    progress : callable
        Is told each stage, and how far it is.

    Raises
    ------
    ValueError
        Where the model is none of real numbers, a layer has no place in fixed point, or the images are others.
    """
    output = Path(output)
    check_output(output)
    check_count("images", images)
    options = FixedPointOptions(bits=bits, weight_bits=weight_bits)
    file = _real_network(Path(model))
    data = _data_set(file, calibrate, data_dir)
    with sole_writer(output):
        try:
            fixed = in_fixed_point(file.module(), options)
            learnt = data.train_images[:images]
            choose_exponents(fixed, learnt, progress=lambda share: progress("calibrate", f"{share:.0%}"))
        except ExportError as error:
            raise ValueError(f"{model}: {error}") from error
        progress("judge", "in real numbers")
        real_labels = labels_of(file.module(), data.test_images)
        progress("judge", "in fixed point")
        cost = cost_of(real_labels, labels_of(fixed.eval(), data.test_images), data.test_labels)
        looked_at = data.test_images[:_LAYER_IMAGES]
        layers = cost_by_layer(fixed, looked_at, progress=lambda share: progress("judge layers", f"{share:.0%}"))
        metrics = {
            "test_accuracy": cost.fixed / cost.images,
            "test_correct": cost.fixed,
            "test_images": cost.images,
            "real_test_accuracy": cost.real / cost.images,
        }
        kept = {name: value for name, value in file.meta.items() if name != "bnnhw"}
        meta = {**kept, "metrics": metrics, "fixed_point": {**asdict(options), "images": len(learnt)}}
        progress("save", output.name)
        try:
            save(fixed, output, example_input=data.test_images[:_EXAMPLES], input_range=(file.lo, file.hi), meta=meta)
        except ExportError as error:
            raise ValueError(f"{model}: {error}") from error
    worst_first = sorted(layers, key=lambda layer: -layer.changed)
    return Quantised(dataset=data.name, cost=cost, layers=tuple(worst_first))


def _real_network(model: Path) -> NetworkFile:
    """What the file holds, as a network of real numbers. ValueError where it is anything else."""
    file = read(model)
    if isinstance(file, Graph):
        raise ValueError(f"{model} holds a graph, whose numbers need no quantising; `bnnhw build` takes it as it is")
    if not file.has_real_numbers():
        raise ValueError(f"{model} holds a network of fixed point already; {file.obstacle}")
    return replace(file, real=True)


def _data_set(file: NetworkFile, calibrate: str | Path, data_dir: str | Path | None) -> DataSet:
    """The data set to calibrate with. ValueError where there is none, or it is for other networks."""
    folder = None if data_dir is None else Path(data_dir)
    name = str(calibrate)
    if name not in DATA_SETS and folder is None and Path(calibrate).is_dir():
        name, folder = file.meta.get("dataset"), Path(calibrate)
    elif name not in DATA_SETS:
        raise ValueError(
            f"calibrate={name!r} must be a data set, {', '.join(DATA_SETS)}, or the folder of the model's own one"
        )
    data = test_set(name, data_dir=folder)
    for images in (data.train_images, data.test_images):
        check_images(images, data.name, shape=file.shape, lo=file.lo, hi=file.hi)
    if (known := len(file.meta["classes"])) != len(data.classes):
        raise ValueError(f"{data.name} has {len(data.classes)} classes; the network knows {known}")
    return data
