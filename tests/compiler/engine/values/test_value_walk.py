"""Values in small graphs: the layers that come of them, what each keeps, adds and compares, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from bnnhw import hls
from bnnhw.compiler import Graph, IntType, Node, TensorType, Value
from bnnhw.compiler.engine.from_graph import engine_network
from bnnhw.compiler.engine.layers import EngineLayer, EngineNetwork
from bnnhw.compiler.engine.resident import resident_program
from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.ops import Add, ArgMax, Conv, Flatten, MaxPool, Operator, PadChannels, SumPool, Threshold
from bnnhw.compiler.ir.types import BinaryType
from bnnhw.hw.engine.lane_format import VALUE_BITS
from tests.engine_residuals import catalogued, line
from tests.engine_rtl import small_shape

ROWS = 2


def conv(name: str, source: str, *, weight: int = 1, rows: int = ROWS, stride: int = 1) -> Node:
    weights = np.full((rows, 1, 1, ROWS), weight, np.int8 if abs(weight) == 1 else np.int16)
    return Node(name, Conv(weights, stride=(stride, stride)), (source,), f"{name}.out")


def values(name: str, source: str, *, bits: int = 8, rows: int = ROWS) -> Node:
    return Node(name, line([3] * rows, [1] * rows, shift=2, bits=bits), (source,), f"{name}.out")


def wide(name: str, source: str) -> Node:
    """Values up to the greatest ones."""
    return Node(name, line([1 << 14] * ROWS, [0] * ROWS, shift=0, bits=VALUE_BITS), (source,), f"{name}.out")


def clip(name: str, source: str, *, bits: int = 8) -> Node:
    return Node(name, line([1] * ROWS, [0] * ROWS, shift=0, bits=bits), (source,), f"{name}.out")


def sign(name: str, source: str, *, at: int = 1) -> Node:
    return Node(name, Threshold(np.full(1, at, np.int64)), (source,), f"{name}.out")


def add(name: str, *sources: str) -> Node:
    return Node(name, Add(), sources, f"{name}.out")


def every(name: str, source: str, step: int) -> Node:
    return Node(name, MaxPool((1, 1), (step, step)), (source,), f"{name}.out")


def pad(name: str, source: str, before: int, after: int) -> Node:
    return Node(name, PadChannels(before, after), (source,), f"{name}.out")


STEM = (conv("stem", "x"), values("v", "stem.out"))
BODY = (sign("s", "v.out"), conv("body", "s.out"), values("b", "body.out"))
SCORES = (sign("last", "sum.out"), conv("scores", "last.out"))


def graph_of(*nodes: Node) -> Graph:
    """Of maps of (4, 4, 2)."""
    return Graph((Value("x", TensorType((4, 4, ROWS), BinaryType())),), nodes, (nodes[-1].output,))


def network_of(*nodes: Node) -> EngineNetwork:
    return engine_network(graph_of(*nodes))


def lanes_of(layer: EngineLayer) -> tuple:
    """What lanes make of a layer: the values' name and bits, whether they are kept, thresholds, what is added."""
    made = layer.values
    assert made is not None
    thresholds = None if made.thresholds is None else made.thresholds.tolist()
    added = made.residual and (made.residual.map.name, made.residual.stride, made.residual.first)
    return made.map.name, made.map.bits, made.keeps, thresholds, added


def test_a_block():
    """Its first threshold is its layer's own; the sum's clip is, too."""
    nodes = (*STEM, *BODY, add("plus", "b.out", "v.out"), clip("sum", "plus.out", bits=6), *SCORES)
    stem, body, scores = network_of(*nodes).layers
    assert (stem.writes, stem.reads) == ("s.out", ("x",))
    assert lanes_of(stem) == ("v.out", 8, True, [1, 1], None)
    assert (body.writes, body.reads) == ("last.out", ("s.out",))
    assert lanes_of(body) == ("sum.out", 6, False, [1, 1], ("v.out", (1, 1), 0))
    assert scores.gives_sums


def test_an_exact_sum_has_all_bits():
    nodes = (*STEM, *BODY, add("sum", "v.out", "b.out"), *SCORES)
    _, body, _ = network_of(*nodes).layers
    assert lanes_of(body) == ("sum.out", VALUE_BITS, False, [1, 1], ("v.out", (1, 1), 0))


