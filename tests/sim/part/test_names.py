"""Names of modules are legal wherever they are used."""

import re

import pytest

from bnnhw.sim.part.names import module_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("lfc", "bnn_lfc"),
        ("small", "bnn_small"),  # a keyword of Verilog
        ("signal", "bnn_signal"),  # of VHDL
        ("class", "bnn_class"),  # of Python
        ("bnn-cifar10", "bnn_cifar10"),
        ("bnnet", "bnn_bnnet"),
        ("2024-05 net (final).v2", "bnn_2024_05_net_final_v2"),
        ("__a__b__", "bnn_a_b"),
        ("größer", "bnn_gr_er"),
        ("网络", "bnn_core"),
        ("bnn", "bnn_core"),
        ("", "bnn_core"),
    ],
)
def test_names(text: str, name: str):
    assert module_name(text) == name
    assert re.fullmatch("[a-z]([_]?[A-Za-z0-9])*", name)
    assert module_name(name) == name
