"""What holds for the exponents of every orbit."""

import numpy as np
import pytest
from scipy.linalg import expm

import dynlab as dl
from dynlab import Verdict, zoo
from dynlab.chaos.exponents.averages import bounded_error, standard_error, two_sided
from dynlab.chaos.exponents.deviations import deviations_of, random_vectors


@dl.iterated_map
def logistic(x=0.3, *, r=4.0):
    return {x: r * x * (1 - x)}


@dl.iterated_map
def henon(x=0.1, y=0.1, *, a=1.4, b=0.3):
    return {x: 1 - a * x**2 + y, y: b * x}


@dl.iterated_map
def cat(x=0.2, y=0.3):
    return {x: dl.mod(2 * x + y, 1), y: dl.mod(x + y, 1)}


@dl.flow
def henon_heiles(x=0.0, y=0.1, px=0.45, py=0.05):
    return {x: px, y: py, px: -x - 2 * x * y, py: -y - x**2 + y**2}


FLOWS = {
    "lorenz": (zoo.lorenz, 300, 20),
    "roessler": (zoo.roessler, 600, 100),
    "brusselator": (zoo.brusselator, 200, 50),
}


@pytest.mark.parametrize("name", FLOWS)
def test_the_sum_is_the_mean_divergence(name):
    system, duration, transient = FLOWS[name]
    found = dl.lyapunov_spectrum(system, duration=duration, transient=transient, seed=1)
    assert found.sum == pytest.approx(found.mean_divergence, abs=1e-6)


@pytest.mark.parametrize("name", FLOWS)
def test_an_autonomous_flow_that_moves_has_the_exponent_zero(name):
    # The speed along the orbit stays between bounds, so after T the estimate is below log(10^4)/T.
    system, duration, transient = FLOWS[name]
    found = dl.lyapunov_spectrum(system, duration=duration, transient=transient, seed=1)
    assert abs(found.nearest_to_zero) < np.log(1e4) / duration


def test_a_constant_divergence_is_met_to_the_digits_of_the_integration():
    found = dl.lyapunov_spectrum(zoo.lorenz, duration=1000, seed=2)
    assert found.sum == pytest.approx(-(10 + 1 + 8 / 3), abs=1e-6)


def test_the_logarithm_of_the_determinant_of_a_map():
    found = dl.lyapunov_spectrum(henon, duration=10_000, transient=100, seed=1)
    # 10 000 logarithms, each rounded, add up to some 1e-12.
    assert found.sum == pytest.approx(np.log(0.3), abs=1e-11)
    assert found.mean_divergence == pytest.approx(np.log(0.3), abs=1e-11)


def test_a_linear_flow_has_the_real_parts_of_its_eigenvalues():
    A = np.array([[-0.5, 2.0, 0.3], [-2.0, -0.5, 0.1], [0.0, 0.0, -3.0]])

    @dl.flow
    def linear(x=1.0, y=0.5, z=0.2):
        rows = [sum(a * v for a, v in zip(row, (x, y, z), strict=True)) for row in A.tolist()]
        return dict(zip((x, y, z), rows, strict=True))

    found = dl.lyapunov_spectrum(linear, duration=100, transient=20, seed=1)
    # The pair turns: what is left after a whole number of turns is bounded, so it is O(1/T).
    assert found.exponents == pytest.approx([-0.5, -0.5, -3.0], abs=0.01)
    assert found.exponents[:2].sum() == pytest.approx(-1.0, abs=1e-7)


@pytest.mark.parametrize("rho", [0.5, 10.0])
def test_at_a_fixed_point_the_exponents_are_real_parts_of_eigenvalues(rho):
    system = zoo.lorenz(rho=rho)
    found = dl.lyapunov_spectrum(system, duration=2000, transient=200, seed=3)
    rest = next(e for e in dl.find_equilibria(system) if e.is_stable)
    expected = sorted(np.real(rest.eigenvalues), reverse=True)
    assert found.exponents == pytest.approx(expected, abs=3e-3)
    assert found.verdict is Verdict.FIXED_POINT


