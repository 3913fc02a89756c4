"""The order in which a matrix unit works: folds of rows, in each the bit planes, in each the words of the input.

Tests: tests/hw/product/test_matrix_unit.py
"""

from amaranth.hdl import Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Sequencer"]


class Sequencer(wiring.Component):
    """for fold in range(folds): for plane in range(planes): for word in range(words): one beat a cycle.

    A vector meets `vector_folds` folds, the next one those that follow, and the first ones again after the last. A fold
    begins when there are two credits, that is room for its result, and the input vector is there; it then runs without
    a pause. Folds and vectors follow each other without one, too, as long as both are given.

    Members
    -------
    filled : In(1)
        The input vector is in the buffer.
    release : Out(1)
        This cycle's beat is the vector's last.
    returned : In(1)
        A result has left and gives its credit back.
    word : Out
        The input word of this cycle's beat; it means nothing where there is no beat.
    valid, first, plane_first, last, fold, plane, address : Out
        The beat of the cycle before: whether there is one, whether it is its fold's first, its plane's first, its
        fold's last; its fold, its plane in the order of time, and fold * words + word.
    """

    filled: Signal
    release: Signal
    returned: Signal
    word: Signal
    valid: Signal
    first: Signal
    plane_first: Signal
    last: Signal
    fold: Signal
    plane: Signal
    address: Signal

    def __init__(self, *, folds: int, vector_folds: int, words: int, planes: int, credits: int):
        self.folds = folds
        self.vector_folds = vector_folds
        self.words = words
        self.planes = planes
        self.credits = credits
        super().__init__(
            {
                "filled": In(1),
                "release": Out(1),
                "returned": In(1),
                "word": Out(range(words)),
                "valid": Out(1),
                "first": Out(1),
                "plane_first": Out(1),
                "last": Out(1),
                "fold": Out(range(folds)),
                "plane": Out(range(planes)),
                "address": Out(range(folds * words)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        word, word_first, word_last = _counter("word", self.words)
        plane, plane_first, plane_last = _counter("plane", self.planes)
        groups = self.folds // self.vector_folds
        fold, fold_first, fold_last = _counter("fold", self.vector_folds)
        group, group_first, group_last = _counter("group", groups)
        number = fold if groups == 1 else Signal(range(self.folds), name="fold_number")  # among those of all groups
        address, fold_address = (Signal(range(self.folds * self.words), name=n) for n in ("next", "fold_next"))

        # A begin is taken from the credits one cycle late, so that no path goes through the decision and the counter.
        # One more credit must be left for the begin that is not accounted for yet: `spare` is without these two.
        spare = Signal(range(-2, self.credits - 1), init=self.credits - 2)
        began = Signal()
        begins, ends, go = Signal(), Signal(), Signal()
        m.d.comb += [
            begins.eq(word_first & plane_first),
            ends.eq(word_last & plane_last),
            go.eq(~begins | ((spare >= 0) & (~fold_first | self.filled))),
            self.release.eq(go & ends & fold_last),
            self.word.eq(word),
        ]
        m.d.sync += [began.eq(go & begins), spare.eq(spare - began + self.returned)]
        with m.If(go):
            _advance(m, word, word_first, word_last, self.words)
            m.d.sync += address.eq(address + 1)
            with m.If(word_last):
                _advance(m, plane, plane_first, plane_last, self.planes)
                m.d.sync += address.eq(fold_address)
                with m.If(plane_last):
                    _advance(m, fold, fold_first, fold_last, self.vector_folds)
                    m.d.sync += [address.eq(address + 1), fold_address.eq(address + 1)]
                    if groups > 1:
                        m.d.sync += number.eq(number + 1)
                    with m.If(fold_last):
                        _advance(m, group, group_first, group_last, groups)
                        with m.If(group_last):
                            m.d.sync += [address.eq(0), fold_address.eq(0)]
                            if groups > 1:
                                m.d.sync += number.eq(0)
        m.d.sync += [
            self.valid.eq(go),
            self.last.eq(go & ends),
            self.first.eq(begins),
            self.plane_first.eq(word_first),
            self.fold.eq(number),
            self.plane.eq(plane),
            self.address.eq(address),
        ]
        return m


def _counter(name: str, count: int) -> tuple[Signal, Signal | Const, Signal | Const]:
    """A counter of `count` steps with registers that say that it is at its first and at its last one."""
    value = Signal(range(count), name=name)
    if count == 1:
        return value, Const(1, 1), Const(1, 1)
    return value, Signal(init=1, name=f"{name}_first"), Signal(init=0, name=f"{name}_last")


def _advance(m: Module, value: Signal, first: Signal | Const, last: Signal | Const, count: int) -> None:
    if count > 1:
        m.d.sync += [value.eq(value + 1), first.eq(last), last.eq(value == count - 2)]
        with m.If(last):
            m.d.sync += value.eq(0)
