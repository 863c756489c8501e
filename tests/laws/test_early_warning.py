"""What holds of early warnings: normal forms exactly, other bifurcations by their exponents, records by their statistics."""

import numpy as np
import pytest
from scipy.signal import lfilter

import dynlab as dl
from dynlab import zoo


@dl.flow
def fold(x=1.0, *, mu=1.0):
    return {x: mu - x**2}


@dl.flow
def stuart_landau(x=0.0, y=0.0, *, mu=-1.0):
    r = x * x + y * y
    return {x: mu * x - y - x * r, y: x + mu * y - y * r}


@dl.flow
def transcritical(x=0.0, *, mu=-1.0):
    return {x: mu * x - x**2}


def branch_of(system, vary, over, reach=1.5):
    within = dict.fromkeys(system.state_names, (-0.1, reach))
    return dl.continue_equilibrium(
        dl.find_equilibria(system, within=within)[0], vary=vary, over=over
    )


FOLD = branch_of(fold, "mu", (-0.5, 1.0))
NOISY = fold.with_noise(x=0.1)


def test_a_fold_in_normal_form():
    """x* = sqrt(mu), rate 2 sqrt(mu), variance sigma^2 / (4 sqrt(mu)), all along the stable half."""
    found = dl.early_warning(NOISY, along=FOLD)
    here = found["mu"] > 1e-4
    root = np.sqrt(found["mu"][here])
    assert found["x"][here] == pytest.approx(0.01 / (4 * root), rel=1e-9)
    assert found.correlation_time[here] == pytest.approx(1 / (2 * root), rel=1e-9)
    assert found.autocorrelation("x", lag=0.3)[here] == pytest.approx(np.exp(-0.6 * root), rel=1e-9)
    assert (found.states[:, 0] > 0).all()
    (ahead,) = found.approaches
    assert ahead.exponents == pytest.approx([-0.5], abs=1e-12)
    assert ahead.rate_exponent[0] == pytest.approx(0.5, abs=1e-12)


@pytest.mark.parametrize(("system", "over"), [(stuart_landau, (-1, 1)), (transcritical, (-1, 1))])
def test_eigenvalues_that_cross(system, over):
    noisy = system.with_noise(**dict.fromkeys(system.state_names, 0.1))
    found = dl.early_warning(noisy, along=branch_of(system, "mu", over, reach=0.2))
    assert found["x"] == pytest.approx(0.01 / (2 * np.abs(found["mu"])), rel=1e-9)
    (ahead,) = found.approaches
    assert ahead.exponents == pytest.approx(np.full(len(system.states), -1.0), abs=1e-10)


def test_hopf_points_of_a_neuron():
    branch = dl.continue_equilibrium(
        dl.find_equilibria(zoo.fitzhugh_nagumo).single(), vary="I", over=(0, 2)
    )
    found = dl.early_warning(zoo.fitzhugh_nagumo.with_noise(v=0.01), along=branch)
    assert [a.kind for a in found.approaches] == ["Hopf point"] * 2
    assert set(found.parts) == {0, 1}
    for ahead in found.approaches:
        for value, error in [*zip(ahead.exponents, ahead.errors, strict=True)]:
            assert abs(value + 1) <= 10 * error + 1e-10
            assert error < 1e-6
        assert ahead.rate_exponent[0] == pytest.approx(1, abs=1e-6)


def test_a_state_that_does_not_move_along_the_branch():
    """Prey at rest do not depend on their own capacity: x = m h / (1 - m), y = (1 - x/K)(x + h); Hopf at K = h + 2 x."""

    @dl.flow
    def predators(x=0.4, y=0.6, *, K=1.05, h=0.5, m=0.4):
        eaten = x * y / (x + h)
        return {x: x * (1 - x / K) - eaten, y: eaten - m * y}

    rest = dl.find_equilibria(predators, within={"x": (0.05, 0.9), "y": (0.05, 2)}).single()
    branch = dl.continue_equilibrium(rest, vary="K", over=(0.8, 1.5))
    there = branch.at(K=1.16).single()
    assert there.state == pytest.approx([1 / 3, (1 - 1 / 3 / 1.16) * 5 / 6], rel=1e-13)
    (ahead,) = dl.early_warning(predators.with_noise(x=0.01, y=0.01), along=branch).approaches
    assert ahead.at == pytest.approx(0.5 + 2 / 3, rel=1e-12)
    assert ahead.exponents == pytest.approx([-1, -1], abs=1e-7)


def test_a_state_that_takes_no_part_has_no_exponent():
    @dl.flow
    def beside(x=1.0, y=0.0, *, mu=1.0):
        return {x: mu - x**2, y: -y}

    branch = branch_of(beside, "mu", (-0.5, 1.0))
    (ahead,) = dl.early_warning(beside.with_noise(x=0.1, y=0.1), along=branch).approaches
    assert ahead.exponents[0] == pytest.approx(-0.5, abs=1e-10)
    assert np.isnan(ahead.exponents[1])