def test_sums_of_signs_are_values_where_they_are_added():
    nodes = (conv("stem", "x"), *(replace(each, inputs=("stem.out",)) for each in BODY[:1]), conv("body", "s.out"))
    stem, body, _ = network_of(*nodes, add("sum", "body.out", "stem.out"), *SCORES).layers
    assert lanes_of(stem) == ("stem.out", VALUE_BITS, True, [1, 1], None)
    assert stem.values is not None
    assert stem.values.line.is_clip
    assert lanes_of(body) == ("sum.out", VALUE_BITS, False, [1, 1], ("stem.out", (1, 1), 0))


def test_two_convolutions_of_one_map_are_added():
    """One makes values, and waits for nothing; the other adds them."""
    nodes = (*STEM, *BODY, conv("beside", "s.out"), add("sum", "b.out", "beside.out"), *SCORES)
    stem, first, second, _ = network_of(*nodes).layers
    assert lanes_of(stem) == ("v.out", 8, False, [1, 1], None)
    assert (first.name, lanes_of(first)) == ("body", ("b.out", 8, True, None, None))
    assert (second.name, lanes_of(second)[4]) == ("beside", ("b.out", (1, 1), 0))


def test_several_thresholds():
    """Each but the first one is a layer that reads no map."""
    nodes = (*STEM, sign("t", "v.out", at=-3), sign("s", "v.out"), *BODY[1:], conv("more", "t.out"))
    network = network_of(*nodes, add("sum", "b.out", "more.out"), *SCORES)
    stem, other, body, *_ = network.layers
    assert (stem.writes, lanes_of(stem)) == ("t.out", ("v.out", 8, True, [-3, -3], None))
    assert (other.reads, other.writes) == ((), "s.out")
    assert lanes_of(other) == ("s.out", VALUE_BITS, False, [1, 1], ("v.out", (1, 1), 0))
    assert body.reads == ("s.out",)


def test_shortcuts_of_fewer_pixels_and_more_channels():
    nodes = (
        *STEM,
        sign("s", "v.out"),
        conv("body", "s.out", stride=2, rows=6),
        values("b", "body.out", rows=6),
        every("half", "v.out", 2),
        pad("wide", "half.out", 2, 2),
        add("sum", "b.out", "wide.out"),
        Node("pool", SumPool((2, 2), (2, 2)), ("sum.out",), "pool.out"),
        Node("flat", Flatten(), ("pool.out",), "flat.out"),
        Node("label", ArgMax(), ("flat.out",), "label.out"),
    )
    network = network_of(*nodes)
    _, body = network.layers
    assert lanes_of(body) == ("sum.out", VALUE_BITS, True, None, ("v.out", (2, 2), 2))
    assert network.output == (body.values and body.values.map)
    assert [node.name for node in network.tail.nodes] == ["pool", "flat", "label"]


def test_thresholds_of_fewer_pixels():
    nodes = (*STEM, every("half", "v.out", 2), every("less", "half.out", 2), sign("s", "less.out"), conv("y", "s.out"))
    stem, bits, _ = network_of(*nodes).layers
    assert lanes_of(stem) == ("v.out", 8, True, None, None)
    assert bits.out_shape == (1, 1, ROWS)
    assert lanes_of(bits)[3:] == ([1, 1], ("v.out", (4, 4), 0))


def test_sums_of_several_bits_are_compared_with_0():
    """Behind them their own threshold is taken off: values may have fewer bits than sums."""
    stem, _ = network_of(conv("stem", "x", weight=5), sign("s", "stem.out", at=7), conv("y", "s.out")).layers
    assert stem.values is not None
    assert (stem.values.line.factor.tolist(), stem.values.line.offset.tolist()) == ([1, 1], [-7, -7])
    assert (stem.writes, lanes_of(stem)) == ("s.out", ("s.out.values", VALUE_BITS, False, [0, 0], None))


def test_resnet8():
    """A stem and three blocks, and the host behind the last one's values."""
    network = engine_network(catalogued("resnet8"))
    added = [layer.values.residual for layer in network.layers if layer.values is not None]
    assert [residual and (residual.stride, residual.first) for residual in added] == [
        *(None, ((1, 1), 0), ((2, 2), 8), ((2, 2), 16)),
    ]
    assert network.output is not None
    assert (network.output.shape, network.output.bits) == ((2, 2, 64), 12)


