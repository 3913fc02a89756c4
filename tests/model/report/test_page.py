"""The page is whole, stands alone, and shows the training's own figures."""

import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

import pytest

from bnnhw.model.report import TrainingReport, render
from bnnhw.model.training.recipes import Recipe
from bnnhw.model.training.training import train
from tests.model.toy import toy_data, toy_network

METRICS = {
    "network": "toy", "network_options": [], "method": "bnn", "method_options": ["gradient=<ste>"], "data_set": "toy",
    "seed": 0, "recipe": Recipe(epochs=3).to_plain(), "versions": {"bnnhw": "1"}, "test_accuracy": 0.9375,
    "test_correct": 45, "test_images": 48, "validation_accuracy": 0.875, "best_epoch": 2, "seconds": 754.0,
    "images_per_second": 12345.0, "is_complete": True, "obstacle": None,
}  # fmt: skip


@cache
def sample() -> TrainingReport:
    training = train(toy_network, toy_data(), recipe=Recipe(epochs=3, batch_size=16))
    return TrainingReport(
        title="toy on toy", history=training.history, first_weights=training.first_weights,
        last_weights=training.last_weights, metrics=METRICS,
    )  # fmt: skip


class Collector(HTMLParser):
    """Counts tags, and fails where one is not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.links += [value or "" for name, value in attrs if name.endswith(("href", "src"))]
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if name.endswith(("href", "src"))]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_stands_alone() -> None:
    page = Collector()
    page.feed(render(sample()))
    assert page.open == []
    assert page.seen.count("svg") == 3 + 2 * 2  # loss, accuracy, flips; and two for each of two layers
    assert "script" not in page.seen
    assert all(link.startswith(("#", "data:")) for link in page.links)


def test_identifiers_are_unique() -> None:
    identifiers = re.findall(r'\bid="([^"]*)"', render(sample()))
    assert len(identifiers) == len(set(identifiers)) > 10


@pytest.mark.parametrize(
    "text",
    ["toy on toy: 93.75\u202f% of the test images right", "12 min 34 s", "12.3k images/s", "gradient=&lt;ste&gt;",
     "can become hardware", "2: latent weights", "6: flips, "],
)  # fmt: skip
def test_shows(text: str) -> None:
    assert text.replace("12 min 34 s", "12\u202fmin 34\u202fs") in render(sample())


def test_says_what_was_cut_short_and_what_is_in_the_way() -> None:
    metrics = {**METRICS, "is_complete": False, "obstacle": "layer 'a' & more"}
    page = render(replace(sample(), metrics=metrics, history=sample().history[:2]))
    assert "ended by the time limit after 2 of 3 epochs" in page
    assert "no hardware yet: layer &#39;a&#39; &amp; more" in page


def test_equal_reports_give_equal_bytes_and_one_epoch_is_enough() -> None:
    assert render(sample()) == render(sample())
    assert "<svg" in render(replace(sample(), history=sample().history[:1]))


def test_a_network_without_binary_layers_has_no_section_on_them() -> None:
    bare = replace(sample(), first_weights={}, last_weights={})
    assert "Latent weights near 0" not in render(bare)
    assert "Latent weights near 0" in render(sample())
