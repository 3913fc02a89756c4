"""Random networks of forks, joins and units of every latency: the values are numpy's, and every handshake comes in the
cycle that the flows predict, inside, too; where they predict no further one, the network stands still."""

from collections.abc import Sequence

import pytest

from bnnhw.hw.core import Core
from bnnhw.hw.stream.connections import OUTSIDE, Connection, channels_of, connect_flows
from bnnhw.hw.stream.flow import Channel, Network, sink_process, take_at_once
from tests.hw.ports import run_ports, taken_when

from .networks import Images, Sketch

PATIENCE = 100  # more than any unit takes from a beat to the next


def predict(
    core: Core, offered: Sequence[int], ready: Sequence[int] | None = None
) -> tuple[dict[Connection, Channel], Channel]:
    """Of each stream the handshakes where beats are offered from these cycles on and the reader is ready in those;
    without any, always. And the channel of the output."""
    i, o = Channel(), Channel()
    for cycle in offered:
        i.give(cycle)
    channels = channels_of(core.connections, i=i, o=o)
    flow = connect_flows([unit.flow for unit in core.units], channels)
    Network([*flow, sink_process(o, take_at_once if ready is None else taken_when(ready))]).run()
    return channels, o


def verify(core: Core, x: Images, y: Images, *, seed: int, stalls: tuple[float, float]) -> bool:
    """Whether the network gives all its beats; it does what numpy and the flows say as far as it goes."""
    inner = {
        str((source, target)): getattr(core.units[source[0]], source[1])
        for source, target in core.connections
        if source[0] != OUTSIDE
    }
    traces = run_ports(
        core,
        {"i": x.beats},
        {"o": len(y.beats)},
        seed=seed,
        stalls=stalls,
        patience=PATIENCE,
        to_standstill=True,
        inner=inner,
    )
    given = traces["o"].beats
    assert given == y.beats[: len(given)]
    channels, _ = predict(core, traces["i"].offered, traces["o"].ready)
    for connection, channel in channels.items():
        if str(connection) in traces:
            assert list(channel.takes) == traces[str(connection)].cycles, connection
    return len(given) == len(y.beats)


def random_network(seed: int, *, ample: bool) -> tuple[Core, Images, Images]:
    sketch = Sketch(seed, ample=ample)
    x = sketch.input(channels=sketch.rng.randint(1, 2), bits=sketch.rng.randint(1, 2))
    y = sketch.branches(x, shrinks=sketch.rng.randint(0, 2), depth=2)
    return sketch.core(x, y), x, y


@pytest.mark.parametrize(("seed", "stalls"), [(0, (0, 0)), (1, (0.3, 0.3)), (2, (0, 0)), (3, (0.6, 0)), (5, (0, 0.6))])
def test_networks_with_room(seed, stalls):
    assert verify(*random_network(seed, ample=True), seed=seed, stalls=stalls)


@pytest.mark.parametrize(("seed", "all_comes"), [(0, False), (1, False), (2, True), (3, True), (4, True), (5, True)])
def test_networks_with_queues_as_it_comes(seed, all_comes):
    assert verify(*random_network(seed, ample=False), seed=seed, stalls=(0.2, 0.2)) == all_comes


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 400))
def test_many_networks(seed):
    """Every third without stalls."""
    ample, stalls = seed % 2 == 0, [(0, 0), (0.3, 0.3), (0.6, 0.1)][seed % 3]
    assert verify(*random_network(seed, ample=ample), seed=seed, stalls=stalls) or not ample


def late_branch(limit: int | None) -> tuple[Core, Images, Images]:
    """Two windows one after the other beside a queue, and the concatenation of both."""
    sketch = Sketch(0)
    x = sketch.input()
    late, short = sketch.part(x, 2)
    windows = sketch.neighbours(sketch.neighbours(late, (3, 3)), (3, 1))
    y = sketch.concat(windows, short if limit is None else sketch.queue(short, limit))
    return sketch.core(x, y), x, y


def last_cycle(limit: int | None) -> int | None:
    """When the last beat leaves by the flows; None: it never does."""
    core, x, y = late_branch(limit)
    _, o = predict(core, [0] * len(x.beats))
    return o.takes[-1] if len(o.takes) == len(y.beats) else None


def test_a_queue_of_one_beat_less_is_slower_or_stuck():
    limits = range(1, 33)
    ends = [last_cycle(limit) for limit in limits]
    moves = next(limit for limit, end in zip(limits, ends, strict=True) if end is not None)
    fast = next(limit for limit, end in zip(limits, ends, strict=True) if end == ends[-1])
    assert last_cycle(None) is None
    assert 1 < moves < fast < limits[-1]
    for limit in (moves - 1, moves, fast - 1, fast):
        assert verify(*late_branch(limit), seed=limit, stalls=(0, 0)) == (limit >= moves)
