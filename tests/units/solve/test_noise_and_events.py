"""Noise together with events: exact laws of passages, resets, pauses, what is refused.

Statistical errors are tested at five standard errors, or Kolmogorov-Smirnov at a level of 1e-4, with fixed seeds.
"""

import numpy as np
import pytest
from scipy import integrate, special, stats

import dynlab as dl

FIVE, LEVEL = 5, 1e-4


@dl.flow
def drifting(x=0.0, *, mu=1.0):
    return {x: mu + 0 * x}


@dl.flow
def leaky(v=0.0, *, mu=0.8):
    return {v: mu - v}


@leaky.with_event(name="spike", when=lambda v: v - 1, direction=+1)
def cell(v, *, vr=0.0):
    return {v: vr}


@dl.flow
def excitable(v=-1.2, w=-0.6, *, I=0.4):
    return {v: v - v**3 / 3 - w + I, w: 0.08 * (v + 0.7 - 0.8 * w)}


UP = dl.Crossing("up", lambda v: v - 1, direction=+1)


def siegert(mu, sigma, low, high, tau=1.0, pause=0.0):
    """Rate of a leaky integrate-and-fire neuron, tau V' = mu - V + sigma sqrt(tau) xi (Brunel 2000, eq 21)."""
    integral = integrate.quad(
        lambda u: special.erfcx(-u), (low - mu) / sigma, (high - mu) / sigma, epsabs=1e-12
    )
    return 1 / (pause + tau * np.sqrt(np.pi) * integral[0])


@pytest.mark.parametrize("step", [0.1, 20.0])
def test_a_drifting_wiener_process_passes_when_it_should_at_any_step(step):
    """Times between passages, with a reset to 0, are inverse Gaussian of mean b / mu and shape (b / s)^2, exactly.

    Steps of 20 hold some twenty passages each.
    """

    @drifting.with_event(name="top", when=lambda x: x - 1, direction=+1)
    def clock(x):
        return {x: 0}

    run = dl.simulate(
        clock.with_noise(x=0.7),
        duration=3000,
        at=[3000],
        method=dl.EulerMaruyama(step=step),
        seed=4,
    )
    times = np.diff(run.events["top"].times)
    assert len(times) > 2500
    exact = stats.invgauss(mu=1 / (1 / 0.7) ** 2, scale=(1 / 0.7) ** 2)
    assert exact.mean() == pytest.approx(1)
    assert stats.kstest(times, exact.cdf).pvalue > LEVEL
    assert (run.events["top"].after["x"] == 0).all()
    assert np.abs(run.events["top"].before["x"] - 1).max() < 1e-12


@pytest.mark.parametrize("step", [0.05, 50.0])
def test_a_path_in_a_plane_is_where_it_should_be_when_it_passes_at_any_step(step):
    """x = t + W1 and y = r W1 + sqrt(1 - r^2) W2 where x is first 1, at T: W1 = 1 - T there, and W2(T) is normal."""
    r = 0.6

    @dl.flow
    def plane(x=0.0, y=0.0):
        return {x: 1 + 0 * x, y: 0 * y}

    @plane.with_noise(dl.Ito)
    def noisy(x, y):
        common, own = dl.sources("common own")
        return {x: common, y: r * common + np.sqrt(1 - r**2) * own}

    found = dl.first_passage_times(
        noisy, beyond={"x": 1}, duration=200, method=dl.EulerMaruyama(step=step), size=4000, seed=2
    )
    assert found.status is dl.Status.OK
    T = found.times
    z = (found["y"] - r * (1 - T)) / np.sqrt((1 - r**2) * T)
    assert np.abs(found["x"] - 1).max() < 1e-9
    assert stats.kstest(T, stats.invgauss(mu=1).cdf).pvalue > LEVEL
    assert stats.kstest(z, stats.norm.cdf).pvalue > LEVEL
    assert abs(stats.spearmanr(z, T).statistic) < FIVE / np.sqrt(len(T))


