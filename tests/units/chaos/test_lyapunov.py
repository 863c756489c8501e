"""Exponents in closed form and from print, verdicts, traps, and what is refused."""

import numpy as np
import pytest

import dynlab as dl
from dynlab import Status, Verdict, zoo


@dl.iterated_map
def logistic(x=0.3, *, r=4.0):
    """x -> r x (1 - x)."""
    return {x: r * x * (1 - x)}


@dl.iterated_map
def doubling(x=0.3):
    return {x: dl.mod(2 * x, 1)}


@dl.iterated_map
def standard(q=0.5, p=0.0, *, K=5.0):
    return {q: q + p + K * dl.sin(q), p: p + K * dl.sin(q)}


@dl.iterated_map
def baker(x=0.1, y=0.2, *, a=0.8):
    cut = dl.floor(2 * x)
    return {x: 2 * x - cut + 1e-10 * dl.sin(7 * y), y: (a * y + cut) / 2}


@dl.flow
def explosion(x=1.0):
    return {x: x**2}


def within(found, value):
    low, high = found.interval(level=0.999)
    return low < value < high


def test_lorenz():
    """Sprott, Common Chaotic Systems (1998): 0.9056, 0, -14.5723; Kaplan-Yorke dimension 2.06215."""
    found = dl.lyapunov_spectrum(zoo.lorenz, duration=3000, transient=50, seed=1)
    low, high = found.interval(level=0.999).T
    assert ((low < [0.9056, 0, -14.5723]) & (high > [0.9056, 0, -14.5723])).all()
    assert abs(found.kaplan_yorke_dimension - 2.06215) < 4 * found.kaplan_yorke_error
    assert found.kaplan_yorke_error < 1e-3
    assert found.verdict is Verdict.CHAOTIC
    assert found.verdict_error < 1e-3


def test_standard_map_in_the_chaotic_sea():
    """Ten million steps by a program of its own gave 0.97500(15)."""
    found = dl.lyapunov_exponent(standard, duration=200_000, seed=1)
    assert within(found, 0.975)


@pytest.mark.parametrize("r", [3.2, 3.4])
def test_the_doubled_cycle_of_the_logistic_map(r):
    found = dl.lyapunov_exponent(logistic(r=r), duration=10_000, transient=1000, seed=1)
    assert found.value == pytest.approx(0.5 * np.log(abs(4 + 2 * r - r**2)), abs=1e-12)
    assert found.verdict is Verdict.PERIODIC


def test_a_superstable_cycle_has_minus_infinity():
    found = dl.lyapunov_spectrum(logistic(r=1 + np.sqrt(5)), duration=1000, transient=100, seed=1)
    assert found.exponents.tolist() == [-np.inf]
    assert found.standard_errors.tolist() == [0.0]
    assert found.verdict is Verdict.PERIODIC
    assert found.kaplan_yorke_dimension == 0


def test_a_direction_that_is_lost_has_minus_infinity():
    @dl.iterated_map
    def flat(x=0.1, y=0.1):
        return {x: 1 - 1.4 * x**2 + y, y: 0 * x}

    found = dl.lyapunov_spectrum(flat, duration=1000, seed=1)
    assert found.exponents[1] == -np.inf
    assert np.isfinite(found.exponents[0])


def test_the_logistic_map_at_4_in_natural_logarithms():
    found = dl.lyapunov_exponent(logistic, duration=1_000_000, seed=1)
    assert within(found, np.log(2))
    assert found.standard_error < 1e-4


def test_baker_map():
    found = dl.lyapunov_spectrum(baker, duration=10_000, transient=100, seed=1)
    assert found.exponents == pytest.approx([np.log(2), np.log(0.4)], abs=1e-6)


@pytest.mark.parametrize("transient", [0, 500])
def test_rounding_traps_an_orbit_and_that_is_said(transient):
    with pytest.warns(dl.AccuracyWarning, match=r"unstable cycle of period 1 after 5\d steps"):
        found = dl.lyapunov_exponent(doubling, duration=5000, transient=transient, seed=1)
    assert found.status is Status.ABSORBED
    assert not found.status.ok
    assert found.value == pytest.approx(np.log(2), abs=1e-12)


def test_an_orbit_that_falls_on_zero_is_not_measured_there():
    """Near 1/2 the logistic map rounds to 1 and then to 0, where the slope is 4 and not 2."""
    start = 0.5
    for _ in range(
        20
    ):  # backwards; forwards, rounding grows by 2^20 and stays below the 5e-9 that matter
        start = 0.5 * start / (1 + np.sqrt(1 - start))
    with pytest.warns(dl.AccuracyWarning, match=r"unstable cycle of period 1 after 2\d steps"):
        found = dl.lyapunov_exponent(logistic, start=[start], duration=10**4, seed=1)
    assert found.status is Status.ABSORBED
    assert found.spectrum.growth.times[-1] < 30