def test_on_a_cycle_the_exponents_are_those_of_floquet():
    cycle = dl.find_cycle(zoo.van_der_pol(mu=1.0), start={"x": 2.0})
    found = dl.lyapunov_spectrum(
        zoo.van_der_pol(mu=1.0), duration=100 * cycle.period, transient=50, seed=1
    )
    expected = np.sort(np.log(np.abs(cycle.multipliers)) / cycle.period)[::-1]
    # Whole periods: nothing is left of the variation along the cycle.
    assert found.exponents == pytest.approx(expected, abs=2e-6)
    assert found.verdict is Verdict.PERIODIC


def test_the_spectrum_of_a_hamiltonian_comes_in_pairs():
    found = dl.lyapunov_spectrum(
        henon_heiles, start=[0.0, -0.15, np.sqrt(2 * (1 / 6) - 0.05**2 - 2 * _potential(-0.15)), 0.05],
        transient=300, duration=2000, seed=1,
    )  # fmt: skip
    # Directions settle into pairs; what is left of how they lay at first is a few units over the duration.
    assert found.pairing_defect < 5e-3
    assert abs(found.sum) < 1e-7
    assert found.exponents[0] > 0.01


def _potential(y):
    return y**2 / 2 - y**3 / 3


def test_time_in_other_units_divides_the_exponents():
    @dl.flow
    def faster(x=1.0, y=1.0, z=1.0, *, c=10.0):
        return {x: c * 10 * (y - x), y: c * (x * (28 - z) - y), z: c * (x * y - 8 / 3 * z)}

    slow = dl.lyapunov_spectrum(zoo.lorenz, start=[1, 1, 1], duration=20, seed=4)
    fast = dl.lyapunov_spectrum(faster, duration=2, seed=4)
    # One orbit in two paces; round-off grows by exp(0.9 * 20) on the way.
    assert fast.exponents / 10 == pytest.approx(slow.exponents, abs=1e-2)


def test_a_smooth_change_of_variables_changes_nothing():
    @dl.flow
    def bent(u=1.0, v=1.0, w=3.0, *, rho=28.0):
        # x = sinh u, y = v + u, z = exp(w)
        x, y, z = dl.sinh(u), v + u, dl.exp(w)
        du = 10 * (y - x) / dl.cosh(u)
        return {u: du, v: x * (rho - z) - y - du, w: (x * y - 8 / 3 * z) / z}

    found = dl.lyapunov_spectrum(bent, duration=500, transient=20, seed=1)
    assert (
        found.interval(level=0.999)[:, 0] @ [1, 0, 0] < 0.9056 < found.interval(level=0.999)[0, 1]
    )
    assert found.exponents[2] == pytest.approx(-14.572, abs=0.1)


def test_reversing_time_flips_the_spectrum():
    """The orbit of the cat map and its inverse; and a cycle of the reversed oscillator that attracts."""

    @dl.iterated_map
    def inverse(x=0.2, y=0.3):
        return {x: dl.mod(x - y, 1), y: dl.mod(2 * y - x, 1)}

    forth = dl.lyapunov_spectrum(cat, duration=1000, seed=1).exponents
    back = dl.lyapunov_spectrum(inverse, duration=1000, seed=1).exponents
    golden = np.log((3 + np.sqrt(5)) / 2)
    assert forth == pytest.approx([golden, -golden], abs=1e-2)
    assert back == pytest.approx(-forth[::-1], abs=1e-2)


def test_stroboscopic_exponents_are_those_of_the_flow_times_the_period():
    A = np.array([[0.1, 1.0], [-1.0, -0.3]])
    step = expm(0.5 * A)

    @dl.flow
    def continuous(x=1.0, y=0.0):
        return {x: 0.1 * x + y, y: -x - 0.3 * y}

    @dl.iterated_map
    def sampled(x=1.0, y=0.0):
        return {
            x: float(step[0, 0]) * x + float(step[0, 1]) * y,
            y: float(step[1, 0]) * x + float(step[1, 1]) * y,
        }

    flow = dl.lyapunov_spectrum(continuous, duration=100, seed=1)
    steps = dl.lyapunov_spectrum(sampled, duration=200, seed=1)
    assert steps.exponents == pytest.approx(0.5 * flow.exponents, abs=1e-8)


