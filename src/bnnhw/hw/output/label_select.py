"""The label: the index of the greatest score."""

from itertools import count

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.flow import Channel, Flow, Process

__all__ = ["LabelSelect", "label_select_process"]


def label_select_process(i: Channel, o: Channel, *, classes: int, lanes: int) -> Process:
    """The flow of a LabelSelect.

    A beat's scores are compared in the `lanes` cycles after it was accepted, and the next one is accepted in the last
    of these. The label is offered one cycle after the last comparison, which waits for the label before to be taken.
    """
    free = 0
    for number in count():
        for _ in range(classes // lanes):
            accepted = max((yield i), free)
            i.take(accepted)
            free = accepted + lanes
        free = max(free, (yield o.takes, number - 1))
        o.give(free + 1)


class LabelSelect(wiring.Component):
    """o = arg max over c of score[c]; among equal scores the lowest index. One class a cycle, all vectors at once.

    Parameters
    ----------
    classes : int
        At least 1; class 0 arrives first.
    width : int
        Bits of a score.
    signed : bool
        Whether scores are two's complement.
    lanes : int
        Scores of one vector in a beat; a divisor of `classes`.
    vectors : int
        Vectors in a beat.

    Members
    -------
    i : In(stream of unsigned(vectors * lanes * width))
    o : Out(stream of unsigned(vectors * label_width))
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, *, classes: int, width: int, signed: bool, lanes: int = 1, vectors: int = 1):
        for name, value in (("classes", classes), ("width", width), ("lanes", lanes), ("vectors", vectors)):
            if value < 1:
                raise ValueError(f"{name}={value} must be at least 1")
        if classes % lanes:
            legal = [divisor for divisor in range(1, classes + 1) if classes % divisor == 0]
            raise ValueError(f"lanes={lanes} must divide classes={classes}; legal values are {legal}")
        self.classes = classes
        self.width = width
        self.signed = signed
        self.lanes = lanes
        self.vectors = vectors
        super().__init__(
            {"i": In(flat_stream(vectors * lanes * width)), "o": Out(flat_stream(vectors * self.label_width))}
        )

    def __repr__(self) -> str:
        return (
            f"LabelSelect(classes={self.classes}, width={self.width}, signed={self.signed}, lanes={self.lanes}, "
            f"vectors={self.vectors})"
        )

    @property
    def label_width(self) -> int:
        """Bits of a label, at least one."""
        return max(1, (self.classes - 1).bit_length())

    @property
    def initiation_interval(self) -> int:
        """Cycles from vector to vector in the steady state."""
        return self.classes

    def flow(self, i: Channel, o: Channel) -> Flow:
        """See `label_select_process`."""
        return [label_select_process(i, o, classes=self.classes, lanes=self.lanes)]

    def elaborate(self, platform) -> Module:
        m = Module()
        busy = Signal()
        lane = Signal(range(self.lanes))
        index = Signal(range(self.classes))
        lane_last = Signal()
        last = Signal()
        m.d.comb += [lane_last.eq(lane == self.lanes - 1), last.eq(index == self.classes - 1)]
        # The comparison of the last class waits while the label before has not left.
        go = Signal()
        m.d.comb += [go.eq(busy & ~(last & self.o.valid & ~self.o.ready)), self.i.ready.eq(~busy | (go & lane_last))]
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(go):
            m.d.sync += [lane.eq(Mux(lane_last, 0, lane + 1)), index.eq(Mux(last, 0, index + 1))]
            with m.If(lane_last):
                m.d.sync += busy.eq(0)
            with m.If(last):
                m.d.sync += self.o.valid.eq(1)
        with m.If(self.i.ready & self.i.valid):
            m.d.sync += busy.eq(1)

        answer = [self._compare(m, v, index, last, go) for v in range(self.vectors)]
        m.d.comb += self.o.payload.eq(Cat(answer))
        return m

    def _compare(self, m: Module, vector: int, index: Signal, last: Signal, go: Signal) -> Signal:
        """Compares the score of class `index` with the best so far; the label, from the last comparison on."""
        scores = Signal(self.lanes * self.width, name=f"scores{vector}", reset_less=True)
        best = Signal(self.width, name=f"best{vector}", reset_less=True)
        label, answer = (Signal(self.label_width, name=f"{n}{vector}", reset_less=True) for n in ("label", "answer"))
        better = Signal(name=f"better{vector}")
        score = scores[: self.width]
        greater = score.as_signed() > best.as_signed() if self.signed else score > best
        m.d.comb += better.eq((index == 0) | greater)
        with m.If(go):
            m.d.sync += scores.eq(scores >> self.width)
            with m.If(better):
                m.d.sync += [best.eq(score), label.eq(index)]
            with m.If(last):
                m.d.sync += answer.eq(Mux(better, index, label))
        with m.If(self.i.ready):
            m.d.sync += scores.eq(self.i.payload.word_select(vector, self.lanes * self.width))
        return answer
