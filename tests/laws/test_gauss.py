"""Gauss collocation: order, the laws of a symplectic step, and rounding over long times."""

import itertools

import numpy as np
import pytest
import sympy

import dynlab as dl
from dynlab import zoo
from dynlab.solve.gauss import coefficients_of

EPS = 2.0**-52
METHODS = (dl.Gauss6, dl.Gauss8)
each = pytest.mark.parametrize("method", METHODS, ids=lambda m: m.__name__)


@dl.hamiltonian
def bead(q=1.0, p=0.5, *, m=1.0):
    """Coordinate and momentum in one term: no method of kicks and drifts runs this."""
    return (1 + q**2) * p**2 / 2 / m + q**2 / 2


@dl.hamiltonian
def charged(x=0.3, y=0.0, px=0.1, py=0.4, *, B=1.5):
    """A charge in a magnetic field that grows outwards."""
    return ((px + B * y * (1 + x**2)) ** 2 + py**2) / 2 + (x**2 + y**4) / 2


def order_of(method):
    return 2 * method(step=1.0).stages


@each
def test_coefficients_satisfy_the_order_conditions(method):
    """``sum b c^(k-1) = 1/k`` for k up to 2 s, ``sum_j a_ij c_j^(k-1) = c_i^k / k`` for k up to s; symplectic."""
    s = method(step=1.0).stages
    numbers = coefficients_of(s)
    c, rows = numbers[:s], numbers[s : s + 2 * s * (s + 1)].reshape(s + 1, 2, s)
    a, b = rows[:s, 0], rows[s, 0]
    for k in range(1, 2 * s + 1):
        assert b @ c ** (k - 1) == pytest.approx(1 / k, abs=2 * EPS)
    for k in range(1, s + 1):
        assert a @ c ** (k - 1) == pytest.approx(c**k / k, abs=2 * EPS)
    assert b[:, None] * a + (b[:, None] * a).T == pytest.approx(np.outer(b, b), abs=EPS)
    # What each lacks is below half a unit of its last place.
    assert (np.abs(rows[:, 1]) <= np.spacing(np.abs(rows[:, 0])) / 2).all()
    continued = numbers[s + 2 * s * (s + 1) :].reshape(s, s)
    for k in range(s):
        assert continued @ c**k == pytest.approx((1 + c) ** k, rel=1e-13)


@each
@pytest.mark.parametrize("system", [bead, charged, zoo.van_der_pol], ids=lambda s: s.name)
def test_observed_order(method, system):
    """The end agrees with the Taylor series but for the step to the power of the order."""
    exact = dl.integrate(system, duration=4, method=dl.Taylor()).end[1:]
    steps = np.array([1 / 5, 1 / 8, 1 / 12])
    errors = [
        np.abs(dl.integrate(system, duration=4, method=method(step=h)).end[1:] - exact).max()
        for h in steps
    ]
    slope = np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert slope == pytest.approx(order_of(method), abs=0.6)


