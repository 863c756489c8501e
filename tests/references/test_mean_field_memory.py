"""The mean-field theory of the Hopfield model against the literature, closed forms, and the equations as printed.

Numbers: Amit, Gutfreund and Sompolinsky 1985 (Phys. Rev. Lett. 55, 1530) and 1987 (Ann. Phys. 173, 30), recomputed
from their equations to all digits given; Hertz, Krogh and Palmer 1991, table 2.1; McEliece et al. 1987.
"""

import math

import mpmath
import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import erf

import dynlab as dl
from dynlab import hopfield
from dynlab.hopfield.saddle_point import averages, glass, on_branch, widest_noise
from dynlab.hopfield.theory import critical_state, recalled


def test_critical_load_without_temperature():
    edge = hopfield.critical_load()
    assert float(edge) == pytest.approx(0.13790556649, abs=2e-11)
    assert edge.overlap == pytest.approx(0.96741711569, abs=2e-11)
    assert (1 - edge.overlap) / 2 == pytest.approx(0.01629144, abs=5e-9)
    # x is the signal over the noise, m = erf(x)
    assert edge.overlap / math.sqrt(2 * edge.value * edge.spread) == pytest.approx(
        1.51121855633, abs=2e-10
    )


@pytest.mark.parametrize(
    ("load", "overlap"),
    [(0.05, 0.9999922281), (0.08, 0.9995573816), (0.10, 0.9979992663), (0.135, 0.9807913206)],
)
def test_overlap_without_temperature(load, overlap):
    theory = hopfield.mean_field_overlap(loads=load)
    assert theory.overlap[0] == pytest.approx(overlap, abs=6e-11)


def test_both_branches_solve_the_equation_as_printed():
    """sqrt(2 alpha) = erf(x) / x - (2 / sqrt(pi)) exp(-x^2), m = erf(x)."""
    loads = np.linspace(0.002, 0.1379, 60)
    theory = hopfield.mean_field_overlap(loads=loads)
    from scipy.special import erfinv

    saddle = erfinv(theory.unstable_overlap)
    right = erf(saddle) / saddle - 2 / np.sqrt(np.pi) * np.exp(-(saddle**2))
    np.testing.assert_allclose(right, np.sqrt(2 * loads), rtol=1e-11)
    x = theory.overlap / np.sqrt(2 * loads * theory.spread)
    np.testing.assert_allclose(erf(x), theory.overlap, rtol=1e-13)
    np.testing.assert_allclose(
        erf(x) / x - 2 / np.sqrt(np.pi) * np.exp(-(x**2)), np.sqrt(2 * loads), rtol=1e-11
    )
    assert np.all(theory.unstable_overlap < theory.overlap)


def gaussian(function, *, pieces):
    """Integrate over the normal measure with mpmath, split at `pieces`."""
    density = lambda z: mpmath.exp(-z * z / 2) / mpmath.sqrt(2 * mpmath.pi) * function(z)  # noqa: E731
    return mpmath.quad(density, sorted({-12, *pieces, 12}))


@pytest.mark.parametrize(
    ("m", "sigma", "temperature"),
    [(0.9, 0.3, 0.6), (0.3, 0.5, 0.124), (0.97, 0.45, 0.02), (0.0, 0.9, 1.1), (0.4, 1e-3, 0.5), (0.5, 0.4, 0.1)],
)  # fmt: skip
def test_averages_are_those_of_mpmath(m, sigma, temperature):
    """Both quadratures, and on both sides of the place where they change."""
    with mpmath.workdps(25):
        u = lambda z: (m + sigma * z) / mpmath.mpf(temperature)  # noqa: E731
        width = 6 * temperature / sigma
        ends = [
            -m / sigma + s * width
            for s in (-1, -0.3, 0, 0.3, 1)
            if abs(-m / sigma + s * width) < 12
        ]
        sech = lambda z: mpmath.sech(u(z))  # noqa: E731
        exact = {
            "overlap": gaussian(lambda z: mpmath.tanh(u(z)), pieces=ends),
            "square": gaussian(lambda z: mpmath.tanh(u(z)) ** 2, pieces=ends),
            "slope": gaussian(lambda z: sech(z) ** 2, pieces=ends) / temperature,
            "fourth": gaussian(lambda z: sech(z) ** 4, pieces=ends) / temperature,
            "entropy_term": temperature
            * gaussian(lambda z: mpmath.log(2 * mpmath.cosh(u(z))), pieces=ends),
        }
    found = averages(m, sigma, temperature)
    for name, value in exact.items():
        assert getattr(found, name) == pytest.approx(float(value), rel=2e-13, abs=1e-14), name


