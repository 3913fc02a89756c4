"""What the command line cannot be asked for, and what Python says of it."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bnnhw


@dataclass(frozen=True)
class Call:
    """A call that must fail: ValueError, with a text that begins with `message`."""

    name: str
    arguments: dict[str, Any]
    message: str


MODEL: dict[str, Any] = {"model": "model.pt"}
BUILD: dict[str, Any] = {"build": "build/digits"}
CALLS = [
    Call("build", {**MODEL, "output": "new", "stop_after": "rtI"}, "stop_after='rtI' must be one of 'rtl', 'synth', "),
    Call("build", {**MODEL, "output": "new", "retries": -1}, "retries=-1 must be at least 0"),
    Call("verify", {**MODEL, "through": "RTL"}, "through='RTL' must be one of 'graph', 'integer', 'packed', 'rtl', "),
    Call("verify", {**MODEL, "samples": -5}, "samples=-5 must be at least 1"),
    Call("verify", {**MODEL, **BUILD, "plan": bnnhw.PlanOptions()}, "plan and build exclude each other; "),
    Call("simulate", {**MODEL, "samples": 0}, "samples=0 must be at least 1"),
    Call("simulate", {**MODEL, "images": np.zeros((1, 8, 8))}, "the images of the array are of shape (8, 8); the "),
    Call("simulate", {**MODEL, "images": np.full((1, 8, 8, 1), 17)}, "the images of the array hold values from 17 "),
    Call("simulate", {**MODEL, "images": []}, "images are none; give one or more"),
    Call("run", {**BUILD, "images": np.zeros((0, 8, 8, 1), int)}, "images are none; give one or more"),
    Call("run", {**BUILD, "images": np.zeros((1, 8, 8, 1))}, "the images of the array are float64; the network takes "),
    Call("run", {**BUILD, "images": ["digit.png"], "simulate": True, "port": "/dev/x"}, "simulate and port exclude "),
    Call("run", {**BUILD, "images": ["digit.png"], "simulate": True, "address": "a:1"}, "simulate and address ex"),
    Call("run", {**BUILD, "images": ["digit.png"], "port": "a", "address": ["a:1"]}, "port and address exclude each "),
    Call("run", {**BUILD, "images": ["digit.png"], "link": "udp"}, "link='udp' is of the virtual board; a board "),
    Call("run", {**BUILD, "images": ["digit.png"], "link": "usb"}, "link='usb' must be one of 'uart', 'udp'"),
    Call("run", {**BUILD, "images": ["digit.png"], "repeat": 0}, "repeat=0 must be at least 1"),
    Call("evaluate", {**MODEL, "engine": "numpy"}, "engine='numpy' must be one of 'integer', 'torch'"),
    Call("prune", {**MODEL, "output": "new.pt", "keep": 0.5, "by": "size"}, "by='size' must be one of 'magnitude', "),
    Call("prune", {**MODEL, "output": "new.pt", "keep": 0.5, "epochs": 2}, "epochs=2 train on the images of a data "),
    Call("samples", {"dataset": "digits", "output": "new", "count": 0}, "count=0 must be at least 1"),
]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.name}: {call.message[:30]}")
def test_says_what_cannot_be(call: Call, workplace: Path) -> None:
    before = sorted(workplace.rglob("*"))
    with pytest.raises(ValueError, match=f"^{re.escape(call.message)}"):
        getattr(bnnhw, call.name)(**call.arguments)
    assert sorted(workplace.rglob("*")) == before


def test_half_a_comparison_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^give photos to train on and tests to judge by, or neither$"):
        next(bnnhw.compare_lowlight(photos=["photos"]))


def test_arrays_and_paths_as_text_are_taken(workplace: Path) -> None:
    image = np.full((1, 8, 8, 1), 5)
    by_array = bnnhw.simulate("model.pt", image, plan=bnnhw.PlanOptions(target_fps=1e5))
    assert by_array.answers == bnnhw.simulate("model.pt", ["digit.png"], plan=bnnhw.PlanOptions(target_fps=1e5)).answers
    bnnhw.build("model.pt", "new", plan=bnnhw.PlanOptions(target_fps=1e5), stop_after="rtl")
    again = bnnhw.build("model.pt", "again", plan=bnnhw.PlanOptions(folding="new/folding.json"), stop_after="rtl")
    assert again.performance.vectors >= 1
    assert (workplace / "again/top.il").read_text() == (workplace / "new/top.il").read_text()