def test_the_values_are_those_of_linear_noise():
    noisy = zoo.fitzhugh_nagumo.with_noise(v=0.1)
    branch = dl.continue_equilibrium(
        dl.find_equilibria(zoo.fitzhugh_nagumo).single(), vary="I", over=(0, 0.3)
    )
    found = dl.early_warning(noisy, along=branch)
    point = branch.at(I=0.2).single()
    spread = dl.linear_noise(noisy(I=0.2), at=point)
    assert np.interp(0.2, found["I"], found["v"]) == pytest.approx(spread.variance("v"), rel=1e-3)


# -- a record ---------------------------------------------------------------------------------


def autoregressive(memory, size, seed):
    return lfilter([1.0], [1.0, -memory], np.random.default_rng(seed).normal(size=size + 200))[200:]


def test_windows_are_what_they_say():
    x = autoregressive(0.6, 1000, 1)
    found = dl.warning_signs(x, window=300, smoothing=1e9, surrogates=19, seed=1)
    last = x[-300:]
    assert found.variance[-1] == pytest.approx(last.var(ddof=1), rel=1e-10)
    centred = last - last.mean()
    expected = (centred[1:] @ centred[:-1] / 299) / last.var()
    assert found.autocorrelation[-1] == pytest.approx(expected, rel=1e-10)
    assert found.times[0] == 300
    assert found.times[-1] == 1000


def test_errors_are_those_of_separate_records():
    """Of 60 records the estimates scatter as their own errors say: within 35 per cent, 4 standard errors of a scatter.

    Were neighbours taken for independent, the error of the variance would be smaller by 1.7.
    """
    found = [
        dl.warning_signs(
            autoregressive(0.7, 450, seed), window=330, smoothing=1e9, surrogates=19, seed=0
        )
        for seed in range(60)
    ]
    first = np.array([[f.variance[0], f.autocorrelation[0]] for f in found])
    stated = np.mean([f.errors[:, 0] for f in found], axis=0)
    assert first.std(axis=0, ddof=1) == pytest.approx(stated, rel=0.35)


def test_records_without_change_are_seldom_called():
    """Of 40 stationary records at most 10 have p <= 0.1: more happens with probability 0.002 if p is that of a rank."""
    values = [
        dl.warning_signs(
            autoregressive(0.8, 600, 50 + k), window=200, surrogates=19, seed=k
        ).p_values
        for k in range(40)
    ]
    assert (np.array(values) <= 0.1).sum(axis=0).max() <= 10


def test_slowing_down_is_seen():
    random, x = np.random.default_rng(3), np.zeros(2000)
    memory = np.linspace(0.3, 0.95, 2000)
    for k in range(1, 2000):
        x[k] = memory[k] * x[k - 1] + random.normal()
    trend = np.linspace(0, 30, 2000) ** 1.3
    found = dl.warning_signs(x + trend, window=600, smoothing=150, surrogates=99, seed=1)
    assert max(found.p_values) <= 0.05
    assert min(found.trends) > 0.7


def test_results_are_kept_and_drawn(tmp_path):
    found = dl.early_warning(NOISY, along=FOLD)
    again = dl.load(found.save(tmp_path / "warning.npz"))
    assert np.array_equal(again["x"], found["x"])
    assert again.approaches[0].at == found.approaches[0].at
    assert found.plot().get_xlabel()
    signs = dl.warning_signs(autoregressive(0.5, 300, 1), window=150, surrogates=19, seed=1)
    again = dl.load(signs.save(tmp_path / "signs.npz"))
    assert again.p_values == signs.p_values
    assert signs.plot().get_ylabel()


@dl.flow
def other(y=0.0, *, mu=1.0):
    return {y: mu - y}


@pytest.mark.parametrize(
    ("ask", "error", "words"),
    [
        (lambda: dl.early_warning(fold, along=FOLD), dl.UnsupportedSystemError, "no noise"),
        (lambda: dl.early_warning(NOISY, along="mu"), dl.SettingError, "give a branch"),
        (lambda: dl.early_warning(other.with_noise(y=1), along=FOLD), dl.SettingError, "with the states x"),
        (lambda: dl.early_warning(NOISY, along=FOLD)["z"], dl.UnknownNameError, "'z' is not a state"),
        (lambda: dl.warning_signs(np.arange(200.0) ** 0, window=100), dl.SettingError, "constant"),
        (lambda: dl.warning_signs(np.random.default_rng(0).random(200), window=190), dl.SettingError, "no room to slide"),
        (lambda: dl.warning_signs(np.random.default_rng(0).random(200), window=100, smoothing=0), dl.SettingError, "smoothing is 0"),
    ],
)  # fmt: skip
def test_what_is_refused(ask, error, words):
    with pytest.raises(error, match=words):
        ask()
