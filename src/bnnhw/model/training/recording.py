"""What a GPU is asked to do again and again, recorded once.

Tests: tests/model/training/test_recording.py
"""

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["Recording"]


class Recording:
    """A function of tensors on a GPU as a CUDA graph: one launch instead of hundreds.

    Recording calls the function once, and computes nothing. What it reads and writes besides its arguments, parameters
    and their gradients, say, must stay where it lies; what is a number in Python stays as it was. A call copies its
    arguments to where those of the recording lie, and gives the tensor that every call gives.

    Parameters
    ----------
    function : callable
        It must have run before, and must not wait for the GPU. The current stream, in which it is recorded and
        replayed, must not be the default one.
    arguments : tensors
        Of the shapes that calls will have.
    former : Recording, optional
        One that is not called any more, whose memory is taken over.
    """

    def __init__(self, function: Callable[..., Tensor], *arguments: Tensor, former: "Recording | None" = None):
        self._arguments = [argument.clone() for argument in arguments]
        self._graph = torch.cuda.CUDAGraph()
        torch.cuda.synchronize()
        self._graph.capture_begin(pool=None if former is None else former._graph.pool())
        try:
            self._result = function(*self._arguments)
        finally:
            self._graph.capture_end()

    def __call__(self, *arguments: Tensor) -> Tensor:
        for mine, given in zip(self._arguments, arguments, strict=True):
            mine.copy_(given)
        self._graph.replay()
        return self._result
