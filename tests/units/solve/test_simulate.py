"""Paths and ensembles of stochastic systems: exact moments, readings, seeds, refusals."""

import pickle

import numpy as np
import pytest
from scipy import stats
from scipy.linalg import expm, solve_continuous_lyapunov

import dynlab as dl
from dynlab.kernels import random as bits
from dynlab.solve.stochastic_methods import _exact_step

#: Statistical errors are tested at five standard errors, with fixed seeds.
FIVE = 5


@dl.flow
def decay(x=1.0, *, th=1.0):
    return {x: -th * x}


OU = decay.with_noise(x=1.0)


@dl.flow
def growth(x=1.0, *, mu=0.2):
    return {x: mu * x}


@growth.with_noise(dl.Ito)
def ito(x, *, s=0.5):
    return {x: s * x}


@growth.with_noise(dl.Stratonovich)
def stratonovich(x, *, s=0.5):
    return {x: s * x}


@growth.with_noise(dl.HanggiKlimontovich)
def klimontovich(x, *, s=0.5):
    return {x: s * x}


METHODS = (
    dl.EulerMaruyama(step=0.01), dl.Milstein(step=0.01), dl.StochasticHeun(step=0.01), dl.SRA1(step=0.05),
    dl.SRIW1(step=0.05), dl.PlatenWeak2(step=0.05), dl.ExactLinear(step=1),
)  # fmt: skip


def moments(system, method, size=40_000, seed=1, duration=1.0):
    run = dl.ensemble(
        system, duration=duration, size=size, method=method, seed=seed, keep=dl.Moments()
    )
    assert run.status.ok
    return run["x"]


@pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
def test_ornstein_uhlenbeck_has_its_exact_moments(method):
    """th = sigma = x0 = t = 1: mean 1/e, variance (1 - e**-2) / 2.

    The tolerance has five standard errors, and for methods of order 1 the bias of their step, which for
    the mean of Euler's is (1 - h)**100 - 1/e = -1.8e-3 and below h / 2 for all.
    """
    found = moments(OU, method)
    bias = 0.005 if method.step == 0.01 else 5e-4
    variance = (1 - np.exp(-2)) / 2
    assert abs(found.mean - np.exp(-1)) < FIVE * found.standard_error + bias
    assert abs(found.variance - variance) < FIVE * variance * np.sqrt(2 / 40_000) + bias


def test_the_exact_step_has_no_error_at_any_size():
    """One huge step, and one of a focus with noise in one direction, against exponential and Lyapunov."""
    A, Q = np.array([[0.0, 1.0], [-4.0, -0.3]]), np.diag([0.0, 0.7])
    covariance = solve_continuous_lyapunov(A, -Q)
    c = np.array([0.2, -0.1])
    for h in (1e-6, 0.1, 3.0, 500.0):
        table = _exact_step(A, c, Q, h)
        F, constant, L = table[:4].reshape(2, 2), table[4:6], table[6:].reshape(2, 2)
        decayed = expm(A * h)
        assert np.allclose(F, decayed, rtol=0, atol=1e-12)
        assert np.allclose(
            constant, np.linalg.solve(A, (decayed - np.eye(2)) @ c), rtol=1e-9, atol=1e-12
        )
        # What is left of the stationary covariance: S = P - F P F'.
        assert np.allclose(L @ L.T, covariance - F @ covariance @ F.T, rtol=0, atol=1e-12)
    found = moments(OU, dl.ExactLinear(step=7.5), duration=7.5, size=20_000)
    variance = (1 - np.exp(-15)) / 2
    assert abs(found.variance - variance) < FIVE * variance * np.sqrt(2 / 20_000)


def test_euler_has_its_own_stationary_variance():
    """(D / th) / (1 - th h / 2): at h = 0.5 a third more than the equation has."""
    found = moments(OU, dl.EulerMaruyama(step=0.5), duration=40)
    expected = 0.5 / (1 - 0.25)
    assert abs(found.variance - expected) < FIVE * expected * np.sqrt(2 / 40_000)