@pytest.mark.parametrize(
    ("mu", "D", "rate"), [(0.8, 0.1, 0.371519249128215), (1.2, 0.01, 0.588817056321971)]
)
def test_integrate_and_fire_fires_at_the_rate_of_siegert(mu, D, rate):
    """Rates of Siegert's integral to 15 digits; intervals are independent, so the error stated is the true one."""
    assert siegert(mu, np.sqrt(2 * D), 0, 1) == pytest.approx(rate, rel=1e-10)
    noisy = cell(mu=mu).with_noise(v=float(np.sqrt(2 * D)))
    run = dl.simulate(noisy, duration=8000, at=[8000], method=dl.ExactLinear(step=0.1), seed=1)
    spikes = dl.spike_train(run)
    assert abs(spikes.rate - rate) < 4 * spikes.rate_error
    assert spikes.rate_error < 0.02 * rate


def test_a_refractory_neuron_rests_exactly_and_fires_at_its_rate():
    """Brunel's neuron (mu = 15 mV, sigma = 5, threshold 20, reset 10, 2 ms): 9.4608 Hz."""

    @dl.flow(time="ms")
    def membrane(v=10.0, *, mu=15.0, tau=20.0):
        return {v: (mu - v) / tau}

    @membrane.with_event(
        name="spike", when=lambda v: v - 20, direction=+1, refractory=lambda tref: tref
    )
    def neuron(v, *, tref=2.0):
        return {v: 10}

    noisy = neuron.with_noise(v=float(5 / np.sqrt(20)))
    run = dl.simulate(noisy, duration=2000, method=dl.SRA1(step=0.3), seed=3)
    times = run.events["spike"].times
    assert np.diff(times).min() > 2
    for time in times[:5]:
        pause = (run.t > time) & (run.t < time + 2)
        assert pause.sum() >= 6
        assert (run["v"][pause] == 10).all()
    long = dl.simulate(noisy, duration=150_000, at=[150_000], method=dl.SRA1(step=0.3), seed=3)
    spikes = dl.spike_train(long)
    assert siegert(15, 5, 10, 20, 20, 2) == pytest.approx(9.4607998057591e-3, rel=1e-10)
    assert abs(spikes.rate - 9.4607998057591e-3) < 4 * spikes.rate_error


def test_without_noise_to_speak_of_events_are_those_of_the_flow():
    """Located to the second order of the step; each reset passes its error on to the next interval."""
    exact = dl.integrate(cell(mu=1.5), duration=10).events["spike"].times
    errors = []
    for step in (0.02, 0.01):
        noisy = cell(mu=1.5).with_noise(v=1e-12)
        found = dl.simulate(noisy, duration=10, method=dl.StochasticHeun(step=step), seed=1)
        errors.append(np.abs(found.events["spike"].times - exact).max())
    assert errors[0] < 9 * 0.02**2  # one Euler remainder and one straight line for each of nine
    assert errors[1] < errors[0] / 2.5


def test_a_crossing_of_a_smooth_quantity_is_found_between_its_steps():
    """Noise in w alone: v has a rate of change, and a crossing for each change of sign."""
    noisy = excitable.with_noise(w=0.05)
    run = dl.simulate(noisy, duration=400, method=dl.SRA1(step=0.02), seed=5, record=UP)
    v, times = run["v"], run.events["up"].times
    rises = np.flatnonzero((v[:-1] < 1) & (v[1:] >= 1))
    assert len(times) == len(rises) > 5
    assert ((run.t[rises] <= times) & (times <= run.t[rises + 1])).all()
    assert np.abs(run.events["up"]["v"] - 1).max() < 1e-12


def test_a_path_is_the_same_with_and_without_guards():
    noisy = excitable.with_noise(w=0.05)
    settings = {"duration": 50, "method": dl.SRA1(step=0.05), "seed": 5}
    plain = dl.simulate(noisy, **settings)
    watched = dl.simulate(noisy, record=UP, **settings)
    assert (plain.values == watched.values).all()
    ended = dl.simulate(noisy, until=UP, **settings)
    assert ended.status is dl.Status.EVENT
    assert ended.end[0] == watched.events["up"].times[0] == ended.events["up"].times[0]
    assert (ended.values == plain.values[: len(ended.t)]).all()


