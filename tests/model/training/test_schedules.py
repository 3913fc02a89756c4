import pytest

from bnnhw.model.training.schedules import learning_rate_share


@pytest.mark.parametrize(
    ("schedule", "warmup", "shares"),
    [
        ("cosine", 0.0, {0.0: 1.0, 0.5: 0.5, 1.0: 0.0}),
        ("cosine", 0.5, {0.0: 0.0, 0.25: 0.5 * 0.853553, 0.5: 0.5}),
        ("step", 0.0, {0.0: 1.0, 0.5: 1.0, 0.51: 0.1, 0.75: 0.1, 0.76: 0.01, 1.0: 0.01}),
        ("step", 0.1, {0.05: 0.5, 0.6: 0.1}),
    ],
)
def test_shares(schedule: str, warmup: float, shares: dict[float, float]) -> None:
    assert {done: learning_rate_share(schedule, done, warmup=warmup) for done in shares} == pytest.approx(shares)