@each
@pytest.mark.parametrize("system", [bead, charged], ids=lambda s: s.name)
def test_a_step_is_symplectic(method, system):
    """``M' J M = J`` to rounding, however long the step.

    The derivative M of a Runge-Kutta step is what the method makes of the variational equation.
    """
    names, n = system.state_names, len(system.state_names)
    spread = [f"m{i}_{j}" for i, j in itertools.product(range(n), repeat=2)]
    states = [sympy.Symbol(name, real=True) for name in names]
    jacobian = sympy.Matrix(system.rule).jacobian(states)

    def rule(*all_states):
        x, m = all_states[:n], sympy.Matrix(n, n, all_states[n:])
        given = dict(zip(states, x, strict=True))
        given |= {sympy.Symbol(p, real=True): system[p] for p in system.parameter_names}
        rates = [*system.rule, *(jacobian * m)]
        return {s: sympy.sympify(r).subs(given) for s, r in zip(all_states, rates, strict=True)}

    starts = [*system.start_values, *np.eye(n).ravel()]
    heads = ", ".join(
        f"{s}={v!r}" for s, v in zip([*names, *spread], map(float, starts), strict=True)
    )
    made = eval(f"lambda {heads}: rule({', '.join([*names, *spread])})", {"rule": rule})
    made.__name__ = f"around_{system.name}"
    run = dl.integrate(dl.flow(made), duration=0.3, at=[0.3], method=method(step=0.3))
    M = run.end[1 + n :].reshape(n, n)
    J = np.block(
        [
            [np.zeros((n // 2, n // 2)), np.eye(n // 2)],
            [-np.eye(n // 2), np.zeros((n // 2, n // 2))],
        ]
    )
    assert np.abs(M - np.eye(n)).max() > 0.1
    assert np.abs(M.T @ J @ M - J).max() < 32 * EPS


@each
def test_a_run_back_returns_to_rounding(method):
    """Steps read the same from both ends, so that only rounding stays: 200 steps of it."""
    there = dl.integrate(charged, duration=20, method=method(step=0.2))
    back = dl.integrate(charged, start=there.final, duration=-20, method=method(step=0.2))
    assert np.abs(back.end[1:] - charged.start_values).max() < 200 * EPS


@each
def test_quadratic_invariants_are_kept(method):
    """Also without an energy: the free top keeps two of them, at any step (Cooper 1987)."""
    top = dl.flow(
        lambda x=0.3, y=0.5, z=0.8, *, a=1.0, b=2.0, c=-3.0: {
            x: a * y * z,
            y: b * z * x,
            z: c * x * y,
        }
    )
    run = dl.integrate(top, duration=300, method=method(step=0.5))
    x, y, z = run["x"], run["y"], run["z"]
    for kept in (x**2 + y**2 + z**2, x**2 - y**2 / 2):
        assert np.abs(kept - kept[0]).max() < 4 * EPS * np.sqrt(len(run.t))


@each
def test_the_energy_error_is_bounded(method):
    """A hundred times as long, the error is the same."""
    short, long = (
        dl.integrate(
            bead, duration=T, at=np.linspace(0, T, 20_001), method=method(step=0.25)
        ).energy_error
        for T in (200, 20_000)
    )
    assert short > 1e-10
    assert long < 1.2 * short


def test_rounding_walks_at_random():
    """At a step whose own error is below rounding: sqrt(N) units and not N (Hairer et al. 2008)."""
    T, h = 20_000, 0.025
    errors = [
        dl.integrate(
            bead, start={"q": q}, duration=T, at=np.linspace(0, T, 101), method=dl.Gauss8(step=h)
        ).energy_error
        for q in (1.0, 1.01, 1.02)
    ]
    assert max(errors) < 4 * EPS * np.sqrt(T / h) < 0.02 * EPS * T / h


def test_it_runs_what_the_others_refuse_and_they_say_so():
    with pytest.raises(dl.UnsupportedSystemError, match="Gauss8"):
        dl.integrate(bead, duration=1, method=dl.KahanLi8(step=0.1))
    same = dl.integrate(zoo.henon_heiles, duration=50, method=dl.Gauss8(step=0.1))
    other = dl.integrate(zoo.henon_heiles, duration=50, method=dl.Taylor())
    assert same.end == pytest.approx(other.end, abs=1e-9)


def test_between_steps_crossings_and_parameters():
    run = dl.integrate(
        bead(m=2), duration=10, method=dl.Gauss8(step=0.1), record=dl.Crossing("out", lambda p: p)
    )
    exact = dl.integrate(
        bead(m=2), duration=10, method=dl.Taylor(), record=dl.Crossing("out", lambda p: p)
    )
    t = np.linspace(0, 10, 333)
    # Polynomials of degree 7 between steps of 0.1.
    assert run.at(t)["q"] == pytest.approx(exact.at(t)["q"], abs=1e-9)
    assert run.events["out"].times == pytest.approx(exact.events["out"].times, abs=1e-9)


def test_too_long_a_step_and_other_ends():
    assert (
        dl.integrate(bead, duration=100, method=dl.Gauss8(step=20)).status
        is dl.Status.NOT_CONVERGED
    )
    stopped = dl.integrate(bead, duration=10, method=dl.Gauss8(step=0.1, max_steps=7))
    assert stopped.status is dl.Status.TOO_MANY_STEPS
    for wrong in (0, -1, np.nan):
        with pytest.raises(dl.SettingError):
            dl.Gauss8(step=wrong)
    ring = zoo.kuramoto.on(dl.AllToAll(3)).draw(omega=dl.Gaussian(0, 1), seed=1)
    with pytest.raises(dl.UnsupportedSystemError, match="network"):
        dl.integrate(ring, duration=1, method=dl.Gauss8(step=0.1))