@pytest.mark.parametrize("temperature", [0.0, 0.02, 0.3, 0.9])
def test_derivatives_of_the_averages(temperature):
    """Central differences: h = 1e-5, so errors of h^2 and of rounding / h are below 1e-8."""
    m, sigma, h = 0.7, 0.4, 1e-5
    here = averages(m, sigma, temperature)
    for name, up, down in (
        ("by_overlap", averages(m + h, sigma, temperature), averages(m - h, sigma, temperature)),
        ("by_noise", averages(m, sigma + h, temperature), averages(m, sigma - h, temperature)),
    ):
        assert getattr(here, name) == pytest.approx((up.slope - down.slope) / (2 * h), abs=1e-8)
    overlaps = [averages(m + s * h, sigma, temperature).overlap for s in (1, -1)]
    assert here.slope == pytest.approx((overlaps[0] - overlaps[1]) / (2 * h), abs=1e-8)


def free_energy(m, q, r, load, temperature):
    """Equation 3.4 of Amit, Gutfreund and Sompolinsky 1987 as a function of three free order parameters."""
    beta = 1 / mpmath.mpf(temperature)
    c = beta * (1 - q)
    inner = gaussian(
        lambda z: mpmath.log(2 * mpmath.cosh(beta * (m + mpmath.sqrt(load * r) * z))),
        pieces=[-6, 0, 6],
    )
    return (
        load / 2 + m**2 / 2 + load * beta * r * (1 - q) / 2
        + load / (2 * beta) * (mpmath.log(1 - c) - beta * q / (1 - c)) - inner / beta
    )  # fmt: skip


@pytest.mark.parametrize(("load", "temperature"), [(0.05, 0.4), (0.02, 0.6), (0.004, 0.8)])
def test_recall_and_glass_make_the_free_energy_stationary(load, temperature):
    theory = hopfield.mean_field_overlap(loads=load, temperature=temperature)
    still = glass(load, temperature)
    for m, q, r in (
        (theory.overlap[0], theory.edwards_anderson[0], theory.spread[0]),
        (0.0, still.order, still.spread),
    ):
        with mpmath.workdps(25):
            place = [mpmath.mpf(float(v)) for v in (m, q, r)]
            for k in range(3):

                def along(value, k=k, place=place):
                    return free_energy(
                        *[value if i == k else place[i] for i in range(3)], load, temperature
                    )

                h = mpmath.mpf("1e-7")
                slope = (along(place[k] + h) - along(place[k] - h)) / (2 * h)
                assert abs(slope) < 1e-11
            exact = free_energy(*place, load, temperature)
        state = recalled(load, temperature) if m else still
        assert state.free_energy == pytest.approx(float(exact), abs=1e-13)


def test_temperature_to_zero_is_the_theory_without_temperature():
    """Corrections begin with T, the linear term of q: a tenth of the temperature, a tenth of the difference."""
    loads = [0.1, 0.12, 0.13]
    cold = hopfield.mean_field_overlap(loads=loads)
    off = [
        np.abs(hopfield.mean_field_overlap(loads=loads, temperature=t).overlap - cold.overlap)
        for t in (1e-4, 1e-5)
    ]
    np.testing.assert_allclose(off[1], 0.1 * off[0], rtol=0.1)
    edges = [
        abs(float(hopfield.critical_load(t)) - float(hopfield.critical_load()))
        for t in (1e-3, 1e-4)
    ]
    assert edges[1] == pytest.approx(0.1 * edges[0], rel=0.05)


@pytest.mark.parametrize(
    ("beta", "overlap"), [(1.5, 0.8585596366), (2, 0.9575040241), (3, 0.9949015285)]
)
def test_one_pattern(beta, overlap):
    """Without load m = tanh(beta m); a small load changes it in proportion."""
    loads = [0.0, 1e-10, 1e-8]
    theory = hopfield.mean_field_overlap(loads=loads, temperature=1 / beta)
    assert theory.overlap[0] == pytest.approx(overlap, abs=1e-10)
    off = theory.overlap - theory.overlap[0]
    assert off[1] == pytest.approx(off[2] / 100, rel=1e-3)


