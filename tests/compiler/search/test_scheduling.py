"""The search for foldings: rates, shares, files, and what it says where nothing fits."""

import json
from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest

from bnnhw.compiler import Graph, Node, ScheduleError, TensorType, Value, schedule
from bnnhw.compiler.dataflow.schedule import apply_plan
from bnnhw.compiler.errors import DeviceError
from bnnhw.compiler.ir.ops import ArgMax, MatMul, ScoreTable, Threshold
from bnnhw.compiler.ir.types import BinaryType
from bnnhw.compiler.lowering.build_pipeline import build_pipeline
from bnnhw.compiler.lowering.folding_plan import FoldingPlan, read_folding
from bnnhw.compiler.search import bounds, foldings, search
from bnnhw.compiler.search.search import Search, smallest_at
from bnnhw.compiler.units.area import matrix_resources
from bnnhw.compiler.units.product.folding import Folding, divisors
from bnnhw.hw.hardwired.area import hardwired_area
from bnnhw.hw.targets import DEVICES, LUT_BITS, get_device

LARGE, SMALL = get_device("LFE5U-85F"), get_device("LFE5U-25F")


def network(*sizes: int, seed: int = 0) -> Graph:
    """A binary network of these layer sizes, the first its inputs and the last its classes."""
    rng = np.random.default_rng(seed)
    nodes: list[Node] = []
    value = "x"
    for index, (cols, rows) in enumerate(pairwise(sizes)):
        weights = (rng.integers(0, 2, (rows, cols), dtype=np.int8) * 2 - 1).astype(np.int8)
        nodes.append(Node(f"fc{index}", MatMul(weights), (value,), f"s{index}"))
        value = f"s{index}"
        if index < len(sizes) - 2:
            nodes.append(Node(f"fc{index}.t", Threshold(np.zeros(rows, np.int64)), (value,), f"b{index}"))
            value = f"b{index}"
    nodes.append(Node("label", ArgMax(), (value,), "label"))
    return Graph((Value("x", TensorType((sizes[0],), BinaryType())),), tuple(nodes), ("label",))


LFC = network(784, 1024, 1024, 1024, 10)
SMALLER = network(96, 32, 32, 10)


@pytest.mark.parametrize("target_fps", [1, 12_200])
def test_a_target_is_reached_and_no_layer_is_wider_than_needed(target_fps):
    chosen = schedule(LFC, LARGE, target_fps=target_fps, clock_hz=100e6)
    assert chosen.frames_per_second >= target_fps
    for shape in chosen.shapes:
        assert shape.initiation_interval <= chosen.vectors * 100e6 / target_fps


@pytest.mark.parametrize(("target_fps", "clock_hz"), [(1_000_000, 100e6), (1_090_000, 105e6), (1_140_000, 110e6)])
def test_the_clock_of_a_target_is_the_slowest_with_the_smallest_design(target_fps, clock_hz):
    chosen = schedule(SMALLER, LARGE, target_fps=target_fps, vectors=1)
    assert chosen.clock_hz == clock_hz
    for other in (100e6, 105e6, 110e6):
        at_other = schedule(SMALLER, LARGE, target_fps=target_fps, vectors=1, clock_hz=other)
        size, least = LARGE.size(at_other.resources), LARGE.size(chosen.resources)
        assert size > least if other < clock_hz else size >= least


@pytest.mark.parametrize("fill", [0.3, 0.7])
def test_a_share_is_kept_and_more_room_is_never_slower(fill):
    less, more = (schedule(SMALLER, LARGE, fill=share) for share in (fill, fill + 0.2))
    assert LARGE.share(less.resources) <= fill
    assert more.frames_per_second >= less.frames_per_second


def test_the_slowest_unit_is_a_layer_that_always_works():
    chosen = schedule(LFC, LARGE, fill=0.9)
    assert max(shape.initiation_interval for shape in chosen.shapes) == chosen.timing.initiation_interval


def test_the_search_finds_what_trying_everything_finds():
    graph = network(12, 8, 6)
    limit = 12
    found = Search(build_pipeline(graph), SMALL.target).smallest(SMALL, vectors=2, limit=limit)
    assert found is not None
    sizes = {}
    for pe1, simd1, pe2, simd2 in product(divisors(8), divisors(12), divisors(6), divisors(8)):
        for stores in product(("block", "lut", "constant"), repeat=2):
            foldings = Folding(pe1, simd1, stores[0]), Folding(pe2, simd2, stores[1])
            plan = FoldingPlan(tuple(zip(("fc0", "fc1"), foldings, strict=True)), 2)
            try:
                tried = apply_plan(graph, plan, device=SMALL, clock_hz=1e8)
            except ScheduleError:
                continue  # constants need an unfolded layer
            if tried.timing.initiation_interval <= limit:
                sizes[foldings] = SMALL.size(tried.resources)
    assert SMALL.size(found.resources) == pytest.approx(min(sizes.values()))