def test_events_stand_twice_among_the_times_and_states_jump_between():
    run = dl.simulate(cell(mu=1.5).with_noise(v=0.2), duration=10, method=dl.SRA1(step=0.1), seed=2)
    assert (np.diff(run.t) >= 0).all()
    twice = np.flatnonzero(np.diff(run.t) == 0)
    assert (run.t[twice] == run.events["spike"].times).all()
    assert run["v"][twice] == pytest.approx(1, abs=1e-12)
    assert (run["v"][twice + 1] == 0).all()
    kept = dl.simulate(
        cell(mu=1.5).with_noise(v=0.2), duration=10, at=np.linspace(0, 10, 101), seed=2,
        method=dl.SRA1(step=0.1),
    )  # fmt: skip
    assert len(kept.t) == 101
    assert np.isclose(kept.events["spike"].times, run.events["spike"].times, atol=1e-9).all()


def test_a_reset_that_carries_another_guard_over_zero_lets_that_happen_at_once():
    @dl.flow
    def pair(x=0.0, y=0.0):
        return {x: 1 + 0 * x, y: 0 * y}

    @pair.with_event(name="first", when=lambda x: x - 1, direction=+1)
    def kicked(x, y):
        return {x: 0, y: y + 1}

    @kicked.with_event(name="second", when=lambda y: y - 2.5, direction=+1)
    def both(y):
        return {y: 0}

    run = dl.simulate(
        both.with_noise(x=0.1), duration=20, method=dl.EulerMaruyama(step=0.05), seed=1
    )
    first, second = run.events["first"], run.events["second"]
    assert len(second) == len(first) // 3 > 4
    assert (second.times == first.times[2::3]).all()
    assert (second.before["y"] == 3).all()


def test_an_ensemble_of_cells_is_distributed_as_the_density_says():
    """The stationary mean of v by Fokker-Planck with re-injection, whose cells err by less than 1e-4."""
    noisy = leaky.with_noise(v=float(np.sqrt(0.2)))
    grid = dl.Grid(v=(-3, 1, 800)).with_walls(v=(dl.Reflecting(), dl.Reinjected(at=0)))
    exact = dl.stationary_density(noisy, grid=grid)
    run = dl.ensemble(
        cell.with_noise(v=float(np.sqrt(0.2))), size=20_000, duration=12, method=dl.ExactLinear(step=0.05),
        seed=1, keep=dl.Moments(),
    )["v"]  # fmt: skip
    assert abs(run.mean - exact.moment(v=1)) < FIVE * run.standard_error + 1e-3


def test_members_run_with_parameters_of_their_own():
    """Pauses too.  The clock passes 1 at 1, 2 + tref, 3 + 2 tref and rests for tref after each."""

    @drifting.with_event(
        name="top", when=lambda x: x - 1, direction=+1, refractory=lambda tref: tref
    )
    def clock(x, *, tref=0.5):
        return {x: 0}

    run = dl.ensemble(
        clock.with_noise(x=1e-9), parameters={"tref": [0.0, 0.25, 0.75]}, duration=3.6,
        method=dl.EulerMaruyama(step=0.01), seed=1,
    )  # fmt: skip
    assert run["x"] == pytest.approx([0.6, 0.0, 0.1], abs=1e-6)


def test_the_same_bits_for_any_number_of_threads():
    found = []
    for count in (1, 2):
        with dl.threads(count):
            found.append(
                dl.ensemble(
                    cell.with_noise(v=0.5), size=300, duration=5, method=dl.SRA1(step=0.1), seed=9
                )["v"]
            )
    assert (found[0] == found[1]).all()


