"""What a core's module is called."""

import re

__all__ = ["module_name"]

PREFIX = "bnn"


def module_name(text: str) -> str:
    """`text`, such as a file's name, as an identifier of Verilog, VHDL and Python.

    All three have keywords, `small` and `signal` among them, but none that begins with `bnn_`.

    >>> module_name("small"), module_name("My net-2.1"), module_name("bnn-svhn")
    ('bnn_small', 'bnn_My_net_2_1', 'bnn_svhn')
    """
    words = [word for word in re.split("[^A-Za-z0-9]+", text) if word]
    if words[:1] == [PREFIX]:
        del words[0]
    return "_".join([PREFIX, *(words or ["core"])])
