"""Systems with delays against closed forms, characteristic roots, published values and another program."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import lambertw

import dynlab as dl
from dynlab import Status, Verdict, zoo
from dynlab.zoo import mackey_glass


@dl.flow
def linear(x=1.0, *, a=-0.3, b=-1.2, tau=1.0):
    return {x: a * x + b * dl.delayed(x, tau)}


def roots(a, b, tau, count):
    """Roots of l = a + b exp(-l tau) from the right: branches of Lambert's function."""
    found = [a + lambertw(b * tau * np.exp(-a * tau), k) / tau for k in range(-9, 10)]
    return np.array(sorted(found, key=lambda l: (-l.real, -l.imag))[:count])


# Equilibria and their roots


@pytest.mark.parametrize(
    ("a", "b", "tau"), [(-0.3, -1.2, 1.0), (0.2, -0.5, 2.0), (-1.0, 0.8, 3.0), (0.1, 1.0, 0.5)]
)
def test_roots_of_an_equilibrium_are_branches_of_lamberts_function(a, b, tau):
    rest = dl.find_equilibria(linear(a=a, b=b, tau=tau), within={"x": (-1, 1)}).single()
    exact = roots(a, b, tau, len(rest.eigenvalues))
    assert rest.eigenvalues.real == pytest.approx(exact.real, abs=1e-11)
    assert np.abs(rest.eigenvalues.imag) == pytest.approx(np.abs(exact.imag), abs=1e-11)
    assert rest.is_stable == (exact[0].real < 0)


ONSETS = [
    f for n in zoo.names() if zoo.get(n).is_delayed for f in zoo.facts(n) if f.what == "onset"
]


@pytest.mark.parametrize("fact", ONSETS, ids=[f.model for f in ONSETS])
def test_equilibria_oscillate_from_their_onset_on(fact):
    """A pair of roots is at +- i omega there, and crosses to the right."""
    system, box = zoo.get(fact.model), {n: (x - 0.1, x + 0.1) for n, x in fact.state.items()}
    at = dl.find_equilibria(system(**fact.parameters), within=box).single()
    assert at.start == pytest.approx(dict(fact.state), abs=1e-12)
    assert at.eigenvalues[0] == pytest.approx(1j * fact.omega, abs=1e-11)
    for value, stable in ((fact.value - 0.01, True), (fact.value + 0.01, False)):
        there = system(**{fact.vary: value})
        assert dl.find_equilibria(there, within=box).single().is_stable is stable


def test_all_unstable_roots_are_listed():
    """x' = -x + 20 x(t - 3) about 0: the unstable roots counted by their branches."""
    found = dl.find_equilibria(zoo.ikeda_delay(mu=20.0), within={"x": (-8, 8)})
    zero = next(p for p in found if abs(p["x"]) < 1e-12)
    branches = [-1 + lambertw(60 * np.exp(3), k) / 3 for k in range(-40, 41)]
    unstable = sum(root.real > 0 for root in branches)
    assert unstable > 6
    assert zero.unstable_directions == unstable
    assert zero.eigenvalues[-1].real < 0
    table = found.to_table()
    assert len(table["x"]) == len(table["eigenvalue 1"]) == len(found)


def test_eigenvectors_solve_the_characteristic_equation():
    @dl.flow
    def pair(x=0.1, y=0.2, *, c=0.7):
        return {
            x: -x + c * dl.tanh(dl.delayed(y, 1)) - 0.3 * dl.delayed(x, 2),
            y: -y - c * dl.tanh(dl.delayed(x, 1.5)),
        }

    rest = dl.find_equilibria(pair, within={"x": (-1, 1), "y": (-1, 1)}).single()
    for root, v in zip(rest.eigenvalues, rest.eigenvectors.T, strict=True):
        later = np.array([
            [-0.3 * np.exp(-2 * root), 0.7 * np.exp(-root)],
            [-0.7 * np.exp(-1.5 * root), 0],
        ])  # fmt: skip
        assert np.abs(root * v + v - later @ v).max() < 1e-9
        assert np.linalg.norm(v) == pytest.approx(1)


# Trajectories


def test_a_solution_decays_as_its_leading_root():
    root = roots(-0.3, -1.2, 1.0, 1)[0]
    run = dl.integrate(linear, duration=60, method=dl.Explicit8(rtol=1e-11, atol=1e-25))
    t = np.linspace(40, 58, 200)
    # The second pair of roots has decayed by exp(-1.6 * 40) against the first.
    late = run.at(t)["x"] * np.exp(-root.real * t)
    basis = np.column_stack([np.cos(root.imag * t), np.sin(root.imag * t)])
    left = late - basis @ np.linalg.lstsq(basis, late, rcond=None)[0]
    assert np.abs(left).max() < 1e-7 * np.abs(late).max()