def test_the_estimate_is_the_schedules():
    graph = network(12, 8, 6)
    found = Search(build_pipeline(graph), SMALL.target).smallest(SMALL, vectors=2, limit=12)
    assert found is not None
    chosen = apply_plan(graph, found.plan, device=SMALL, clock_hz=1e8)
    assert (chosen.resources, chosen.timing.initiation_interval) == (found.resources, found.cycles)


def test_the_answer_is_always_the_same():
    plans = [schedule(SMALLER, LARGE, fill=0.5).plan for _ in range(2)]
    assert plans[0] == plans[1]


def test_vectors_can_be_given():
    assert schedule(SMALLER, LARGE, fill=0.5, vectors=3).vectors == 3


def test_a_file_comes_back(tmp_path):
    chosen = schedule(SMALLER, LARGE, target_fps=1000)
    path = tmp_path / "folding.json"
    path.write_text(chosen.plan.to_json())
    assert read_folding(path) == chosen.plan
    assert schedule(SMALLER, LARGE, folding=path).plan == chosen.plan


def plan_of(**changes) -> dict:
    """A legal plan of a network of two layers, as JSON data, with changes to its first layer."""
    data = json.loads(FoldingPlan((("fc0", Folding(2, 4)), ("fc1", Folding(1, 8)))).to_json())
    data["layers"][0] |= changes
    return data


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (plan_of(pe=3), r"layer 'fc0': pe=3 must divide rows=8; legal values are \[1, 2, 4, 8\]"),
        (plan_of(simd=5), r"layer 'fc0': simd=5 must divide cols=12; legal values are \[1, 2, 3, 4, 6, 12\]"),
        (plan_of(store="tape"), r"layer 'fc0': store='tape' must be one of"),
        (plan_of(store="constant"), r"layer 'fc0': store='constant' must have pe=rows=8 and simd=cols=12"),
        (plan_of(engine="steam"), r"layer 'fc0': engine='steam' must be one of \['folded', 'hardwired', 'mac'\]"),
        (
            plan_of(engine="mac"),
            r"layer 'fc0': engine='mac' is for integer weights, and these are -1 and \+1; take engine",
        ),
        (plan_of(engine="hardwired"), r"layer 'fc0': pe=2 must be rows=8 where engine='hardwired'"),
        (
            plan_of(engine="hardwired", pe=8),
            r"layer 'fc0': simd=4 must be cols=12 of a dense layer where engine='hardwired'",
        ),
        (plan_of(pe=0), r"has pe=0; it must be a whole number of at least 1"),
        (plan_of(pe=2.0), r"has pe=2.0; it must be a whole number of at least 1"),
        (plan_of(name="fc9"), r"has foldings of \['fc1', 'fc9'\], but the network's layers are \['fc0', 'fc1'\]"),
        (plan_of() | {"vectors": 99}, r"vectors=99 must lie between 1 and 16"),
        (plan_of() | {"version": 2}, r"is not a bnnhw-folding file of version 1"),
        (plan_of() | {"layers": [{}]}, r"lacks what a bnnhw-folding file has: 'name'"),
        ([], r"lacks what a bnnhw-folding file has"),
    ],
)
def test_files_that_are_refused(tmp_path, data, message):
    path = tmp_path / "folding.json"
    path.write_text(json.dumps(data))
    with pytest.raises(ScheduleError, match=message):
        schedule(network(12, 8, 6), LARGE, folding=path)


def test_the_engine_is_what_costs_less():
    """Weights that are used in every cycle are cheaper as wires, those that are used now and then in a memory."""
    scores = replace(SMALLER, nodes=SMALLER.nodes[:-1], outputs=("s2",))  # a label takes ten cycles
    fast, slow = (schedule(scores, LARGE, target_fps=rate, vectors=1) for rate in (100e6, 1e5))
    assert [folding.engine for folding in fast.foldings] == ["hardwired"] * 3
    assert [folding.engine for folding in slow.foldings] == ["folded"] * 3
    whole = zip(("fc0", "fc1", "fc2"), (Folding(32, 96), Folding(32, 32), Folding(10, 32)), strict=True)
    unrolled = apply_plan(scores, FoldingPlan(tuple(whole)), device=LARGE, clock_hz=1e8)
    assert fast.timing.initiation_interval == unrolled.timing.initiation_interval == 1
    assert fast.resources.logic < 0.8 * unrolled.resources.logic


@pytest.mark.parametrize("content", [None, b"{", b"\xff\xfe"])
def test_files_that_cannot_be_read(tmp_path, content):
    path = tmp_path / "folding.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ScheduleError, match=r"folding.json: (cannot be read|is not JSON)"):
        read_folding(path)


