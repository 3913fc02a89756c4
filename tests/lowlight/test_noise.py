import numpy as np
import pytest

from bnnhw.lowlight.noise import Sensor, expose

SENSORS = (
    Sensor(),
    Sensor(gain=0.5, read_noise=4.0, row_noise=0.0),
    Sensor(gain=6.0, read_noise=0.0, row_noise=0.0, black_level=64, white_level=4095),
)


def flat(light: float, *, sensor: Sensor, ratio: float = 1.0, seed: int = 0, size: int = 500) -> np.ndarray:
    """The numbers above black of a wall that is lit evenly, of `light` numbers after `ratio`."""
    mosaic = np.full((size, size), light * ratio / sensor.range, np.float32)
    return expose(mosaic, ratio=ratio, sensor=sensor, generator=np.random.default_rng(seed)) * sensor.range


@pytest.mark.parametrize("sensor", SENSORS)
def test_variance_against_mean_is_a_line(sensor: Sensor) -> None:
    for light in (0.0, 5.0, 50.0, 500.0):
        numbers = flat(light, sensor=sensor)
        inside_rows = (numbers - numbers.mean(axis=1, keepdims=True)).var() * 500 / 499
        rounding = 1 / 12 if sensor.read_noise else 0.0  # whole electrons times 6 are whole numbers
        expected = sensor.gain * light + (sensor.gain * sensor.read_noise) ** 2 + rounding
        error = 5 * (expected**0.5 / 500 + sensor.gain * sensor.row_noise / 500**0.5)
        assert numbers.mean() == pytest.approx(light, abs=error)
        assert inside_rows == pytest.approx(expected, rel=0.02)


def test_row_noise_is_common_to_a_row() -> None:
    sensor = Sensor(row_noise=5.0, read_noise=1.0)
    numbers = flat(100.0, sensor=sensor)
    assert numbers.mean(axis=1).std() == pytest.approx(10.0, rel=0.1)
    assert numbers.mean(axis=0).std() < 1.5
    rows = np.corrcoef(numbers[:, ::2].mean(axis=1), numbers[:, 1::2].mean(axis=1))[0, 1]
    assert rows > 0.98


@pytest.mark.parametrize("sensor", SENSORS)
def test_a_shorter_exposure_has_less_light(sensor: Sensor) -> None:
    assert flat(20.0, sensor=sensor, ratio=30.0).mean() == pytest.approx(20.0, rel=0.05)
    bright = np.linspace(0, 1, 10_000, dtype=np.float32).reshape(100, 100)
    dark = expose(bright, ratio=100.0, sensor=sensor, generator=np.random.default_rng(0))
    assert dark.dtype == np.float32
    assert dark.mean() == pytest.approx(0.005, rel=0.05)


def test_numbers_are_whole_and_cut() -> None:
    sensor = Sensor(gain=4.0, read_noise=30.0, row_noise=0.0, black_level=10, white_level=1023)
    numbers = flat(0.0, sensor=sensor)
    assert set(np.unique(np.rint(numbers))) >= {-10, 0, 100}
    assert np.abs(numbers - np.rint(numbers)).max() < 1e-3
    assert numbers.min() == pytest.approx(-10)
    assert flat(1100.0, sensor=sensor).max() == pytest.approx(1013)


def test_the_same_seed_gives_the_same_noise() -> None:
    one, again, other = (flat(30.0, sensor=Sensor(), seed=seed) for seed in (7, 7, 8))
    np.testing.assert_array_equal(one, again)
    assert (one != other).mean() > 0.9


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"gain": 0.0}, r"gain=0\.0 must be greater than 0"),
        ({"read_noise": -1.0}, r"read_noise=-1\.0 must be at least 0"),
        ({"row_noise": float("nan")}, "row_noise=nan must be at least 0"),
        ({"black_level": 16383}, r"black_level=16383 must lie in \[0, white_level=16383\)"),
    ],
)
def test_sensors_that_cannot_be(fields: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        Sensor(**fields)  # pyright: ignore[reportArgumentType]
