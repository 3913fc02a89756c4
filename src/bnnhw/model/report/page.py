"""report.html of a training: one file, without scripts, fonts or anything else from outside."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from bnnhw.model.history.histograms import Histogram
from bnnhw.model.history.history import Epoch
from bnnhw.pages.environment import page_environment

from .plots import plot_curves, plot_histograms

__all__ = ["LayerPlots", "TrainingReport", "render"]


@dataclass(frozen=True, kw_only=True)
class TrainingReport:
    """What the page shows.

    Attributes
    ----------
    title : str
        Such as `lenet on digits, method rbnn`.
    history : tuple of Epoch
        At least one.
    first_weights, last_weights : mapping
        The latent weights of each binary layer behind the first epoch and behind the last.
    metrics : mapping
        As `named.train_named` returns them.
    """

    title: str
    history: tuple[Epoch, ...]
    first_weights: Mapping[str, Histogram]
    last_weights: Mapping[str, Histogram]
    metrics: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class LayerPlots:
    """A binary layer's row: its name, how often its weights flipped, and the two plots."""

    name: str
    first_flip_rate: float
    last_flip_rate: float
    weights: Markup
    flips: Markup


def render(report: TrainingReport) -> str:
    """The page. The same report gives the same bytes."""
    history = report.history
    accuracies = {
        "learnt from": [100 * epoch.accuracy for epoch in history],
        "held back": [100 * epoch.validation_accuracy for epoch in history],
    }
    flips = [100 * epoch.flip_rate for epoch in history]
    return (
        page_environment("bnnhw.model.report")
        .get_template("page.html.j2")
        .render(
            report=report,
            metrics=report.metrics,
            last=history[-1],
            loss_plot=Markup(plot_curves("loss", {"loss": [epoch.loss for epoch in history]}, axis="loss")),
            accuracy_plot=Markup(plot_curves("accuracy", accuracies, axis="% right")),
            flips_plot=Markup(plot_curves("flips", {"all": flips}, axis="% flipped")),
            layers=[_layer(report, number, name) for number, name in enumerate(report.last_weights)],
            recipe={name: value for name, value in report.metrics["recipe"].items() if value not in (None, [])},
        )
    )


def _layer(report: TrainingReport, number: int, name: str) -> LayerPlots:
    rates = [epoch.flip_rates[name] for epoch in report.history]
    percents = {"flipped": [100 * rate for rate in rates]}
    return LayerPlots(
        name=name,
        first_flip_rate=rates[0],
        last_flip_rate=rates[-1],
        weights=Markup(plot_histograms(f"weights{number}", report.first_weights[name], report.last_weights[name])),
        flips=Markup(plot_curves(f"flips{number}", percents, axis="% flipped", height=1.6)),
    )