def test_a_start_on_an_unstable_cycle_is_what_was_asked_for():
    found = dl.lyapunov_exponent(logistic, start=[0.75], duration=1000, seed=1)
    assert found.status.ok
    assert found.value == pytest.approx(np.log(2))
    assert found.verdict is Verdict.FIXED_POINT


VERDICTS = {
    "fixed point": (zoo.lorenz(rho=10), None, 1000, 100, Verdict.FIXED_POINT),
    "node at 0": (zoo.lorenz(rho=0.5), None, 200, 100, Verdict.FIXED_POINT),
    "cycle": (zoo.brusselator, None, 1000, 100, Verdict.PERIODIC),
    "two tori": (standard(K=0.3), [2.9, 0.1], 100_000, 0, Verdict.QUASI_PERIODIC),
    "chaos": (logistic(r=3.9), None, 10_000, 100, Verdict.CHAOTIC),
    "escape": (logistic(r=4.5), None, 1000, 0, Verdict.ESCAPED),
    "too short": (zoo.lorenz, None, 2.0, 10, Verdict.UNDECIDED),
}


@pytest.mark.parametrize("name", VERDICTS)
def test_verdicts(name):
    system, start, duration, transient, expected = VERDICTS[name]
    found = dl.lyapunov_spectrum(
        system, start=start, duration=duration, transient=transient, seed=1
    )
    assert found.verdict is expected


def test_one_exponent_tells_regular_from_chaotic_only():
    found = dl.lyapunov_exponent(zoo.roessler(c=2.5), duration=1000, transient=200, seed=1)
    assert found.verdict is Verdict.REGULAR


def test_a_forced_oscillator_has_no_exponent_for_the_time():
    @dl.flow
    def pushed(x=1.0, v=0.0, *, d=0.2):
        return {x: v, v: -x - 2 * d * v + dl.cos(2 * dl.t)}

    found = dl.lyapunov_spectrum(pushed, duration=500, transient=50, seed=1)
    assert found.exponents == pytest.approx([-0.2, -0.2], abs=3e-3)
    assert found.verdict is Verdict.PERIODIC


def test_jumps_in_time_are_met():
    """x' = a(t) x with a = 1 and -3 in turn: the mean is -1."""

    @dl.flow
    def switched(x=1.0):
        return {x: dl.where(dl.mod(dl.t, 2) < 1, 1.0, -3.0) * x}

    found = dl.lyapunov_exponent(switched, duration=100, seed=1)
    assert found.value == pytest.approx(-1.0, abs=1e-7)


def test_an_orbit_that_escapes_says_when():
    found = dl.lyapunov_exponent(explosion, duration=10, seed=1)
    assert found.status is Status.DIVERGED
    assert found.verdict is Verdict.ESCAPED
    assert found.spectrum.end[0] == pytest.approx(1.0, abs=1e-6)


def test_an_orbit_that_escapes_before_it_is_measured():
    found = dl.lyapunov_exponent(explosion, duration=10, transient=5, seed=1)
    assert found.verdict is Verdict.ESCAPED
    assert np.isnan(found.value)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"duration": 0}, r"duration is 0 and transient is 0; an average needs"),
        ({"duration": -5}, r"duration is -5"),
        ({"duration": 10, "transient": -1}, r"transient is -1"),
        ({"duration": 10, "count": 4}, r"count is 4, but 'lorenz' has 3 states"),
        ({"duration": 10, "count": 0}, r"whole number from 1 to 3"),
        ({"duration": 10, "method": dl.Verlet(step=0.1)}, r"does not carry deviations"),
        ({"duration": np.nan}, r"duration is nan"),
        ({"duration": 10, "seed": -1}, r"the seed is -1"),
    ],
)
def test_what_is_refused_of_a_flow(wanted, message):
    with pytest.raises(dl.SettingError, match=message):
        dl.lyapunov_spectrum(zoo.lorenz, **wanted)


@pytest.mark.parametrize(
    ("duration", "message"),
    [(5, "is 5 steps of 'logistic'; .* Give a longer duration"), (100.5, "whole number of steps")],
)
def test_what_is_refused_of_a_map(duration, message):
    with pytest.raises(dl.SettingError, match=message):
        dl.lyapunov_exponent(logistic, duration=duration)


def test_a_dimension_beyond_the_exponents_asked_for():
    found = dl.lyapunov_spectrum(zoo.lorenz, count=2, duration=50, transient=10, seed=1)
    assert np.isnan(found.mean_divergence)
    with pytest.raises(dl.SettingError, match="Ask for more with count="):
        _ = found.kaplan_yorke_dimension


def test_a_stopped_run_holds_what_it_has():
    with dl.stop_after(0.05):
        found = dl.lyapunov_exponent(zoo.lorenz, duration=1e7, seed=1)
    assert found.status is Status.STOPPED
    assert found.value == pytest.approx(0.9, abs=0.3)