def test_energy_of_the_spin_glass_without_temperature():
    """E = -1 / pi - sqrt(2 alpha / pi), sqrt(r) = 1 + sqrt(2 / (pi alpha))."""
    for load in (1e-3, 0.05, 0.138, 1.0, 30.0):
        still = glass(load, 0.0)
        assert still.free_energy == pytest.approx(
            -1 / math.pi - math.sqrt(2 * load / math.pi), rel=1e-12
        )
        assert math.sqrt(still.spread) == pytest.approx(
            1 + math.sqrt(2 / (math.pi * load)), rel=1e-12
        )


def test_global_minimum_without_temperature():
    """Literature: alpha = 0.051 (digits cut off).  Here from closed forms: both energies at T = 0."""

    def difference(x):
        load = (erf(x) / x - 2 / math.sqrt(math.pi) * math.exp(-x * x)) ** 2 / 2
        m = erf(x)
        sigma = m / (math.sqrt(2) * x)
        c = math.sqrt(2 / math.pi) / sigma * math.exp(-x * x)
        recall = (load + m * m + sigma**2 * c - load / (1 - c)) / 2
        recall -= m * erf(x) + sigma * math.sqrt(2 / math.pi) * math.exp(-x * x)
        return recall + 1 / math.pi + math.sqrt(2 * load / math.pi), load

    x = brentq(lambda x: difference(x)[0], 1.6, 6)
    ground = hopfield.phase_diagram(temperatures=[0.0]).ground[0]
    assert ground == pytest.approx(difference(x)[1], rel=1e-10)
    assert 0.051 <= ground < 0.052


def test_lines_close_to_temperature_one():
    """T_M = 1 - 1.95 sqrt(alpha), T_c = 1 - 2.6 sqrt(alpha) (Amit, Gutfreund and Sompolinsky 1987, section 4)."""
    lines = hopfield.phase_diagram(temperatures=[0.999])
    assert 1e-3 / math.sqrt(lines.recall[0]) == pytest.approx(1.95, abs=0.005)
    assert 1e-3 / math.sqrt(lines.ground[0]) == pytest.approx(2.6, abs=0.05)


def test_glass_appears_at_its_line():
    """Just below T_g = 1 + sqrt(alpha) q vanishes in proportion to the distance; above there is no glass."""
    line = hopfield.phase_diagram(temperatures=[0.5]).glass_temperature([0.04, 0.25])
    np.testing.assert_allclose(line, [1.2, 1.5], rtol=1e-15)
    near, nearer = (glass(0.04, 1.2 - d).order for d in (2e-3, 1e-3))
    assert near / nearer == pytest.approx(2, rel=0.01)
    assert glass(0.04, 1.2 + 1e-9) is None


def test_broken_symmetry_close_to_temperature_zero():
    """T_R = sqrt(8 alpha / (9 pi)) exp(-1 / (2 alpha)) for small loads (Amit, Gutfreund and Sompolinsky 1987).

    The next term is of relative order exp(-1 / (2 alpha)) / alpha^(3/2), below 2e-5 at alpha = 0.03.
    """
    load = 0.03
    temperature = math.sqrt(8 * load / (9 * math.pi)) * math.exp(-1 / (2 * load))
    found = hopfield.phase_diagram(temperatures=[temperature]).symmetric[0]
    again = math.sqrt(8 * found / (9 * math.pi)) * math.exp(-1 / (2 * found))
    assert again == pytest.approx(temperature, rel=1e-4)
    warm = hopfield.phase_diagram(temperatures=[0.1])
    assert warm.symmetric[0] == warm.recall[0]


def test_the_fold_is_the_largest_load_of_its_temperature():
    for temperature in (0.0, 0.02, 0.5, 0.95):
        fold = critical_state(temperature)
        around = fold.noise * np.array([0.2, 0.9, 0.99, 1.01, 1.1])
        assert fold.noise * 1.1 < widest_noise(temperature)
        loads = [on_branch(float(s), temperature).load for s in around]
        assert max(loads) < fold.load
        assert loads[:3] == sorted(loads[:3])
        assert loads[3:] == sorted(loads[3:], reverse=True)


