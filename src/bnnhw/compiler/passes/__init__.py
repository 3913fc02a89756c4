"""Passes: functions Graph -> Graph, one a file. Each keeps the meaning of every value whose name it keeps."""

from .add_argmax import add_argmax
from .drop_identities import drop_identities
from .expose_sums import expose_sums
from .fold_batch_norm import fold_batch_norm
from .fold_input_threshold import fold_input_threshold
from .fold_output import fold_output
from .own_floats import own_floats
from .pool_sums_first import pool_sums_first
from .rearrange_last import rearrange_last
from .separate_sums import separate_sums
from .split_weights import split_weights
from .threshold_before_pool import threshold_before_pool

__all__ = [
    "add_argmax",
    "drop_identities",
    "expose_sums",
    "fold_batch_norm",
    "fold_input_threshold",
    "fold_output",
    "own_floats",
    "pool_sums_first",
    "rearrange_last",
    "separate_sums",
    "split_weights",
    "threshold_before_pool",
]