def test_saved_and_loaded(tmp_path):
    found = dl.lyapunov_spectrum(zoo.lorenz, duration=20, seed=1)
    again = dl.load(found.save(tmp_path / "spectrum.npz"))
    assert (again.exponents == found.exponents).all()
    assert again.verdict is found.verdict
    one = dl.lyapunov_exponent(zoo.lorenz, duration=20, seed=1)
    assert dl.load(one.save(tmp_path / "one.npz")).value == one.value


def test_tables_and_pictures():
    found = dl.lyapunov_spectrum(zoo.lorenz, duration=100, seed=1)
    assert found.to_table()["exponent"].tolist() == found.exponents.tolist()
    assert len(found.plot().figure.axes) == 3
    one = dl.lyapunov_exponent(zoo.lorenz, duration=100, seed=1)
    assert one.to_table()["exponent"][-1] == pytest.approx(one.value)
    assert one.plot().get_xlabel() == "time"
    assert "Lyapunov exponent of lorenz" in repr(one)
    assert "Lyapunov spectrum of lorenz" in repr(found)


def test_pictures_of_what_is_not_a_number():
    gone = dl.lyapunov_spectrum(explosion, duration=10, transient=5, seed=1)
    assert gone.plot().get_ylabel() == "Lyapunov exponents"
    endless = dl.lyapunov_spectrum(logistic(r=1 + np.sqrt(5)), duration=100, transient=100, seed=1)
    assert endless.plot().get_xlabel() == "time (step)"


def test_a_flow_of_longer_steps_than_batches():
    @dl.flow
    def drift(x=1.0, y=0.0):
        return {x: 1 + 0 * y, y: -0.01 * y}

    found = dl.lyapunov_spectrum(drift, duration=100, seed=1)
    # Where the deviations point at first counts for some 1/T.
    assert found.exponents == pytest.approx([0, -0.01], abs=0.01)
    assert found.sum == pytest.approx(-0.01, abs=1e-9)
    moment = dl.lyapunov_spectrum(zoo.lorenz, duration=1e-4, seed=1)
    assert moment.verdict is Verdict.UNDECIDED


def test_a_linear_flow_that_leaves_is_not_chaotic():
    @dl.flow
    def growing(x=1.0, y=1.0):
        return {x: 2 * x, y: -y}

    found = dl.lyapunov_spectrum(growing, duration=50, seed=1)
    assert found.exponents == pytest.approx([2, -1], abs=1e-2)
    assert found.verdict is Verdict.ESCAPED


def test_a_recording_that_is_too_short_is_not_an_escape():
    @dl.flow
    def lowpass(v=0.1, w=0.2, *, drive: dl.Signal):
        return {v: drive - v, w: v - w}

    times = np.linspace(0, 10, 101)
    system = lowpass.with_signal(drive=dl.Recording(times, np.sin(times)))
    for measure in (
        lambda: dl.lyapunov_spectrum(system, duration=20),
        lambda: dl.covariant_vectors(system, duration=6, transient=3),
        lambda: dl.alignment_indices(system, duration=20),
        lambda: dl.expansion_entropy(system, within={"v": (0, 1), "w": (0, 1)}, duration=20),
        lambda: dl.finite_time_exponents(system, duration=20),
        lambda: dl.exponent_chart(system, vary={"v": [0.1]}, duration=20),
    ):
        with pytest.raises(dl.SettingError, match="recorded from 0 to 10"):
            measure()


@pytest.mark.parametrize(
    "measure",
    [
        lambda system: dl.covariant_vectors(system, duration=10, transient=5),
        lambda system: dl.alignment_indices(system, duration=10),
        lambda system: dl.expansion_entropy(system, within={"x": (0, 1), "v": (0, 1)}, duration=10),
        lambda system: dl.finite_time_exponents(system, duration=10),
    ],
)
def test_what_is_no_system_or_has_events_is_named(measure):
    with pytest.raises(dl.UnsupportedSystemError, match="got str"):
        measure("lorenz")
    with pytest.raises(
        dl.UnsupportedSystemError, match=r"has events \(bounce\).*lyapunov_spectrum"
    ):
        measure(zoo.bouncing_ball)


def test_a_torus_is_not_left_however_long_the_orbit():
    found = dl.lyapunov_spectrum(zoo.arnold_cat, duration=10_000, seed=1)
    assert found.verdict is dl.Verdict.CHAOTIC
    # What the first direction adds in turning: a number of order one over the duration.
    np.testing.assert_allclose(
        found.exponents, np.log((3 + np.sqrt(5)) / 2) * np.array([1, -1]), atol=2e-4
    )


def test_a_section_without_return_is_no_escape():
    never = dl.poincare_map(zoo.lorenz, when=lambda x: x - 1000, longest=20)
    found = dl.lyapunov_spectrum(never, duration=20)
    assert (found.status, found.verdict) == (dl.Status.NO_RETURN, dl.Verdict.UNDECIDED)
