"""From the best ways to a stream to those behind the next elements of a series.

Layers meet in two things only: the block RAMs that they share, and what fits the stream behind one to the next. So for
each stream, and each number of block RAMs, the lightest way is all that has to be kept. Branches are searched apart,
for the same stream at their fork; their ways are put together at the join.

Tests: tests/compiler/search/test_series.py
"""

from collections import defaultdict
from collections.abc import Callable
from functools import partial
from itertools import product

from bnnhw.compiler.units.port import Port
from bnnhw.compiler.units.product.layer import MatrixLayer

from .front import Alternatives, Front, Fronts, JoinFront, LayerFront, Start, Trial
from .parts import Part
from .series import Fork, Parallel, Series

Units = Callable[[Port], tuple[Part, Port]]
"""What stands behind a stream, and the stream behind that."""


def begin(series: Series, trial: Trial) -> Fronts:
    """The fronts before a series: of what the layer wants that it begins with; where others read the input, too, of
    each stream that it may want; where no layer comes first, of each stream that may come."""
    start = Start(trial)
    if trial.options.pipeline.first_layer is None:
        entered = trial.options.entered(trial.limit) if trial.vectors == 1 else ()
        return {port: Alternatives([(start, part)], trial) for part, port in entered if trial.allows(part)}
    if not isinstance(series[0], Fork):
        return {None: start}
    return {trial.options.layers_input(option.folding, trial.vectors): start for option in trial.layers[0]}


def extend(fronts: Fronts, series: Series, trial: Trial) -> Fronts:
    """The fronts behind a series."""
    for element in series:
        if isinstance(element, MatrixLayer):
            fronts = behind_layer(fronts, trial.options.pipeline.layers.index(element), trial)
        elif isinstance(element, Fork):
            fronts = behind_units(fronts, partial(trial.options.fork, element.readers), trial)
        else:
            fronts = behind_branches(fronts, element, trial)
    return fronts


def behind_layer(fronts: Fronts, index: int, trial: Trial) -> Fronts:
    """The fronts behind a layer."""
    reached: dict[Port | None, LayerFront] = {}
    fed: dict[tuple[int, int], Front] = {}
    for option in trial.layers[index]:
        folding = option.folding
        key = folding.simd, folding.pixels  # all that the feed depends on
        if key not in fed:
            feeds = [(front, trial.options.feed(index, folding, before)) for before, front in fronts.items()]
            fed[key] = Alternatives([(front, part) for front, part in feeds if trial.allows(part)], trial)
        if option.part.resources.ebr <= trial.room:
            reached.setdefault(option.port, LayerFront(trial)).offer(option, fed[key], trial)
    return reached


def behind_units(fronts: Fronts, units: Units, trial: Trial) -> Fronts:
    """The fronts behind units without foldings."""
    reached: dict[Port, list[tuple[Front, Part]]] = defaultdict(list)
    for port, front in fronts.items():
        assert port is not None  # units without foldings read what there is
        part, after = units(port)
        if trial.allows(part):
            reached[after].append((front, part))
    return {port: Alternatives(ways, trial) for port, ways in reached.items()}


def behind_branches(fronts: Fronts, parallel: Parallel, trial: Trial) -> Fronts:
    """The fronts behind a join, from those at its fork."""
    reached: dict[Port | None, JoinFront] = {}
    for port, front in fronts.items():
        ways = []
        for number, branch in enumerate(parallel.branches):
            ends = extend({port: Start(trial)}, branch, trial)
            way = partial(trial.options.way, parallel.join, number)
            ways.append(behind_units(ends, way, trial).items())
        for meeting in product(*ways):
            part, after = trial.options.meet(parallel.join, [end for end, _ in meeting])
            if trial.allows(part):
                own = [way for _, way in meeting]
                reached.setdefault(after, JoinFront(trial)).offer(part, [front, *own], trial)
    return reached