def steps_by_scipy(duration, tau):
    """Mackey and Glass by the method of steps, one delay after another, with scipy at 1e-12."""
    pieces, edge, x = [], 0.0, np.array([0.5])
    while edge < duration - 1e-9:
        before = pieces[-1] if pieces else lambda _: np.array([0.5])
        run = solve_ivp(
            lambda t, x, p=before: 0.2 * p(t - tau) / (1 + p(t - tau) ** 10) - 0.1 * x,
            (edge, min(edge + tau, duration)),
            x,
            method="DOP853",
            rtol=1e-12,
            atol=1e-13,
            dense_output=True,
        )
        pieces.append(run.sol)
        x, edge = run.y[:, -1], edge + tau
    return x[0]


def test_mackey_glass_as_scipy_finds_it_piece_by_piece():
    run = dl.integrate(mackey_glass, duration=150, method=dl.Explicit8(rtol=1e-11, atol=1e-13))
    assert run.final["x"] == pytest.approx(steps_by_scipy(150.0, 17.0), abs=1e-8)


def test_a_drive_and_several_delays_against_a_closed_form():
    """x = exp(-t) and y = cos t are made the solution by what is added."""

    @dl.flow
    def forced(x=1.0, y=1.0, *, a=0.7, b=1.9):
        return {
            x: -x + dl.delayed(y, a) - dl.cos(dl.t - a),
            y: -dl.sin(dl.t)
            + dl.delayed(x, a + b) * dl.delayed(x, b)
            - dl.exp(a + 2 * b - 2 * dl.t),
        }

    past = {"x": lambda t: np.exp(-t), "y": np.cos}
    run = dl.integrate(forced, duration=8, history=past)
    t = np.linspace(0, 8, 81)
    assert run.at(t)["x"] == pytest.approx(np.exp(-t), abs=1e-8)
    assert run.at(t)["y"] == pytest.approx(np.cos(t), abs=1e-8)


def test_a_run_goes_on_from_the_end_of_another():
    whole = dl.integrate(mackey_glass, duration=200, method=dl.Explicit8(rtol=1e-12, atol=1e-14))
    first = dl.integrate(mackey_glass, duration=90, method=dl.Explicit8(rtol=1e-12, atol=1e-14))
    second = dl.integrate(
        mackey_glass, duration=110, history=first, method=dl.Explicit8(rtol=1e-12, atol=1e-14)
    )
    assert second.final["x"] == pytest.approx(whole.final["x"], abs=1e-10)
    assert second.t[0] == 0


def test_kept_times_and_crossings_are_those_of_the_whole_run():
    whole = dl.integrate(mackey_glass, duration=2000)
    times = np.linspace(0, 2000, 57)
    kept = dl.integrate(mackey_glass, duration=2000, at=times)
    assert kept["x"] == pytest.approx(whole.at(times)["x"], abs=1e-13)
    up = dl.Crossing("up", lambda x: x - 1, +1)
    run = dl.integrate(mackey_glass, duration=2000, record=up)
    assert len(run.events["up"]) > 30
    assert run.at(run.events["up"].times)["x"] == pytest.approx(1, abs=1e-12)
    fifth = float(run.events["up"].times[4])
    ended = dl.integrate(
        mackey_glass, duration=2000, until=dl.Crossing("late", lambda t: t - fifth, +1)
    )
    assert ended.status is Status.EVENT
    assert ended.end == pytest.approx([fifth, 1], abs=1e-9)


def test_no_delay_is_none():
    plain = dl.integrate(linear(tau=0), duration=2)
    assert plain.final["x"] == pytest.approx(np.exp(-3), rel=1e-9)
    found = dl.lyapunov_spectrum(linear(tau=0), count=2, duration=50, seed=1)
    assert found.exponents == pytest.approx([-1.5, -np.inf])


def test_a_blow_up_is_seen():
    @dl.flow
    def explosive(x=1.0):
        return {x: x**2 * dl.delayed(x, 0.1)}

    run = dl.integrate(explosive, duration=10)
    assert run.status is Status.DIVERGED
    assert 0.5 < run.end[0] < 1.5


# Exponents


@pytest.mark.parametrize(("a", "b", "tau"), [(-0.3, -1.2, 1.0), (-1.0, 0.8, 3.0)])
def test_exponents_of_a_linear_system_are_its_roots(a, b, tau):
    found = dl.lyapunov_spectrum(
        linear(a=a, b=b, tau=tau), count=5, duration=300 * tau, transient=60 * tau, seed=1
    )
    real = roots(a, b, tau, 5).real
    # Of a pair of complex roots the deviations turn: each exponent is known to a turn, their sum at once.
    assert found.exponents == pytest.approx(real, abs=6 / (300 * tau))
    whole = [k for k in range(1, 6) if k == 5 or real[k - 1] - real[k] > 1e-6]
    for k in [k for k in whole if k < 5 or real[4] - roots(a, b, tau, 6).real[5] > 1e-6]:
        assert found.exponents[:k].sum() == pytest.approx(real[:k].sum(), abs=1e-6)
    assert found.verdict is Verdict.FIXED_POINT


