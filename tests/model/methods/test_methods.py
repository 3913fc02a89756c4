"""Every method: it trains, and what it exports computes the same bits."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from bnnhw.compiler import evaluate, integerize
from bnnhw.compiler import load as load_graph
from bnnhw.model import load
from bnnhw.model.data.datasets import DataSet, load_data_set
from bnnhw.model.errors import ExportError
from bnnhw.model.export.save_model import save
from bnnhw.model.methods import METHODS, Method, method_named
from bnnhw.model.networks.catalogue import Architecture, Convolution, architecture, build_network
from bnnhw.model.networks.resnet import ResNet
from bnnhw.model.training.recipes import Recipe
from bnnhw.model.training.training import train

SMALL = Architecture(
    widths=(24,),
    input_bits=8,
    convolutions=(Convolution(channels=6, padding=1), Convolution(channels=8, padding=1, pool=True)),
)
RECIPE = Recipe(epochs=2, batch_size=32, validation=0, learning_rate=1e-2)
EXPORTED = {
    "bnn": ("bnn",),
    "bnn stochastic": ("bnn", "stochastic=yes"),
    "bnn shift norm": ("bnn", "shift_norm=yes"),
    "bnn swish-sign": ("bnn", "gradient=swish-sign"),
    "xnor": ("xnor",),
    "bwn": ("bwn",),
    "bwn 3": ("bwn", "activation_bits=3"),
    "dorefa 1 2": ("dorefa",),
    "dorefa 1 1": ("dorefa", "activation_bits=1"),
    "dorefa gradients": ("dorefa", "activation_bits=4", "gradient_bits=6"),
    "dorefa 2 2": ("dorefa", "weight_bits=2"),
    "dorefa 8 1": ("dorefa", "weight_bits=8", "activation_bits=1"),
    "ternary": ("ternary",),
    "ternary, signs": ("ternary", "activations=binary"),
    "abc": ("abc",),
    "abc 1 1": ("abc", "weight_bases=1", "activation_bases=1"),
    "abc 1 3": ("abc", "weight_bases=1"),
    "abc 5 1": ("abc", "weight_bases=5", "activation_bases=1", "factor_bits=4"),
    "bireal": ("bireal",),
    "xnor++": ("xnor++",),
    "irnet": ("irnet",),
    "rbnn": ("rbnn",),
    "rbnn filter": ("rbnn", "rotation=filter"),
}
NOT_EXPORTED = {
    "real": (("real",), "layer 'conv1.conv' has weights of 32 bits and 1 binary bases; export supports weights of -1"),
    "xnor k": (("xnor", "input_scale=yes"), "layer 'conv2.conv' is a XnorConv2d, which export does not support"),
    "abc real": (("abc", "factor_bits=0"), "layer 'conv1.conv' has weights of 1 bits and 3 binary bases; export suppo"),
    "abc 1 3 real": (
        ("abc", "weight_bases=1", "factor_bits=0"),
        "layer 'conv1.sign' has real factors; hardware has integers (factor_bits=8)",
    ),
    "xnor++ map": (("xnor++", "scale=map"), "layer 'conv1.conv' scales each pixel by its own factor; export supports"),
    "xnor++ product": (("xnor++", "scale=product"), "layer 'conv1.conv' scales each pixel by its own factor; export"),
}


@cache
def digits() -> DataSet:
    """A part of the digits, enough to learn something from."""
    data = load_data_set("digits")
    return replace(data, train_images=data.train_images[:640], train_labels=data.train_labels[:640])


def network_of(method: Method, *, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return build_network(SMALL, shape=(8, 8, 1), lo=0, hi=16, classes=10, method=method)


def trained(name: str, *options: str) -> tuple[nn.Module, list[float]]:
    """The network after the epochs of RECIPE, and their mean losses."""
    result = train(lambda: network_of(method_named(name, options)), digits(), recipe=RECIPE)
    return result.network, [epoch.loss for epoch in result.history]


@pytest.mark.parametrize("case", EXPORTED)
def test_learns_and_exports_to_the_same_bits(tmp_path: Path, case: str) -> None:
    network, losses = trained(*EXPORTED[case])
    assert losses[-1] < 0.9 * losses[0]
    data = digits()
    save(network, tmp_path / "model.pt", example_input=data.test_images[:50], input_range=(0, 16))
    images = torch.from_numpy(data.test_images).float()
    with torch.inference_mode():
        scores = network(images)
        assert torch.equal(load(tmp_path / "model.pt")(images), scores)
    graph = load_graph(tmp_path / "model.pt")
    (traced,) = evaluate(graph, {graph.inputs[0].name: data.test_images}).values()
    np.testing.assert_array_equal(traced, scores.numpy())
    (labels,) = evaluate(integerize(graph), {graph.inputs[0].name: data.test_images}).values()
    np.testing.assert_array_equal(labels, scores.argmax(1).numpy())


@pytest.mark.parametrize("case", NOT_EXPORTED)
def test_learns_and_says_what_is_in_the_way_of_export(tmp_path: Path, case: str) -> None:
    arguments, message = NOT_EXPORTED[case]
    network, losses = trained(*arguments)
    assert losses[-1] < 0.9 * losses[0]
    with pytest.raises(ExportError) as caught:
        save(network, tmp_path / "model.pt", example_input=digits().test_images[:50], input_range=(0, 16))
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("name", METHODS)
def test_an_interrupted_training_goes_on_to_the_same_bits(tmp_path: Path, name: str) -> None:
    class Stop(BaseException):
        pass

    def stop(done: float) -> None:
        if done > 1.5:
            raise Stop

    recipe = Recipe(epochs=3, batch_size=300, validation=0)
    checkpoint = tmp_path / "checkpoint"

    def run(**options) -> dict[str, torch.Tensor]:
        network = train(lambda: network_of(method_named(name)), digits(), recipe=recipe, **options).network
        return network.state_dict()

    with pytest.raises(Stop):
        run(checkpoint=checkpoint, on_step=stop)
    resumed, whole = run(checkpoint=checkpoint), run()
    assert all(torch.equal(resumed[key], whole[key]) for key in whole)


@pytest.mark.parametrize("name", METHODS)
def test_a_training_in_bfloat16_uses_the_weights_of_float32(name: str) -> None:
    torch.manual_seed(0)
    layer = method_named(name).linear(200, 30)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = layer.quantised()
    exact = layer.quantised()
    assert torch.equal(rounded.values, exact.values)
    assert rounded.scale is exact.scale is None or torch.equal(rounded.scale, exact.scale)  # pyright: ignore


NETWORKS = (
    "mlp", "resnet8 channels=25", "mobilenet8 channels=25", "densenet7 channels=25",
    "preresnet6 channels=25 adds=activations",
)  # fmt: skip


@pytest.mark.parametrize("method", ["dorefa weight_bits=2", "ternary", "bwn"])
@pytest.mark.parametrize("network", NETWORKS, ids=lambda name: name.split()[0])
def test_networks_of_several_bits_become_integers(network: str, method: str, tmp_path: Path) -> None:
    """Those of branches and of fixed point, too; torch gives the labels of the integers."""
    (kind, *options), (name, *choices) = network.split(), method.split()
    torch.manual_seed(0)

    def build() -> nn.Module:
        is_free = kind == "mlp"
        structure = architecture(kind, width=12, depth=2) if is_free else architecture(kind, options=options)
        return build_network(structure, shape=(8, 8, 1), lo=0, hi=16, classes=10, method=method_named(name, choices))

    if (kind, name) == ("mobilenet8", "bwn"):
        with pytest.raises(ExportError, match=r"shifts values of fixed point .* use RPReLU$"):
            build()
        return
    module, images = build(), digits().test_images[:40]
    module(torch.from_numpy(images).float())
    save(module.eval(), tmp_path / "model.pt", example_input=images, input_range=(0, 16))
    (labels,) = evaluate(integerize(load_graph(tmp_path / "model.pt")), {"input": images}).values()
    with torch.inference_mode():
        np.testing.assert_array_equal(labels, module(torch.from_numpy(images).float()).argmax(1).numpy())


@pytest.mark.parametrize("name", ["bnn", "bireal", "abc"])
def test_residual_networks_learn(name: str) -> None:
    network = ResNet(stages=((8, 1), (16, 1)), downsample="B")

    def build() -> nn.Module:
        return build_network(network, shape=(8, 8, 1), lo=0, hi=16, classes=10, method=method_named(name))

    losses = [epoch.loss for epoch in train(build, digits(), recipe=replace(RECIPE, epochs=3)).history]
    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.parametrize("name", METHODS)
def test_a_method_says_what_it_is(name: str) -> None:
    kind = METHODS[name]
    assert kind.name == name
    assert kind.traits.paper.startswith("arXiv:")
    assert method_named(name) == kind()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("step",), f"unknown method 'step'; known ones are {', '.join(METHODS)}"),
        (
            ("bnn", "M=3"),
            "method 'bnn' has no option 'M=3'; its options are "
            "gradient=ste|ppf|ede|rbnn|swish-sign (ste); stochastic=yes|no (no)",
        ),
        (("bnn", "stochastic"), "method 'bnn' has no option 'stochastic'; its options are "),
        (("bnn", "stochastic=true"), "stochastic=true of method 'bnn' must be one of yes, no"),
        (("rbnn", "rotation="), "rotation= of method 'rbnn' must be one of layer, filter"),
        (("rbnn", "rotation=layer", "rotation=layer"), "method 'rbnn' is given its option 'rotation' twice; give it"),
    ],
)
def test_what_does_not_exist_is_refused(arguments: tuple[str, ...], message: str) -> None:
    name, *options = arguments
    with pytest.raises(ValueError, match=r"^\w") as caught:
        method_named(name, options)
    assert str(caught.value).startswith(message)