def test_what_would_happen_without_end_is_refused_by_name():
    noisy = leaky.with_noise(v=0.2)
    method = dl.EulerMaruyama(step=0.1)
    with pytest.raises(dl.UnsupportedSystemError, match=r"'up'.*infinitely often.*until="):
        dl.simulate(noisy, duration=1, method=method, record=UP)

    @leaky.with_event(name="touch", when=lambda v: v - 0.5, direction=+1)
    def touched(v):
        return {}

    with pytest.raises(dl.UnsupportedSystemError, match=r"'touch'.*refractory="):
        dl.simulate(touched.with_noise(v=0.2), duration=1, method=method)
    onto = cell(vr=1.0).with_noise(v=0.2)
    run = dl.simulate(onto, duration=30, method=method, seed=1)
    assert run.status is dl.Status.ACCUMULATION
    assert "infinite" not in str(run.status.advice)


@pytest.mark.parametrize("given", [3, "top", [lambda v: v]])
def test_what_is_no_crossing_is_refused(given):
    with pytest.raises(dl.SettingError, match="record and until take"):
        dl.simulate(
            leaky.with_noise(v=0.2), duration=1, method=dl.EulerMaruyama(step=0.1), until=given
        )


def test_multiplicative_noise_passes_as_the_backward_equation_says():
    """Stratonovich noise of amplitude sqrt(1 + v^2) / 2; its strength is frozen within a step: 0.01 of bias at 0.02."""

    @leaky.with_noise(dl.Stratonovich)
    def noisy(v, *, s=0.5):
        return {v: s * dl.sqrt(1 + v**2)}

    still = noisy(mu=0.0)
    exact = dl.escape_time(still, start={"v": 0}, beyond={"v": (-0.5, 1)}).value
    found = dl.first_passage_times(
        still,
        beyond={"v": (-0.5, 1)},
        duration=100,
        method=dl.SRIW1(step=0.02),
        size=20_000,
        seed=3,
    )
    assert exact == pytest.approx(2.834450, abs=1e-5)
    assert abs(found.mean - exact) < 4 * found.standard_error + 0.015


def test_langevin_paths_pass_too():
    """Kicks and drifts: coordinates are smooth; the mean time from a harmonic well's middle to its border.

    Against SRA1, which is another scheme with another remainder: five standard errors of the difference.
    """

    @dl.flow
    def particle(q=0.0, p=0.0, *, g=1.0):
        return {q: p, p: -q - g * p}

    heated = particle.with_noise(p=1.0)
    found = [
        dl.first_passage_times(heated, beyond={"q": 1}, duration=300, method=m, size=4000, seed=s)
        for m, s in ((dl.BAOAB(step=0.02), 1), (dl.SRA1(step=0.02), 2), (dl.ExactLinear(step=0.02), 3))
    ]  # fmt: skip
    for other in found[1:]:
        error = np.hypot(found[0].standard_error, other.standard_error)
        assert abs(found[0].mean - other.mean) < FIVE * error


def test_a_ball_bounces_where_a_reset_leaves_the_guard_at_zero():
    """The reset turns the velocity, the guard stays at zero: it goes back to where it came from, and is met again."""

    @dl.flow
    def falling(x=1.0, v=0.0, *, g=9.81):
        return {x: v, v: -g}

    @falling.with_event(name="bounce", when=lambda x: x, direction=-1)
    def ball(x, v, *, e=0.9):
        return {v: -e * v}

    exact = dl.integrate(ball, duration=3).events["bounce"].times
    run = dl.simulate(ball.with_noise(v=1e-6), duration=3, method=dl.SRA1(step=1e-3), seed=1)
    found = run.events["bounce"].times
    assert len(found) == len(exact) > 3
    assert np.abs(found - exact).max() < 1e-3
    assert run["x"].min() > -1e-5
    # With e = 0.5 the bounces accumulate at sqrt(2 / g) (1 + e) / (1 - e) = 1.3546; said 100 steps later.
    rest = dl.simulate(
        ball(e=0.5).with_noise(v=1e-6), duration=3, method=dl.SRA1(step=1e-3), seed=1
    )
    assert rest.status is dl.Status.ACCUMULATION
    assert rest.end[0] == pytest.approx(1.3546 + 0.1, abs=0.02)
