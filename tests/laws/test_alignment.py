"""Alignment of deviations: exact for linear maps, rates of chaos, powers of regular motion."""

import mpmath
import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo
from dynlab.chaos.exponents.deviations import random_vectors
from dynlab.seeds import seed_of


def star(energy, y, py):
    """A start of Henon and Heiles' star with x = 0 and px > 0."""
    px = np.sqrt(2 * energy - py**2 - y**2 + 2 * y**3 / 3)
    return {"x": 0.0, "y": y, "px": float(px), "py": py}


@dl.iterated_map
def cat(x=0.0, y=0.0):
    """Linear, so that deviations follow it exactly."""
    return {x: 2 * x + y, y: x + y}


@dl.iterated_map
def two_rotors(q=0.5, p=0.1, u=0.3, v=0.2, *, K=8.0, L=20.0, b=0.5):
    """Two standard maps coupled, after Froeschle 1972: so far from order that no orbit is seen to stick."""
    pull = b * dl.sin(q - u)
    after_p, after_v = p + K * dl.sin(q) + pull, v + L * dl.sin(u) - pull
    return {q: q + after_p, p: after_p, u: u + after_v, v: after_v}


def test_a_linear_map_to_sixty_digits():
    """GALI_2 after n steps is |det(J^n V)| over the lengths of its columns; below 1e-50 digits have to last."""
    found = dl.alignment_indices(cat, duration=70, seed=4)
    first = random_vectors(2, 2, seed_of(4).stream(0))
    with mpmath.workdps(120):
        V = mpmath.matrix(first.T.tolist())
        for row in range(70):
            V = mpmath.matrix([[2, 1], [1, 1]]) * V
            lengths = [mpmath.norm(V[:, j]) for j in range(2)]
            exact = mpmath.log(abs(mpmath.det(V)) / (lengths[0] * lengths[1]))
            assert found.logarithms[row, 0] == pytest.approx(float(exact), abs=1e-9)
    assert found.logarithms[-1, 0] < -50 * np.log(10)
    # It falls by l1 - l2 = 2 ln((3 + sqrt 5) / 2).
    rate = found.decay_rate(2)
    assert rate.value == pytest.approx(2 * np.log((3 + np.sqrt(5)) / 2), rel=1e-9)


def test_sali_is_the_shorter_diagonal():
    found = dl.alignment_indices(cat, duration=16, seed=4)
    first = random_vectors(2, 2, seed_of(4).stream(0))
    for row in range(16):
        V = np.linalg.matrix_power([[2, 1], [1, 1]], row + 1) @ first.T
        one, two = (V / np.linalg.norm(V, axis=0)).T
        exact = min(np.linalg.norm(one + two), np.linalg.norm(one - two))
        assert found.sali[row] == pytest.approx(exact, abs=1e-13)


@pytest.mark.parametrize(
    ("system", "start", "duration", "count"),
    [
        (two_rotors, {}, 5000, 4),
        (zoo.lorenz, {}, 1000, 3),
        (zoo.henon, {}, 10_000, 2),
    ],
    ids=["two rotors", "lorenz", "henon"],
)
def test_chaos_decays_at_differences_of_exponents(system, start, duration, count):
    """Two orbits of the same set, which steps of different size make part: both scatter by their errors.

    Beyond three of these the rates differ by how the first deviations lay: a few units over the duration.  No orbit
    here sticks to islands: on Henon and Heiles' star one does for longer than such runs, and no error is known.
    """
    found = dl.alignment_indices(system, start=start, duration=duration, count=count, seed=2)
    spectrum = dl.lyapunov_spectrum(system, start=start, duration=duration, seed=2)
    assert found.verdict is dl.Verdict.CHAOTIC
    gaps = np.cumsum(spectrum.exponents[0] - spectrum.exponents)[1:]
    errors = spectrum.standard_errors
    scatter = np.cumsum(np.hypot(errors[0], errors))[1:]
    total = -found.logarithms[-1] / found.times[-1]
    allowed = 3 * np.sqrt(2) * scatter + 6 * np.arange(2, count + 1) / duration
    assert (np.abs(total - gaps[: count - 1]) < allowed[: count - 1]).all()
    assert allowed[0] < 0.7 * gaps[0]
    for k in range(2, count + 1):
        rate = found.decay_rate(k)
        slack = 3 * (rate.standard_error + scatter[k - 2]) + 12 * k / duration
        assert abs(rate.value - gaps[k - 2]) < slack