@pytest.mark.parametrize(
    ("system", "shift"), [(ito, 0.0), (stratonovich, 0.125), (klimontovich, 0.25)]
)
@pytest.mark.parametrize("method", [dl.SRIW1(step=0.05), dl.StochasticHeun(step=0.01)])
def test_a_reading_means_the_same_with_every_method(system, shift, method):
    """E X = exp(mu + s**2/2 alpha'), alpha' = 0, 1, 2; the variance of X is E**2 (e**(s**2) - 1)."""
    found = moments(system, method)
    mean = np.exp(0.2 + shift)
    assert abs(found.mean - mean) < FIVE * mean * np.sqrt(np.expm1(0.25) / 40_000) + 2e-3


@pytest.mark.parametrize(
    ("reading", "variance"),
    [(dl.Ito, 1 / 7), (dl.Stratonovich, 1 / 6), (dl.HanggiKlimontovich, 1 / 5)],
)
def test_stationary_density_is_that_of_the_reading(reading, variance):
    """dX = -X dt + s sqrt(1 + X**2) dW, s = 1/2: p ~ (1 + x**2)**-q with q = 1 + 4, 1/2 + 4 and 4.

    A Student density; its variance is 1 / (2 q - 3).
    """

    @decay.with_noise(reading)
    def spread(x, *, s=0.5):
        return {x: s * dl.sqrt(1 + x**2)}

    q = (1 / variance + 3) / 2
    run = dl.ensemble(spread, duration=8, size=4000, method=dl.SRIW1(step=0.05), seed=2)
    student = stats.t(df=2 * q - 1, scale=1 / np.sqrt(2 * q - 1))
    assert student.var() == pytest.approx(variance)
    assert stats.kstest(run["x"], student.cdf).pvalue > 1e-4


def test_cox_ingersoll_ross_has_its_moments():
    """k = th = 1, s = 1/2, from 0.3, at t = 1: mean 0.74248439117999, variance 0.0673878619568282."""

    @dl.flow
    def reverting(x=0.3, *, k=1.0, th=1.0):
        return {x: k * (th - x)}

    @reverting.with_noise(dl.Ito)
    def cir(x, *, s=0.5):
        return {x: s * dl.sqrt(x)}

    found = moments(cir, dl.Milstein(step=0.005), size=20_000)
    assert abs(found.mean - 0.74248439117999) < FIVE * found.standard_error + 1e-3
    assert found.variance == pytest.approx(
        0.0673878619568282, rel=FIVE * np.sqrt(3 / 20_000) + 0.01
    )


def test_shared_sources_correlate_and_private_ones_do_not():
    @dl.flow
    def pair(x=0.0, y=0.0):
        return {x: 0 * x, y: 0 * y}

    @pair.with_noise(dl.Ito)
    def tied(x, y, *, r=0.6):
        u, v = dl.sources("u v")
        return {x: u, y: [r * u + 0.3 * v, 0.5]}

    for system, covariance in (
        (tied, [[1, 0.6], [0.6, 0.36 + 0.09 + 0.25]]),
        (pair.with_noise(x=1.0, y=2.0), [[1, 0], [0, 4]]),
    ):
        run = dl.ensemble(system, duration=1, size=20_000, method=dl.EulerMaruyama(step=1), seed=3)
        found = np.cov(run["x"], run["y"])
        assert np.allclose(found, covariance, atol=FIVE * 4 * np.sqrt(2 / 20_000))


def test_every_node_has_its_own_noise():
    @dl.flow
    def cells(x: dl.PerNode = 0.0):
        i = dl.nodes("i")
        return {x[i]: -x[i]}

    run = dl.simulate(
        cells.with_noise(x=1.0).on(20_000), duration=3, at=[3], method=dl.SRA1(step=0.1), seed=1
    )
    values = run["x"][0]
    expected = (1 - np.exp(-6)) / 2
    assert abs(values.var() - expected) < FIVE * expected * np.sqrt(2 / 20_000)
    assert abs(np.corrcoef(values[1:], values[:-1])[0, 1]) < FIVE / np.sqrt(20_000)


