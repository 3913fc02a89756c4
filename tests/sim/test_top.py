"""The whole top through its UART's pins, under cocotb: images to labels, damaged frames, and good ones after them."""

import numpy as np
import pytest

from bnnhw.boards.build import make_top
from bnnhw.compiler.dataflow.schedule import apply_plan
from bnnhw.compiler.frontends.model_file import load
from bnnhw.compiler.ir.graph import evaluate
from bnnhw.compiler.lowering.folding_plan import FoldingPlan
from bnnhw.compiler.passes.integerize import integerize
from bnnhw.compiler.units.product.folding import Folding
from bnnhw.hw.link.phy.uart_port import UartPort
from bnnhw.hw.protocol import Decoder, ErrorCode, Frame, Kind, encode
from bnnhw.hw.targets import get_device
from bnnhw.sim.icarus.runner import CocotbUart
from tests.compiler.make_model import make_model

CLOCK_HZ, CYCLES_PER_BIT = 1_000_000, 4

# vectors, (pe, simd) of each layer, whether the host binarises
DESIGNS = [(1, [(4, 4), (3, 8), (1, 6)], True), (2, [(8, 2), (6, 4), (5, 3)], False)]


def infer(sequence: int, payload: bytes) -> bytes:
    return encode(Frame(Kind.INFER, sequence, payload))


@pytest.mark.cocotb
@pytest.mark.parametrize(("vectors", "foldings", "binarise"), DESIGNS)
def test_images_at_the_pins(vectors, foldings, binarise, tmp_path):
    model = make_model(seed=vectors, shape=(4, 4, 1), hi=15, hidden=(8, 6), classes=5, binarise=binarise)
    graph = integerize(load(model.save(tmp_path / "model.pt")))
    layers = [node.name for node in graph.nodes if node.name.startswith("binary_linear")]
    plan = FoldingPlan(tuple((name, Folding(*sizes)) for name, sizes in zip(layers, foldings, strict=True)), vectors)
    schedule = apply_plan(graph, plan, device=get_device("LFE5U-85F"), clock_hz=CLOCK_HZ)
    top = make_top(
        schedule,
        clock_hz=CLOCK_HZ,
        port=UartPort(clock_hz=CLOCK_HZ, baud=CLOCK_HZ // CYCLES_PER_BIT),
        network_id=bytes(8),
    )

    images = np.random.default_rng(vectors).integers(0, 16, (6, 4, 4, 1))
    payloads = [schedule.encode_image(image) for image in images]
    (labels,) = evaluate(graph, {graph.inputs[0].name: images}).values()
    good = [infer(number, payload) for number, payload in enumerate(payloads)]
    damaged = bytearray(good[2])
    damaged[7] ^= 4 if damaged[7] ^ 4 not in (0x7D, 0x7E) else 8  # within the payload, and not a flag or an escape
    writes = [good[0], good[1], bytes(damaged), good[3], good[4][:6] + good[4][-1:], 50, good[5]]
    answers = list(Decoder().feed(CocotbUart(top, cycles_per_bit=CYCLES_PER_BIT).exchange(writes)))

    found = {frame.sequence: frame for frame in answers if isinstance(frame, Frame)}
    assert len(answers) == len(found) == 6
    for number in (0, 1, 3, 5):
        assert found[number].kind == Kind.INFER_ANSWER
        assert list(found[number].payload[:-4]) == [labels[number]]
    assert (found[2].kind, found[2].payload) == (Kind.ERROR, bytes([ErrorCode.CRC]))
    assert found[4].kind == Kind.ERROR
