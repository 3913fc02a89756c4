"""Filter pruning: channels that matter least are taken out of a trained network, and the hardware shrinks with them."""

from .fine_tuning import fine_tune
from .prune import PrunedLayer, Pruning, prune

__all__ = ["PrunedLayer", "Pruning", "fine_tune", "prune"]