def test_langevin_samples_the_gibbs_density():
    """<v**2> = T, for the double well at T = 1/4 also <x**2> = 0.83274548712838; standard errors by batches.

    The temperature of BAOAB's momenta is low by a relative (omega h / 2)**2 or less: 0.0025 at h = 0.1.
    """

    @dl.flow
    def particle(x=1.0, v=0.0, *, g=1.0):
        return {x: v, v: x - x**3 - g * v}

    heated = particle.with_noise(v=float(np.sqrt(0.5)))
    run = dl.ensemble(
        heated, duration=300, at=np.arange(30.0, 300), size=100, method=dl.BAOAB(step=0.1), seed=1
    )
    for name, expected in (("v", 0.25), ("x", 0.83274548712838)):
        batches = (run[name] ** 2).mean(axis=1)
        assert abs(batches.mean() - expected) < FIVE * batches.std() / 10 + 0.005 * expected


def test_langevin_places_of_an_oscillator_are_exact_at_any_stable_step():
    @dl.flow
    def oscillator(x=1.0, v=0.0, *, g=1.0):
        return {x: v, v: -x - g * v}

    heated = oscillator.with_noise(v=float(np.sqrt(2.0)))
    run = dl.ensemble(heated, duration=30, size=20_000, method=dl.BAOAB(step=1.5), seed=1)
    assert abs(run["x"].var() - 1) < FIVE * np.sqrt(2 / 20_000)
    # and its momenta are those of 1 - (h / 2)**2
    assert abs(run["v"].var() - (1 - 0.75**2)) < FIVE * (1 - 0.75**2) * np.sqrt(2 / 20_000)


def test_a_seed_gives_the_same_bits_for_any_number_of_threads():
    def found(count, size=3000):
        with dl.threads(count):
            return dl.ensemble(
                OU, duration=1, at=[0.5, 1], size=size, method=dl.SRA1(step=0.1), seed=5
            )["x"]

    one = found(1)
    assert np.array_equal(one, found(2))
    # and a member's path does not depend on how many others there are
    assert np.array_equal(one[:100], found(2, 100))
    path = dl.simulate(OU, duration=1, at=[0.5, 1], method=dl.SRA1(step=0.1), seed=5)
    assert np.array_equal(path["x"], one[0])


def test_lanes_and_single_paths_differ_by_rounding_alone():
    """Euler's paths of additive noise run 16 at a time; a group is filled up, and threads change nothing."""

    @dl.flow
    def plane(x=1.0, y=0.0, *, k=1.0):
        return {x: y - k * x**3, y: -x - y * dl.exp(-(x**2))}

    noisy, method = plane.with_noise(x=0.3, y=0.5), dl.EulerMaruyama(step=0.01)
    k, times = np.linspace(0.5, 2, 37), [0.5, 1.0]
    settings = {"duration": 1, "at": times, "method": method, "seed": 3}
    run = dl.ensemble(noisy, parameters={"k": k}, **settings)
    with dl.threads(1):
        again = dl.ensemble(noisy, parameters={"k": k[:20]}, **settings)
    for name in ("x", "y"):
        assert np.array_equal(run[name][:20], again[name])
    first = dl.simulate(noisy(k=0.5), **settings)
    # 100 steps of a map that does not stretch, each rounding differently by a unit
    assert np.allclose(first["x"], run["x"][0], rtol=0, atol=1e-13)
    assert np.isfinite(run["x"]).all()


def test_members_that_diverge_in_lanes_say_when_and_leave_the_others_alone():
    @dl.flow
    def cubic(x=0.0, *, a=-1.0):
        return {x: a * x**3}

    a = np.where(np.arange(40) % 7 == 3, 5.0, -1.0)
    settings = {"duration": 20, "method": dl.EulerMaruyama(step=0.01), "seed": 1}
    run = dl.ensemble(cubic.with_noise(x=1.0), parameters={"a": a}, **settings)
    assert np.array_equal(run.ok, a < 0)
    assert (run.statuses[a > 0] == dl.Status.DIVERGED).all()
    assert (run.ends[a > 0] < 20).all()
    calm = dl.ensemble(cubic.with_noise(x=1.0), parameters={"a": np.full(40, -1.0)}, **settings)
    assert np.array_equal(run["x"][a < 0], calm["x"][a < 0])