def test_regular_motion_of_a_star_follows_powers():
    """On a torus of two dimensions in four: constant, t^-2, t^-4 (Skokos et al. 2007, eq 18)."""
    start = star(1 / 8, 0.1, 0.0)
    found = dl.alignment_indices(zoo.henon_heiles, start=start, duration=3000, count=4, seed=1)
    assert found.verdict is dl.Verdict.REGULAR
    np.testing.assert_allclose([found.power(k) for k in (2, 3, 4)], [0, -2, -4], atol=0.1)
    assert found.sali.min() > 0.1


def test_regular_motion_of_a_map_of_the_plane():
    """Both deviations turn into the curve: SALI ~ t^-2 (Skokos 2001)."""
    start = {"theta": 0.0, "p": 2.4}
    found = dl.alignment_indices(zoo.standard_map(K=0.5), start=start, duration=20_000, seed=1)
    assert found.verdict is dl.Verdict.REGULAR
    assert found.power(2) == pytest.approx(-2, abs=0.15)


def test_count_only_adds_indices():
    """GALI_2 is of two deviations, whatever others there are."""
    two, four = (dl.alignment_indices(two_rotors, duration=1000, count=k, seed=3) for k in (2, 4))
    # One orbit, other first directions.
    one, other = two.decay_rate(2), four.decay_rate(2)
    assert abs(one.value - other.value) < 4 * np.hypot(one.standard_error, other.standard_error)
    assert four.count == 4
    assert (
        np.diff(four.logarithms, axis=1) <= 1e-9
    ).all()  # a volume is no larger than that of fewer


def test_what_cannot_be_used_is_named():
    with pytest.raises(dl.UnsupportedSystemError, match="has one state"):
        dl.alignment_indices(zoo.logistic, duration=100)
    with pytest.raises(dl.UnsupportedSystemError, match="has events"):
        dl.alignment_indices(zoo.bouncing_ball, duration=100)
    with pytest.raises(dl.SettingError, match="count is 1; one deviation"):
        dl.alignment_indices(zoo.henon, duration=100, count=1)
    with pytest.raises(dl.SettingError, match="count is 3"):
        dl.alignment_indices(zoo.henon, duration=100, count=3)
    with pytest.raises(dl.SettingError, match="duration"):
        dl.alignment_indices(zoo.henon, duration=-1)
    found = dl.alignment_indices(zoo.henon, duration=100)
    with pytest.raises(dl.SettingError, match="k is 3, but GALI is known for 2 to 2"):
        found.gali(3)


def test_an_orbit_that_escapes():
    found = dl.alignment_indices(zoo.henon, start={"x": 3.0, "y": 0.0}, duration=500)
    assert found.verdict is dl.Verdict.ESCAPED
    assert np.isfinite(found.logarithms).all()


def test_result_is_kept_and_drawn(tmp_path):
    found = dl.alignment_indices(zoo.henon_heiles, duration=50, count=3, seed=1)
    again = dl.load(found.save(tmp_path / "found.npz"))
    assert repr(again) == repr(found)
    np.testing.assert_array_equal(again.logarithms, found.logarithms)
    assert list(found.to_table()) == ["time", "SALI", "GALI_2", "GALI_3"]
    assert found.plot().get_ylabel()
    assert found.verdict is dl.Verdict.UNDECIDED  # too short to tell
