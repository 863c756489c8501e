"""Recordings: what is between and beyond the recorded values, and which data are refused."""

import numpy as np
import pytest

import dynlab as dl
from dynlab.errors import SettingError

TIMES = np.array([0.0, 0.5, 1.5, 2.0, 4.0])
VALUES = np.array([0.0, 1.0, 1.0, -2.0, 0.0])
ALL = (dl.Previous, dl.Linear, dl.Monotone, dl.Spline)
each = pytest.mark.parametrize("interpolation", ALL, ids=lambda i: i.value)


@each
def test_recorded_values_are_met(interpolation):
    made = dl.Recording(TIMES, VALUES, interpolation)
    found = made(TIMES)
    assert np.allclose(found[:-1], VALUES[:-1], rtol=0, atol=1e-14)
    assert found[-1] == pytest.approx(-2.0 if interpolation is dl.Previous else 0.0, abs=1e-14)


def test_what_is_between():
    inside = [0.25, 1.0, 1.9, 3.0]
    assert dl.Recording(TIMES, VALUES, dl.Previous)(inside).tolist() == [0, 1, 1, -2]
    assert np.allclose(dl.Recording(TIMES, VALUES)(inside), [0.5, 1.0, -1.4, -1.0], atol=1e-15)
    fine = np.linspace(0, 4, 2001)
    monotone = dl.Recording(TIMES, VALUES, dl.Monotone)(fine)
    assert monotone.max() == 1.0  # no overshoot on the plateau
    assert monotone.min() == -2.0
    assert dl.Recording(TIMES, VALUES, dl.Spline)(fine).max() > 1.05


def test_a_spline_is_exact_for_a_cubic():
    cubic = np.polynomial.Polynomial([1.0, -2.0, 0.5, 0.3])
    t = np.array([0.0, 0.4, 1.1, 1.5, 3.0])
    fine = np.linspace(0, 3, 101)
    found = dl.Recording(t, cubic(t), dl.Spline)(fine)
    assert np.allclose(found, cubic(fine), rtol=0, atol=1e-13)


@each
def test_beyond_the_ends(interpolation):
    made = dl.Recording(TIMES, VALUES, interpolation)
    with pytest.raises(SettingError, match=r"needed from t = -1 to -1 and recorded from 0 to 4"):
        made(-1.0)
    held = made.held()
    assert held([-3.0, 9.0]).tolist() == held([0.0, 4.0]).tolist()
    again = made.repeated()
    assert np.allclose(again([-3.3, 4.7, 40.7]), again([0.7, 0.7, 0.7]), rtol=0, atol=1e-12)
    assert np.allclose(made.shifted(2.0)(TIMES + 2), made(TIMES), rtol=0, atol=1e-15)


def test_a_repeated_recording_must_close():
    with pytest.raises(SettingError, match="begins with 0 and ends with 1"):
        dl.Recording([0, 1, 2], [0, 2, 1]).repeated()
    assert dl.Recording([0, 1, 2], [0, 2, 1], dl.Previous).repeated()(2.5) == 0


def test_kinks_are_where_the_slope_jumps():
    made = dl.Recording(TIMES, VALUES)
    assert made.kinks(0.2, 1.9).tolist() == [0.5, 1.5]
    assert made.kinks(1.9, 0.2).tolist() == [0.5, 1.5]
    assert made.repeated().kinks(3.9, 6.1).tolist() == [4.0, 4.5, 5.5, 6.0]
    smooth = dl.Recording(TIMES, VALUES, dl.Spline)
    assert smooth.kinks(0.2, 1.9).size == 0
    assert smooth.held().kinks(-1, 9).tolist() == [0.0, 4.0]


@each
def test_recordings_are_equal_by_what_they_hold(interpolation):
    made = dl.Recording(TIMES, VALUES, interpolation)
    again = dl.Recording.from_arrays(made.repeated().to_arrays())
    assert again == made.repeated()
    assert hash(again) == hash(made.repeated())
    assert again != made
    assert made != dl.Recording(TIMES, VALUES + 1e-12, interpolation)
    assert interpolation.value in repr(made)
    with pytest.raises(ValueError, match="read-only"):
        made.values[0] = 5.0


@pytest.mark.parametrize(
    ("times", "values", "message"),
    [
        ([0, 1], [0, 1, 2], "2 times and 3 values"),
        ([0], [1], "two are the least"),
        ([], [], "two are the least"),
        ([0, 1, 1], [0, 1, 2], r"times\[1\] = 1 is followed by 1"),
        ([0, 2, 1], [0, 1, 2], r"times\[1\] = 2 is followed by 1"),
        ([0, np.nan, 1], [0, 1, 2], r"times\[1\] of a recording is nan"),
        ([0, 1, 2], [0, np.inf, 2], r"values\[1\] of a recording is inf"),
        ([[0, 1], [2, 3]], [0, 1], "give a flat list"),
        (["a", "b"], [0, 1], "are no numbers"),
        (None, [0, 1], "recording"),
    ],
)
def test_bad_data_are_refused(times, values, message):
    with pytest.raises(SettingError, match=message):
        dl.Recording(times, values)


def test_an_interpolation_is_one_of_four():
    with pytest.raises(SettingError, match=r"'cubic'.*dl\.Spline"):
        dl.Recording([0, 1], [0, 1], "cubic")