def test_seeds():
    """None is drawn and stored, a generator's state is stored, what is no seed is refused."""
    method = dl.EulerMaruyama(step=0.1)
    free = dl.simulate(OU, duration=1, method=method)
    again = dl.simulate(OU, duration=1, method=method, seed=free.provenance.seed)
    assert np.array_equal(free["x"], again["x"])
    first, second = (
        dl.simulate(OU, duration=1, method=method, seed=np.random.default_rng(4)) for _ in range(2)
    )
    assert np.array_equal(first["x"], second["x"])
    assert first.provenance.settings["generator"]
    for wrong in (-1, 1.5, "seed", True):
        with pytest.raises(dl.SettingError, match="seed"):
            dl.simulate(OU, duration=1, method=method, seed=wrong)


def test_steps_end_on_the_times_that_are_kept():
    """Whatever the times, they are the times; the variance at each is that of the equation."""
    times = [0.0, 0.013, 0.5, 0.5, 2.0]
    run = dl.ensemble(OU, duration=3, at=times, size=20_000, method=dl.SRA1(step=0.05), seed=1)
    assert np.array_equal(run.t, times)
    assert np.array_equal(run["x"][:, 0], np.ones(20_000))
    assert np.array_equal(run["x"][:, 2], run["x"][:, 3])
    expected = (1 - np.exp(-2 * np.array(times))) / 2
    tolerance = FIVE * np.sqrt(2 / 20_000)
    assert np.allclose(run["x"].var(axis=0), expected, rtol=tolerance + 1e-3, atol=1e-12)


def test_a_path_that_leaves_or_diverges_says_so():
    @dl.flow
    def root(x=0.01):
        return {x: -1 + 0 * x}

    @root.with_noise(dl.Ito)
    def falls(x):
        return {x: dl.sqrt(x)}

    run = dl.simulate(falls, duration=5, method=dl.EulerMaruyama(step=0.01), seed=1)
    assert run.status is dl.Status.LEFT_DOMAIN
    assert 0 < len(run.t) < 500
    assert np.isfinite(run["x"]).all()

    @dl.flow
    def explodes(x=1.0):
        return {x: x**3}

    run = dl.simulate(
        explodes.with_noise(x=0.1), duration=50, method=dl.EulerMaruyama(step=0.1), seed=1
    )
    assert run.status is dl.Status.DIVERGED


def test_what_cannot_run_is_refused_by_name():
    quiet = decay
    for call, word in (
        (lambda: dl.simulate(quiet, duration=1, method=dl.SRA1(step=0.1)), "no noise"),
        (lambda: dl.simulate(ito, duration=1, method=dl.SRA1(step=0.1)), "depends on the state"),
        (lambda: dl.simulate(ito, duration=1, method=dl.ExactLinear(step=0.1)), "additive"),
        (lambda: dl.simulate(OU, duration=1, method=dl.BAOAB(step=0.1)), "momentum"),
    ):
        with pytest.raises(dl.UnsupportedSystemError, match=word):
            call()
    for call, word in (
        (lambda: dl.ensemble(OU, duration=1, size=3), "step"),
        (lambda: dl.ensemble(quiet, duration=1, size=3, method=dl.SRA1(step=0.1)), "no noise"),
        (lambda: dl.integrate(quiet, duration=1, method=dl.SRA1(step=0.1)), "dl.simulate"),
        (lambda: dl.simulate(OU, duration=-1, method=dl.SRA1(step=0.1)), "backwards"),
        (lambda: dl.simulate(OU, duration=1, at=[0.5, 0.2], method=dl.SRA1(step=0.1)), "rise"),
        (lambda: dl.SRA1(step=0), "positive"),
        (lambda: dl.ensemble(OU, duration=1, parameters={"th": [1, 2]}, method=dl.ExactLinear(step=1)),
         "th"),
    ):  # fmt: skip
        with pytest.raises(dl.SettingError, match=word):
            call()