def test_convolutions_of_values():
    """They read the bit planes of those pixels alone that they need."""
    shortcut = (conv("more", "v.out", weight=3, stride=2), values("m", "more.out"))
    body = (sign("s", "v.out"), conv("body", "s.out", stride=2), values("b", "body.out"))
    network = network_of(*STEM, *body, *shortcut, add("sum", "b.out", "m.out"), *SCORES)
    planes, more = (layer for layer in network.layers if layer.name in ("more.planes", "more"))
    assert (planes.reads, planes.map_shape, planes.bit_planes) == ((), (2, 2, ROWS), 2)
    assert lanes_of(planes)[2:] == (False, [0, 0], ("v.out", (2, 2), 0))
    assert (more.reads, more.conv.stride, more.in_shape) == (("more.out.planes",), (1, 1), (2, 2, ROWS))
    assert more.element == IntType(-2, 1)
    assert lanes_of(more)[2:] == (False, [1, 1], ("b.out", (1, 1), 0))


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        (
            (*STEM, add("sum", "v.out", "v.out"), *SCORES),
            r"^node 'sum' adds values of which none is a layer's own; the engine adds a layer's values to earlier "
            r"ones: put a convolution before one of both$",
        ),
        (
            (*STEM, *BODY, sign("t", "b.out"), add("sum", "v.out", "b.out"), *SCORES, conv("more", "t.out")),
            r"^node 'sum' adds values of which none is a layer's own",
        ),
        (
            (
                *STEM,
                pad("wide", "v.out", 2, 0),
                every("half", "wide.out", 2),
                sign("s", "half.out"),
                Node("y", Conv(np.ones((1, 1, 1, 4), np.int8)), ("s.out",), "y.out"),
            ),
            r"^node 'half' takes every n-th pixel of padded channels; pad behind it$",
        ),
        (
            (*STEM[:1], wide("v", "stem.out"), *BODY[:2], wide("b", "body.out"), add("sum", "b.out", "v.out"), *SCORES),
            r"^node 'sum' makes numbers that are no values of 16 bits, which the engine has; requantise them$",
        ),
        (
            (*STEM, every("half", "v.out", 2), Node("pool", SumPool((2, 2), (2, 2)), ("half.out",), "y.out")),
            r"^node 'pool' reads a part of the values 'v.out', and the host reads all of a map$",
        ),
        (
            (
                *STEM,
                Node("pool", SumPool((2, 2), (2, 2)), ("v.out",), "pool.out"),
                conv("more", "pool.out"),
                sign("s", "more.out"),
                conv("y", "s.out"),
            ),
            r"^node 'pool' \(SumPool\) has no place on the engine.*: take each n-th pixel before a convolution, or a "
            r"convolution with a stride, in the place of an average$",
        ),
        (
            (
                *STEM,
                Node("bent", Operator(hls.pointwise(lambda x: np.maximum(x, x >> 2)).traced()), ("v.out",), "bent.out"),
                sign("s", "bent.out"),
                conv("y", "s.out"),
            ),
            r"^node 'bent' \(Operator\) has no place on the engine.*: behind sums it clips values to signed numbers of "
            r"some bits, and bends them nowhere; take an identity$",
        ),
        (
            (*STEM, conv("y", "v.out")),
            r"^node 'y' \(Conv\) has no place on the engine, which runs products with thresholds, joins their "
            r"bits, and adds values of fixed point$",
        ),
        (
            (
                *STEM,
                pad("wide", "v.out", 2, 0),
                Node("sum", Conv(np.ones((ROWS, 1, 1, 4), np.int8)), ("wide.out",), "sum.out"),
                *SCORES,
            ),
            r"^node 'sum' is a convolution of padded channels; pad behind it$",
        ),
        (
            (
                *STEM,
                Node("sum", Conv(np.ones((ROWS, 3, 3, ROWS), np.int8), padding=(1, 1)), ("v.out",), "sum.out"),
                *SCORES,
            ),
            r"^node 'sum' pads with 0; the engine pads with -2, the least input, or two numbers \+-x with 0$",
        ),
        (
            (*STEM, sign("s", "v.out"), conv("body", "s.out"), add("sum", "body.out", "x"), *SCORES),
            r"^node 'sum' \(Add\) has no place on the engine",
        ),
    ],
    ids=[
        "twice",
        "own bits",
        "padded",
        "wide sum",
        "part",
        "average",
        "bent",
        "reads values",
        "padded convolution",
        "border",
        "adds bits",
    ],
)
def test_refused(nodes, message):
    with pytest.raises(ScheduleError, match=message):
        network_of(*nodes)


def test_engines_without_values_are_refused():
    """Of layers, too, whose values nothing but their own thresholds needs."""
    nodes = (conv("stem", "x", weight=5), sign("s", "stem.out", at=7), conv("y", "s.out"))
    with pytest.raises(
        ScheduleError,
        match=r"^node 'stem' makes values of fixed point, and the engine has values=0; take an engine of more$",
    ):
        resident_program(network_of(*nodes), small_shape())
