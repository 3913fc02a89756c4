import torch
from torch import nn

from bnnhw.model import BinaryLinear
from bnnhw.model.history.histograms import latent_histograms


def test_counts_latent_weights_of_binary_layers() -> None:
    network = nn.Sequential(nn.Linear(3, 3), BinaryLinear(4, 2))
    network.get_parameter("1.weight").data = torch.tensor([[-2.0, -2.0, -1.99, 0.01], [0.02, 0.03, 1.99, 2.0]])
    (name, histogram), *others = latent_histograms(network).items()
    assert (name, others, histogram.reach) == ("1", [], 2.0)
    assert {place: count for place, count in enumerate(histogram.counts) if count} == {0: 3, 24: 3, 47: 2}


def test_zeros_have_a_histogram() -> None:
    layer = BinaryLinear(2, 2)
    nn.init.zeros_(layer.weight)
    assert latent_histograms(layer)[""].reach == 1
    assert sum(latent_histograms(layer)[""].counts) == 4
