"""Desynchronising feedback: windows in closed form, and oscillators that are taken apart by it."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import dynlab as dl
from dynlab.synchrony.feedback_run import stepped

RHYTHM = dl.LorentzianOscillators(K=1.5, width=0.5, frequency=2 * np.pi)


@pytest.mark.parametrize(
    ("delay", "over", "expected"),
    [
        # After half a period: cos(y tau) = -2 (K/2 - D) / G on the border, y its frequency.
        (0.5, (0.0, 8.0), [[0.5, 5.9686897316]]),
        (0.0, (-4.0, 4.0), [[-4.0, -0.5]]),
        (0.25, (0.0, 6.0), np.zeros((0, 2))),
    ],
)
def test_windows_have_their_closed_form(delay, over, expected):
    found = dl.feedback_window(RHYTHM, delay=delay, over=over)
    assert found.intervals.shape == np.shape(expected)
    np.testing.assert_allclose(found.intervals, expected, atol=1e-9)


def test_without_feedback_synchrony_grows_at_half_the_coupling_above_the_onset():
    assert RHYTHM.growth(0.0, 0.7).real == pytest.approx(0.25, abs=1e-15)


def test_the_principal_branch_is_the_rightmost_root():
    random = np.random.default_rng(3)
    for gain, delay in zip(random.uniform(-8, 8, 12), random.uniform(0.05, 3, 12), strict=True):
        a = RHYTHM.K / 2 - RHYTHM.width + 1j * RHYTHM.frequency
        found = dl.characteristic_roots(a, delayed={delay: gain / 2}, count=3)
        assert RHYTHM.growth(gain, delay) == pytest.approx(found.rightmost, abs=1e-11)


@pytest.mark.parametrize(("delay", "frequency"), [(0.5, 2.0), (2.0, 3.0), (1.0, 6.0)])
def test_the_onset_of_a_coupling_that_arrives_late(delay, frequency):
    """All coupling delayed: w = f - D tan(w tau) and K = 2 D / cos(w tau), least over all w (Yeung and Strogatz 1999)."""
    D = 0.1
    window = dl.feedback_window(
        dl.LorentzianOscillators(K=0.0, width=D, frequency=frequency), delay=delay, over=(0, 40)
    )
    w = np.linspace(frequency - 40, frequency + 40, 4_000_001)
    K = 2 * D / np.cos(w * delay)
    missing = w - frequency + D * np.tan(w * delay)
    turns = np.flatnonzero((missing[:-1] < 0) & (missing[1:] > 0) & (K[:-1] > 0) & (K[:-1] < 80))
    assert window.intervals[0, 0] == 0
    assert window.intervals[0, 1] == pytest.approx(K[turns].min(), rel=1e-4)


@pytest.mark.parametrize("delay", [1500.0, 5000.0])
def test_long_delays_do_not_overflow(delay):
    """Where exp(-a tau) is beyond floating point the root still solves its equation; it tends to the axis."""
    quiet = dl.LorentzianOscillators(K=0.2, width=0.5, frequency=1.0)
    for gain in (0.5, -1.5, 3.0):
        root = quiet.growth(gain, delay)
        a = -0.4 + 1j
        assert root == pytest.approx(a + gain / 2 * np.exp(-root * delay), rel=1e-9)
        assert abs(root.real) < 10 / delay


def test_a_chart_holds_the_growth_of_its_cells():
    gains, delays = np.linspace(0, 6, 7), np.linspace(0, 1, 5)
    chart = dl.feedback_chart(RHYTHM, gains=gains, delays=delays)
    assert chart.growth[3, 2] == RHYTHM.growth(gains[3], delays[2]).real
    assert chart.growth.shape == (7, 5)


def by_hand(omega, theta, feedback, K, times):
    """Return the field at the end by the method of steps, one delay after another, with scipy at 1e-12."""
    pieces = []

    def field(phases):
        return np.exp(1j * phases).mean()

    edge = 0.0
    while edge < times - 1e-9:
        gain = feedback.gain if edge >= feedback.onset - 1e-9 else 0.0

        def rate(t, x, gain=gain):
            past = field(pieces[-1](t - feedback.delay)) if pieces else 0.0
            force = K * field(x) + gain * past
            return omega + (force * np.exp(-1j * x)).imag

        # What is heard during one piece was played during the one before.
        run = solve_ivp(
            rate,
            (edge, edge + feedback.delay),
            theta,
            "DOP853",
            dense_output=True,
            rtol=1e-12,
            atol=1e-12,
        )
        pieces.append(run.sol)
        theta, edge = run.y[:, -1], edge + feedback.delay
    return field(theta)


@pytest.mark.parametrize("onset", [0.0, 1.0])
def test_steps_are_of_fourth_order_also_where_the_feedback_begins(onset):
    random = np.random.default_rng(0)
    omega, theta = random.normal(2, 1, 12), random.uniform(-3, 3, 12)
    feedback = dl.DelayedFeedback(gain=2.0, delay=0.5, onset=onset)
    exact = by_hand(omega, theta, feedback, 1.3, 3.0)
    steps = np.array([0.05, 0.025, 0.0125])
    errors = [abs(stepped(omega, theta, 1.3, feedback, (3.0, h))[1][-1] - exact) for h in steps]
    slope = np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert slope == pytest.approx(4.0, abs=0.15)
    assert errors[-1] < 1e-8


def quiet(count, modes, r):
    """Return frequencies and phases whose field is r exactly and whose finite number is not felt at first order.

    Four oscillators of each frequency at right angles, all moved a little towards 0.
    """
    share = (np.arange(count) + 0.5) / count
    omega = RHYTHM.frequency + RHYTHM.width * np.tan(np.pi * (share - 0.5))
    phases = 2 * np.pi * np.arange(modes) / modes
    theta = phases - 2 * r * np.sin(phases)
    return np.repeat(omega, modes), np.tile(theta, count)


@pytest.mark.parametrize(("gain", "delay"), [(0.0, 0.5), (2.0, 0.25), (0.25, 0.5)])
def test_small_synchrony_grows_as_the_root_says(gain, delay):
    """From r = 1e-5, far from where it saturates; the Lorentzian is known by 2000 quantiles, whose tails end at 600."""
    omega, theta = quiet(2000, 4, 1e-5)
    t, field, _, _ = stepped(
        omega, theta, RHYTHM.K, dl.DelayedFeedback(gain, delay), (12.0, 0.0125)
    )
    late = t > 5
    growth = np.polyfit(t[late], np.log(np.abs(field[late])), 1)[0]
    turning = np.polyfit(t[late], np.unwrap(np.angle(field[late])), 1)[0]
    root = RHYTHM.growth(gain, delay)
    assert growth == pytest.approx(root.real, abs=5e-3)
    assert turning == pytest.approx(root.imag, abs=5e-3)


def test_oscillators_are_taken_apart_inside_the_window_and_not_outside():
    """N = 1000: below the onset r is of the size 1 / sqrt(N) = 0.03; above it is of order 1."""
    for gain, low, high in ((0.2, 0.2, 1.0), (3.0, 0.0, 0.1), (7.0, 0.2, 1.0)):
        run = dl.simulate_feedback(
            RHYTHM,
            feedback=dl.DelayedFeedback(gain, 0.5, onset=30.0),
            size=1000,
            duration=70,
            step=0.05,
            seed=5,
        )
        before, after = run.order[(run.t > 20) & (run.t < 30)].mean(), run.order[run.t > 60].mean()
        # sqrt(1 - 2 D / K) without feedback
        assert before == pytest.approx(np.sqrt(1 / 3), abs=0.05)
        assert low < after < high


def test_bad_settings_are_named():
    with pytest.raises(dl.SettingError, match="width"):
        dl.LorentzianOscillators(K=1.0, width=0.0)
    with pytest.raises(dl.SettingError, match="onset"):
        dl.DelayedFeedback(gain=1.0, delay=-1.0)
    with pytest.raises(dl.SettingError, match="future"):
        RHYTHM.growth(1.0, -1.0)
    for call, message in (
        (lambda: dl.feedback_window(RHYTHM, delay=0.5, over=3.0), "two numbers"),
        (lambda: dl.feedback_window(2.0, delay=0.5, over=(0, 1)), "the population"),
        (lambda: dl.feedback_chart(RHYTHM, gains="ab", delays=[0, 1]), "not a list of numbers"),
        (lambda: dl.simulate_feedback(RHYTHM, feedback=3.0, size=5, duration=1), "a stimulator"),
        (lambda: RHYTHM.growth(np.nan, 1.0), "not finite"),
        (lambda: dl.locking_threshold("abc"), "real numbers"),
        (lambda: dl.locking_threshold(np.ones((2, 2))), "flat list"),
    ):
        with pytest.raises(dl.SettingError, match=message):
            call()
    with pytest.raises(dl.SettingError, match="low < high"):
        dl.feedback_window(RHYTHM, delay=1.0, over=(1.0, 1.0))
    with pytest.raises(dl.SettingError, match="rise"):
        dl.feedback_chart(RHYTHM, gains=[1.0, 0.0], delays=[1.0])
    feedback = dl.DelayedFeedback(gain=1.0, delay=1.0)
    for change in ({"size": 0}, {"duration": 0.0}, {"step": -1.0}):
        with pytest.raises(dl.SettingError, match=next(iter(change))):
            dl.simulate_feedback(
                RHYTHM, feedback=feedback, **({"size": 3, "duration": 1.0} | change)
            )


def test_results_draw_tabulate_and_come_back(tmp_path):
    run = dl.simulate_feedback(
        RHYTHM, feedback=dl.DelayedFeedback(2.0, 0.5, onset=2.0), size=30, duration=5.0, seed=2
    )
    window = dl.feedback_window(RHYTHM, delay=0.5, over=(0, 8))
    chart = dl.feedback_chart(RHYTHM, gains=[0, 1, 2], delays=[0.2, 0.4])
    for number, found in enumerate((run, window, chart)):
        again = dl.load(found.save(tmp_path / str(number)))
        assert repr(again) == repr(found)
        assert all(len(v) for v in again.to_table().values())
        assert found.plot().get_xlabel()
    same = dl.simulate_feedback(
        RHYTHM, feedback=run.feedback, size=30, duration=5.0, seed=run.provenance.seed
    )
    assert (same.field == run.field).all()