def test_parameters_vary_over_members():
    """Stationary variance 1 / (2 th) for two rates in one ensemble."""
    th = np.repeat([1.0, 4.0], 10_000)
    run = dl.ensemble(OU, parameters={"th": th}, duration=8, method=dl.SRA1(step=0.05), seed=1)["x"]
    for rate in (1.0, 4.0):
        assert run[th == rate].var() == pytest.approx(1 / (2 * rate), rel=FIVE * np.sqrt(2 / 1e4))


def test_runs_are_stored(tmp_path):
    run = dl.ensemble(ito, duration=1, size=5, method=dl.SRIW1(step=0.1), seed=1)
    again = dl.load(run.save(tmp_path / "run"))
    assert again.system == ito
    assert again.provenance.settings["method"] == dl.SRIW1(step=0.1)
    assert np.array_equal(run["x"], again["x"])


def test_normal_numbers_are_normal():
    """Chi square over 1000 equally likely bins, tails, moments and neighbours, of two million numbers."""
    key = np.arange(4, dtype=np.uint64)
    streams = np.empty((2, 4), np.uint64)
    bits.begin_streams(key, 0, streams)
    x = np.empty((2, 1_000_000))
    for row in range(2):
        bits.fill_normals(streams[row], x[row])
    edges = stats.norm.ppf(np.linspace(0, 1, 1001)[1:-1])
    counts = np.bincount(np.searchsorted(edges, x.ravel()), minlength=1000)
    assert stats.chisquare(counts).pvalue > 1e-4
    beyond = np.count_nonzero(np.abs(x) > bits.TAIL)
    expected = 2 * stats.norm.sf(bits.TAIL) * x.size
    assert abs(beyond - expected) < FIVE * np.sqrt(expected)
    deep = x[np.abs(x) > bits.TAIL]
    # the tail itself: given |x| > R, the survival is sf(|x|) / sf(R), evenly distributed
    assert (
        stats.kstest(stats.norm.sf(np.abs(deep)) / stats.norm.sf(bits.TAIL), "uniform").pvalue
        > 1e-4
    )
    for power, moment, spread in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs((x**power).mean() - moment) < FIVE * np.sqrt(spread / x.size)
    assert abs(np.corrcoef(x[0, 1:], x[0, :-1])[0, 1]) < FIVE / 1000
    assert abs(np.corrcoef(x[0], x[1])[0, 1]) < FIVE / 1000


def test_a_pickled_system_runs_the_same():
    again = pickle.loads(pickle.dumps(stratonovich))
    assert again == stratonovich
    method = dl.StochasticHeun(step=0.1)
    runs = [dl.simulate(s, duration=1, method=method, seed=1)["x"] for s in (stratonovich, again)]
    assert np.array_equal(*runs)


def test_streams_in_lanes_give_the_numbers_of_streams_by_themselves():
    """To the last bit, with what is rejected and the tail: 2e5 numbers in 16 lanes, 1e3 of them rejected at first."""
    key = np.array([1, 2, 3, 4], np.uint64)
    streams = np.empty((20, 4), np.uint64)
    bits.begin_streams(key, 0, streams)
    words, own = np.empty((5, 16), np.uint64), np.empty(4, np.uint64)
    bits.gather_streams(streams, 3, words)
    together, alone = np.empty((6400, 2, 16)), np.empty((16, 6400 * 2))
    for rows in (np.s_[:4000], np.s_[4000:]):
        bits.fill_lanes(words, own, len(together[rows]), 0.5, together[rows])
    for lane in range(16):
        bits.fill_normals(streams[3 + lane], alone[lane])
    assert np.array_equal(together.reshape(-1, 16).T, 0.5 * alone)
    assert np.abs(alone).max() > 3.7  # from the tail, which begins at 3.65