REFUSED = [
    ({"target_fps": 1, "fill": 0.5}, r"^target_fps and fill exclude each other; give one of them$"),
    ({"target_fps": 0}, r"^target_fps=0 must be positive$"),
    ({"fill": 1.5}, r"^fill=1.5 must be above 0 and at most 1$"),
    ({"vectors": 17}, r"^vectors=17 must lie between 1 and 16$"),
    ({"clock_hz": 0}, r"^clock_hz=0 must be positive$"),
    ({"fill": 0.01}, r"^fill=0.01 is too small for this network on LFE5U-85F; fits: fill=0\.\d+ and above$"),
    (
        {"target_fps": 5e8},
        r"^target_fps=5e\+08 at 110 MHz needs \d+ of 208 EBR and \d+ of 83640 LUTs on LFE5U-85F; "
        r"fits: up to \d+ frames/s on LFE5U-85F$",
    ),
    (
        {"target_fps": 1e12},
        r"^target_fps=1e\+12 at 110 MHz needs more than 16 frames a cycle; fits: up to \d+ frames/s",
    ),
]


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_what_is_refused(options, message):
    with pytest.raises(ScheduleError, match=message):
        schedule(SMALLER, LARGE, **options)


def test_a_network_too_large_for_its_device_names_one_that_fits():
    with pytest.raises(
        ScheduleError,
        match=r"^the network's 2\.9 Mbit of weights need at least \d+ of 56 EBR and \d+ of 24288 LUTs on LFE5U-25F; "
        r"fits: LFE5U-85F, LFE5UM-85F, LFE5UM5G-85F$",
    ):
        schedule(LFC, SMALL)


def test_a_network_too_large_for_any_device_says_what_would_fit():
    with pytest.raises(ScheduleError, match=r"; fits: networks of up to about 3\.8 Mbit, on LFE5U-85F$"):
        schedule(network(784, 2048, 2048, 10), LARGE)


def test_a_table_of_scores_too_large_for_its_device_is_named():
    wide = network(4096, 10)
    ranks = ScoreTable(np.arange(10 * 4097).reshape(10, 4097), lows=np.full(10, -4096), step=2)
    nodes = (wide.nodes[0], Node("ranks", ranks, ("s0",), "ranks"), Node("label", ArgMax(), ("ranks",), "label"))
    message = (
        r"^output 'label': its table of 10 x 4097 scores needs 80 of 56 EBR on LFE5U-25F; fits: fewer inputs, or fewer "
        r"bits, of the layer before it, LFE5U-45F, LFE5U-85F"
    )
    with pytest.raises(DeviceError, match=message):
        schedule(replace(wide, nodes=nodes), SMALL, target_fps=1000)


@pytest.mark.parametrize("asked", [{"target_fps": 1000}, {"fill": 1.0}, {"fill": 1.0, "vectors": 1}])
def test_a_network_too_large_for_any_device_is_not_searched_for(monkeypatch, asked):
    """What is tried are the slowest foldings alone, to say what they need."""
    tried = set()
    layer_windows = bounds.layer_windows

    def counted(layer, folding, *, vectors, target):
        assert vectors == 1
        tried.add((layer.name, folding))
        return layer_windows(layer, folding, vectors=vectors, target=target)

    monkeypatch.setattr(bounds, "layer_windows", counted)
    monkeypatch.setattr(search, "extend", None)
    with pytest.raises(DeviceError, match=r"^the network's 17\.6 Mbit of weights need at least"):
        schedule(network(100, 4096, 4096, 100), LARGE, **asked)
    of_each_layer = [sum(name == layer for name, _ in tried) for layer in ("fc0", "fc1", "fc2")]
    assert max(of_each_layer) <= 2 * foldings.SIMD_CANDIDATES * len(divisors(4096))


def test_no_folding_holds_more_weights_than_its_cells_have_bits():
    """What refuses a network before any folding is tried."""
    layer = build_pipeline(network(64, 32, 8)).layers[0]
    for pe, simd, store in product(layer.pes, layer.simds, ("block", "lut")):
        cells = matrix_resources(layer.shape(Folding(pe, simd, store), 1, SMALL.target))
        assert replace(SMALL, luts=cells.logic, ebr=cells.ebr).memory_bits > layer.weights.size
    assert hardwired_area(layer.hardwired(SMALL.target.fabric)).logic * LUT_BITS > layer.weights.size


def test_devices():
    assert get_device("LFE5U-12F").luts == get_device("LFE5U-25F").luts == 24_288
    assert DEVICES["LFE5UM5G-85F"].ebr == 208
    with pytest.raises(ValueError, match=r"^device='LFE5U-65F' is unknown; the devices are LFE5U-"):
        get_device("LFE5U-65F")


def test_more_vectors_than_one_can_be_the_smallest():
    design = smallest_at(Search(build_pipeline(LFC), LARGE.target), LARGE, cycles_per_frame=150, counts=range(1, 17))
    assert design is not None
    assert design.plan.vectors > 1