def test_nothing_is_recalled_when_hot():
    assert float(hopfield.critical_load(1.0)) == 0.0
    theory = hopfield.mean_field_overlap(loads=[0.0, 0.01, 0.5], temperature=1.3)
    assert np.all(theory.overlap == 0.0)
    assert list(theory.edwards_anderson > 0) == [False, False, True]  # T_g = 1, 1.1, 1.707


@pytest.mark.parametrize(
    ("load", "error"), [(0.104717, 0.001), (0.138458, 0.0036), (0.369612, 0.05), (0.608875, 0.1)]
)
def test_one_step_error(load, error):
    """Loads are given to six digits; the slope of the error is below 0.3 per unit of load."""
    assert hopfield.one_step_error(load)[0] == pytest.approx(error, abs=3e-7)


def test_patterns_without_an_error():
    found = hopfield.error_free_patterns(1000)
    assert found.most == pytest.approx(72.382, abs=5e-4)
    assert found.every == found.most / 2


def test_projection_step_beside_a_projection():
    """One step of the rule itself: mean of 20 random sets of patterns, within 4 standard errors."""
    size, rng = 250, np.random.default_rng(5)
    for load, overlap in ((0.3, 0.4), (0.6, 0.8)):
        count, found = round(load * size), []
        for _ in range(20):
            patterns = rng.choice([-1.0, 1.0], (count, size))
            basis = np.linalg.qr(patterns.T)[0]
            weights = basis @ basis.T
            np.fill_diagonal(weights, 0.0)
            start = patterns[0] * np.where(rng.random(size) < (1 - overlap) / 2, -1, 1)
            found.append(np.mean(np.sign(weights @ start) * patterns[0]))
        theory = hopfield.projection_step(load, overlap=overlap)[0]
        assert abs(np.mean(found) - theory) < 4 * np.std(found, ddof=1) / math.sqrt(20) + 2 / size


def test_basins_of_the_projection_rule_vanish():
    """The edge is a fixed point of the step, 0 up to 2 / (2 + pi), and tends to 1."""
    loads = np.array([0.2, 0.388, 0.39, 0.5, 0.8, 0.99])
    edge = hopfield.projection_basin(loads)
    assert list(edge[:2]) == [0.0, 0.0]
    assert np.all(np.diff(edge[1:]) > 0)
    for load, m in zip(loads[2:], edge[2:], strict=True):
        assert hopfield.projection_step(load, overlap=m)[0] == pytest.approx(m, abs=1e-9)
    assert edge[-1] > 0.999


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: hopfield.mean_field_overlap(loads=[-0.1]), "not negative"),
        (lambda: hopfield.mean_field_overlap(loads=[math.nan]), "finite"),
        (lambda: hopfield.mean_field_overlap(loads="x"), "give numbers"),
        (lambda: hopfield.mean_field_overlap(loads=[]), "loads are"),
        (lambda: hopfield.mean_field_overlap(loads=0.1, temperature=-1), "temperature is -1"),
        (lambda: hopfield.critical_load(0.99999), "rounding hides"),
        (lambda: hopfield.phase_diagram(temperatures=[0.5, 1.2]), "0 to 0.9999"),
        (lambda: hopfield.one_step_error(0.0), "positive"),
        (lambda: hopfield.one_step_error(0.1, overlap=1.5), "from -1 to 1"),
        (lambda: hopfield.projection_basin(1.0), "linearly independent"),
        (lambda: hopfield.error_free_patterns(1), "at least 2"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(dl.SettingError, match=words):
        call()


def test_results_are_kept_and_drawn(tmp_path):
    theory = hopfield.mean_field_overlap(loads=[0.02, 0.1, 0.2])
    lines = hopfield.phase_diagram(temperatures=[0.0, 0.01, 0.3])
    for result in (theory, lines):
        again = dl.load(result.save(tmp_path / "kept.npz"))
        assert repr(again) == repr(result)
        table = result.to_table()
        for name, column in again.to_table().items():
            np.testing.assert_array_equal(column, table[name])
        assert result.plot().get_xlabel()
    assert again.glass_temperature(0.09) == pytest.approx(1.3)
    assert dl.load(theory.save(tmp_path / "kept.npz")).critical == theory.critical
