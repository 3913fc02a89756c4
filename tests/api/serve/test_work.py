import numpy as np
import pytest

from bnnhw.api.serve.waiting import Place, Waiting
from bnnhw.api.serve.work import work
from bnnhw.boards.host.errors import LinkError

from .fakes import SHAPE, FakeBoard, at_work, network_of

NETWORKS = {name: network_of(name) for name in "ab"}


def bring(waiting: Waiting, name: str, *values: int) -> list[Place]:
    """An image of each value, which stands in all its places."""
    places = [waiting.join(name) for _ in values]
    for place, value in zip(places, values, strict=True):
        waiting.bring(place, np.full(SHAPE, value))
    return places


def test_each_image_gets_its_own_answer_and_networks_take_turns() -> None:
    board, waiting = FakeBoard(), Waiting({"a": 4, "b": 2}, places=64)
    places = [*bring(waiting, "a", *range(0, 9)), *bring(waiting, "b", *range(20, 25))]
    with at_work(board, waiting, NETWORKS):
        labels = [place.answer.result(30).label for place in places]
    assert labels == [str(6 * value) for value in (*range(0, 9), *range(20, 25))]
    assert board.batches == [("a", 4), ("b", 2), ("a", 4), ("b", 2), ("a", 1), ("b", 1)]
    assert waiting.answered == {"a": 9, "b": 5}
    assert board.opened == board.closed == 1


@pytest.mark.parametrize(("deadly", "error"), [(13, LinkError), (14, RuntimeError)])
def test_a_board_that_fails_is_opened_again(deadly: int, error: type[Exception]) -> None:
    """What was answered before stays so, what was under way fails, what waits is answered then."""
    board, waiting = FakeBoard(), Waiting({"a": 4, "b": 2}, places=64)
    places = bring(waiting, "a", 1, 2, deadly, 3, 4, 5)
    with at_work(board, waiting, NETWORKS):
        assert [place.answer.result(30).label for place in (*places[:2], *places[4:])] == ["6", "12", "24", "30"]
        assert [type(place.answer.exception(30)) for place in places[2:4]] == [error] * 2
        assert board.opened == 2
        board.plugged = False
        (dying,) = bring(waiting, "b", deadly)
        assert isinstance(dying.answer.exception(30), error)
        (unmet,) = bring(waiting, "b", 7)
        assert str(unmet.answer.exception(30)) == "no board"
        board.plugged = True
        (place,) = bring(waiting, "b", 7)
        assert place.answer.result(30).label == "42"
    assert board.opened == board.closed == 3
    assert waiting.answered == {"a": 4, "b": 1}


def test_a_board_that_is_not_there_at_first_is_an_error() -> None:
    board = FakeBoard()
    board.plugged = False
    with pytest.raises(LinkError, match=r"^no board$"):
        work(Waiting({"a": 1}, places=1), NETWORKS, board.open, on_open=lambda: pytest.fail("it is not open"))