def test_carried_deviations_are_the_differences_of_neighbouring_runs():
    begin, seed = np.array([1.0, 2.0, 20.0]), np.random.default_rng(1)
    vectors = random_vectors(3, 3, seed)
    carried = deviations_of(zoo.lorenz, begin, vectors, method=dl.Explicit8(rtol=1e-11))
    assert carried.carry(1.0).ok

    def end(x):
        return dl.integrate(
            zoo.lorenz, start=x, duration=1, at=[1], method=dl.Explicit8(rtol=1e-13, atol=1e-14)
        ).values[-1]

    h = 1e-6
    for before, after in zip(vectors, carried.vectors, strict=True):
        difference = (end(begin + h * before) - end(begin - h * before)) / (2 * h)
        assert after == pytest.approx(difference, rel=1e-6, abs=1e-6)


def test_orthonormalising_factors_the_deviations():
    rng = np.random.default_rng(2)
    vectors = rng.normal(size=(4, 5)) * np.array([1.0, 1e-8, 1e3, 1.0])[:, None]

    @dl.flow
    def still(a=0.0, b=0.0, c=0.0, d=0.0, e=0.0):
        return {a: 0, b: 0, c: 0, d: 0, e: 0}

    carried = deviations_of(still, np.zeros(5), vectors)
    R = carried.orthonormalise()
    Q = carried.vectors.T
    assert pytest.approx(np.eye(4), abs=1e-15) == Q.T @ Q
    assert pytest.approx(vectors.T, rel=1e-12) == Q @ R
    assert (np.diag(R) > 0).all()


def test_the_intervals_hold_the_truth_as_often_as_they_say():
    # Logistic map at r = 3.9; the truth from one run 400 times as long as each of the others.
    system = logistic(r=3.9)
    long = dl.lyapunov_exponent(system, duration=4_000_000, transient=1000, seed=0)
    rng = np.random.default_rng(7)
    starts = rng.uniform(0.1, 0.9, 300)
    runs = [
        dl.lyapunov_exponent(system, start=[x], duration=10_000, transient=200, seed=1)
        for x in starts
    ]
    for level in (0.8, 0.95):
        inside = np.mean(
            [lo < long.value < hi for lo, hi in (r.interval(level=level) for r in runs)]
        )
        # Binomial scatter of 300 trials is 1.3 % at 95 %, 2.3 % at 80 %; three of them.
        assert abs(inside - level) < 3 * np.sqrt(level * (1 - level) / 300) + 0.01


@pytest.mark.parametrize("system", [zoo.lorenz, zoo.roessler], ids=["lorenz", "roessler"])
def test_the_exponent_along_the_flow_is_known_to_a_bound_over_the_duration(system):
    """It is 0, within as many of its errors as they say, and these shrink like 1/T, not like 1/sqrt T."""
    short, long = (
        [
            dl.lyapunov_spectrum(
                system, start=[1, 1, 1 + 1e-3 * k], duration=time, transient=50, seed=k
            )
            for k in range(30)
        ]
        for time in (100, 800)
    )
    for runs in (short, long):
        for level in (0.8, 0.95):
            inside = np.mean([run.interval(level=level)[1].prod() <= 0 for run in runs])
            assert inside > level - 4 * np.sqrt(level * (1 - level) / len(runs))
    one, other = (np.median([run.standard_errors[1] for run in runs]) for runs in (short, long))
    # Eight times as long: a factor of 8, or 2.8 by diffusion.
    assert one / other > 4.5
    # No wider than they have to be: errors of batch means are more than ten times the median distance.
    assert np.median([abs(run.exponents[1]) for run in long]) > 0.15 * other


@pytest.mark.parametrize("memory", [0.0, 0.9])
def test_the_standard_error_of_a_series_with_memory(memory):
    """The mean of an autoregressive series has the variance 1 / ((1 - a)^2 T)."""
    rng = np.random.default_rng(3)
    size, inside = 2048, 0
    for _ in range(400):
        noise = rng.normal(size=size)
        x = np.empty(size)
        x[0] = noise[0] / np.sqrt(1 - memory**2)
        for k in range(1, size):
            x[k] = memory * x[k - 1] + noise[k]
        error = standard_error(np.ones(size), x[:, None])[0]
        inside += abs(x.mean()) < two_sided(0.95, size) * error
    assert 0.92 < inside / 400 < 0.99