def test_exponents_of_a_plane_with_several_delays_are_its_roots():
    """Two states, three delayed terms with two delays; the roots come from a matrix, not from a run."""

    @dl.flow
    def pair(x=1.0, y=0.5, *, short=0.6, long=1.7):
        return {
            x: -0.4 * x + y - 0.7 * dl.delayed(y, long),
            y: -x - 0.2 * y + 0.5 * dl.delayed(x, short) - 0.6 * dl.delayed(y, short),
        }

    exact = dl.characteristic_roots(
        [[-0.4, 1.0], [-1.0, -0.2]],
        delayed={0.6: [[0, 0], [0.5, -0.6]], 1.7: [[0, -0.7], [0, 0]]},
        count=8,
    )
    rest = dl.find_equilibria(pair, within={"x": (-1, 1), "y": (-1, 1)}).single()
    assert np.abs(rest.eigenvalues[:4] - exact.roots[:4]).max() < 1e-10
    found = dl.lyapunov_spectrum(pair, count=6, duration=400, transient=80, seed=1)
    real = exact.roots.real
    assert found.exponents == pytest.approx(real[:6], abs=6 / 400)
    for k in range(1, 7):
        if real[k - 1] - real[k] > 1e-6:
            assert found.exponents[:k].sum() == pytest.approx(real[:k].sum(), abs=1e-5)


def test_two_copies_have_each_exponent_twice():
    @dl.flow
    def copies(x=0.5, y=0.5, *, tau=16.0):
        first, second = dl.delayed(x, tau), dl.delayed(y, tau)
        return {
            x: 0.2 * first / (1 + first**10) - 0.1 * x,
            y: 0.2 * second / (1 + second**10) - 0.1 * y,
        }

    one = dl.lyapunov_spectrum(
        mackey_glass(tau=16.0), count=2, duration=6000, transient=4000, seed=2
    )
    both = dl.lyapunov_spectrum(copies, count=4, duration=6000, transient=4000, seed=2)
    assert both.exponents == pytest.approx(np.repeat(one.exponents, 2), abs=3e-4)
    assert both.verdict is Verdict.QUASI_PERIODIC


def test_a_periodic_mackey_glass_has_one_exponent_zero():
    """At tau = 16: 0 and -0.0083 (Runge-Kutta of order 4 with Gram-Schmidt on the history)."""
    found = dl.lyapunov_spectrum(
        mackey_glass(tau=16.0), count=2, duration=8000, transient=4000, seed=2
    )
    assert found.exponents[0] == pytest.approx(0, abs=2e-4)
    assert found.exponents[1] == pytest.approx(-0.0083, abs=2e-4)
    assert found.verdict is Verdict.PERIODIC


EXPONENTS = [f for n in zoo.names() if zoo.get(n).is_delayed for f in zoo.facts(n) if f.exponents]


@pytest.mark.parametrize("fact", EXPONENTS, ids=[f"{f.model} {dict(f.at)}" for f in EXPONENTS])
def test_exponents_of_the_zoo(fact):
    """By a program of another kind: equal steps of order 4."""
    system = zoo.get(fact.model)(**fact.at)
    rate = fact.exponents[0]
    # The wandering orbit of Sprott's flow takes longer to be known.
    duration, transient = (1000 if fact.model == "sprott_delay" else 150) / rate, 10 / rate
    found = dl.lyapunov_spectrum(
        system, count=len(fact.exponents), duration=duration, transient=transient, seed=3
    )
    gaps = np.abs(found.exponents - fact.exponents)
    assert np.all(gaps < 4 * found.standard_errors + fact.tolerance), (gaps, found.standard_errors)
    assert 4 * found.standard_errors[0] < rate  # else it would show nothing
    assert found.verdict is Verdict.CHAOTIC
    alone = dl.lyapunov_exponent(system, duration=duration, transient=transient, seed=4)
    error = np.hypot(alone.standard_error, found.standard_errors[0])
    assert abs(alone.value - found.exponents[0]) < 4 * error


def test_the_dimension_of_mackey_and_glass():
    """2.13 at tau = 17; with too few exponents there is none."""
    found = dl.lyapunov_spectrum(mackey_glass, count=3, duration=15_000, transient=2000, seed=5)
    assert abs(found.kaplan_yorke_dimension - 2.13) < 4 * found.kaplan_yorke_error
    few = dl.lyapunov_spectrum(mackey_glass, count=1, duration=2000, transient=200, seed=5)
    with pytest.raises(dl.SettingError, match="Ask for more"):
        _ = few.kaplan_yorke_dimension


def test_exponents_scale_with_time():
    """x'(t) = c f(x, x(t - tau / c)) runs c times as fast."""

    @dl.flow
    def faster(x=0.5, *, c=4.0, tau=17.0):
        past = dl.delayed(x, tau / c)
        return {x: c * (0.2 * past / (1 + past**10) - 0.1 * x)}

    slow = dl.lyapunov_spectrum(
        mackey_glass(tau=16.0), count=2, duration=8000, transient=4000, seed=2
    )
    fast = dl.lyapunov_spectrum(faster(tau=16.0), count=2, duration=2000, transient=1000, seed=2)
    assert fast.exponents / 4 == pytest.approx(slow.exponents, abs=2e-4)
