"""Whatever `save` accepts, the compiler loads, makes integers of and computes as torch does: short chains of all layers
in all orders."""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from bnnhw.compiler.integerize import integerize
from bnnhw.compiler.kernel import PackedKernel
from bnnhw.compiler.load import load
from bnnhw.model import Affine, BinaryConv2d, BinaryLinear, InputThreshold, Quantise, Sign, ToChannelsFirst
from bnnhw.model.export import save