def test_a_sum_that_diffuses_is_not_taken_for_one_that_returns():
    """Of white noise one sum in seventy looks bounded; of its differences nearly all do, with the error sqrt(2)/T."""
    rng = np.random.default_rng(4)
    noise = rng.normal(size=(400, 2049))
    diffusing = [bounded_error(np.ones(2048), row[1:]) for row in noise]
    returning = [bounded_error(np.ones(2048), np.diff(row)) for row in noise]
    # 1.4 % of 400 are 6 +- 2.4.
    assert np.isfinite(diffusing).sum() < 18
    assert np.isfinite(returning).mean() > 0.9
    assert np.median(returning) == pytest.approx(np.sqrt(2) / 2048, rel=0.1)


def test_the_same_seed_gives_the_same_numbers():
    first, again, other = (
        dl.lyapunov_spectrum(zoo.lorenz, duration=20, seed=s).exponents for s in (1, 1, 2)
    )
    assert (first == again).all()
    assert not (first == other).all()


def test_fewer_exponents_are_the_largest_of_all():
    every = dl.lyapunov_spectrum(henon, duration=100_000, transient=100, seed=1)
    one = dl.lyapunov_exponent(henon, duration=100_000, transient=100, seed=1)
    assert one.value == pytest.approx(every.exponents[0], abs=1e-4)


def test_friction_on_all_momenta_shifts_the_pairs():
    """Dressler 1988, Phys. Rev. A 38, 2103: with the friction d on all momenta pairs add up to -d."""

    @dl.flow
    def damped(x=0.3, y=0.1, px=0.2, py=0.4, *, d=0.05, push=0.6):
        force = push * dl.cos(1.1 * dl.t)
        return {
            x: px, y: py,
            px: -x - x**3 - 0.3 * (x - y) - d * px + force,
            py: -y - 2 * y**3 - 0.3 * (y - x) - d * py,
        }  # fmt: skip

    found = dl.lyapunov_spectrum(damped, duration=2000, transient=100, seed=1)
    pairs = found.exponents + found.exponents[::-1]
    assert pairs == pytest.approx([-0.05] * 4, abs=2e-3)
    assert found.pairing_defect < 4e-3


@pytest.mark.parametrize(("K", "chaotic"), [(0.3, 0), (6.0, 60)])
def test_verdicts_are_as_seldom_wrong_as_they_say(K, chaotic):
    """No orbit of the nearly integrable standard map is chaotic to be seen, of the other nearly all are."""

    @dl.iterated_map
    def standard(q=0.0, p=0.0, *, K=0.3):
        return {q: q + p + K * dl.sin(q), p: p + K * dl.sin(q)}

    rng = np.random.default_rng(5)
    runs = [
        dl.lyapunov_spectrum(standard(K=K), start=rng.uniform(0.2, 6, 2), duration=5000, seed=1)
        for _ in range(60)
    ]
    found = [run.verdict for run in runs]
    # The islands at K = 6 take less than a hundredth of the plane.
    assert abs(sum(v is Verdict.CHAOTIC for v in found) - chaotic) <= (2 if chaotic else 0)
    assert all(run.verdict_error < 1e-3 for run in runs if run.verdict is Verdict.CHAOTIC)


def test_sections_have_the_exponents_of_their_flow_times_the_time_between():
    @dl.flow
    def driven(x=1.0, v=0.0, *, d=0.1, F=0.35, w=1.4):
        return {x: v, v: x - x**3 - 2 * d * v + F * dl.cos(w * dl.t)}

    period = 2 * np.pi / 1.4
    strobe = dl.stroboscopic_map(driven, period=period)
    flow = dl.lyapunov_spectrum(driven, duration=100 * period, seed=1)
    steps = dl.lyapunov_spectrum(strobe, duration=100, seed=1)
    assert steps.sum == pytest.approx(-0.2 * period, abs=1e-7)
    # Two runs of one chaotic orbit that round-off parts: they agree within their errors.
    error = np.hypot(steps.standard_errors, period * flow.standard_errors)
    assert (np.abs(steps.exponents - period * flow.exponents) < 4 * error).all()
