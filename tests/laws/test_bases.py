"""Laws of densities in functions: what the matrices are, what must stay, how fast errors fall.

Tolerances are rounding times what stands beside them in the comment, or the error that the result states.
"""

import warnings

import numpy as np
import pytest
from scipy.linalg import expm, solve_continuous_lyapunov
from scipy.stats import norm

import dynlab as dl
from dynlab.stochastic.bases.expansion import resolutions
from dynlab.stochastic.bases.matrix import generator_matrix
from dynlab.stochastic.bases.separated import separated
from dynlab.stochastic.generator.coefficients import coefficients_of

H = dl.Hermite


@dl.flow
def well(x=0.5):
    return {x: x - x**3}


@dl.flow
def decay(x=0.0, *, theta=1.0):
    return {x: -theta * x}


@dl.flow
def turning(x=0.0, y=0.0):
    return {x: -x - 2 * y, y: x - 1.5 * y}


@dl.flow
def particle(x=0.0, v=0.0, *, g=0.5):
    return {x: v, v: x - x**3 - g * v}


@dl.flow
def rotor(phase: dl.Angle = 0.0, v=0.0, *, g=0.5, tilt=0.0):
    return {phase: v, v: tilt - dl.sin(phase) - g * v}


def noisy(system, **diffusion):
    """Add noise by its diffusion coefficients, D = sigma^2 / 2."""
    return system.with_noise(**{n: (2 * v) ** 0.5 for n, v in diffusion.items()})


def matrix_of(system, basis):
    full, _ = resolutions(basis)
    return generator_matrix(coefficients_of(system), full.axes)


FAMILIES = {
    "hermite": (H(30, centre=0.3, width=0.4), lambda x: 0.7 - x + 0.2 * x**3),
    "few hermite": (H(10, centre=-0.2, width=0.7), lambda x: 1 + x**2),
    "fourier": (dl.Fourier(12), lambda x: 0.5 - np.sin(x) + np.cos(2 * x)),
    "sinc": (dl.Sinc(120, between=(-6, 6)), lambda x: 0.7 - x + 0.2 * x**3),
}


# What the matrices are


@pytest.mark.parametrize("case", FAMILIES)
def test_duals_take_out_coefficients(case):
    family, _ = FAMILIES[case]
    axis = family.axis(coarse=False)
    low, high, cells = family.extent
    if case == "sinc":  # one function is told from the others at the points
        assert axis.functions(axis.nodes) == pytest.approx(np.eye(axis.size), abs=1e-13)
        return
    x = low + (high - low) / cells * (np.arange(cells) + 0.5)
    product = axis.duals(x) @ axis.functions(x).T * (high - low) / cells
    assert np.abs(product - np.eye(axis.size)).max() < 1e-11


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("case", FAMILIES)
def test_matrices_multiply_and_differentiate(case, order):
    """Against differences of order eight of the product, whose error is 1e-9 here."""
    family, a = FAMILIES[case]
    axis = family.axis(coarse=False)
    rng = np.random.default_rng(1)
    if case == "sinc":
        coefficients = np.exp(-(axis.nodes**2)) * (1 + axis.nodes)
    else:  # low functions only, so that nothing leaves those that are kept
        coefficients = np.zeros(axis.size)
        coefficients[:5] = rng.standard_normal(5)
    x, h = np.linspace(-1.5, 1.5, 31), 0.02
    got = (axis.operator(order, a(axis.nodes)) @ coefficients) @ axis.functions(x)
    weights = {
        0: [0, 0, 0, 0, 1, 0, 0, 0, 0],
        1: [1 / 280, -4 / 105, 1 / 5, -4 / 5, 0, 4 / 5, -1 / 5, 4 / 105, -1 / 280],
        2: [-1 / 560, 8 / 315, -1 / 5, 8 / 5, -205 / 72, 8 / 5, -1 / 5, 8 / 315, -1 / 560],
    }[order]
    exact = sum(
        w * a(x + k * h) * (coefficients @ axis.functions(x + k * h)) / h**order
        for k, w in zip(range(-4, 5), weights, strict=True)
    )
    assert np.abs(got - exact).max() < 1e-6 * np.abs(exact).max()


def test_a_derivative_along_a_circle_has_one_null_vector():
    """An even number of points has a second one, at the frequency of Nyquist, and with it a slow mode."""
    for count in (7, 8):
        axis = dl.Fourier(count).axis(coarse=False)
        sizes = np.linalg.svd(
            axis.operator(1, np.ones(axis.nodes.size)).toarray(), compute_uv=False
        )
        assert (sizes < 1e-9).sum() == 1


@pytest.mark.parametrize(
    "function",
    [lambda x, y: x - x**3 / 3 - y + 0.5, lambda x, y: np.exp(-x * y), lambda x, y: 0 * x],
)
def test_functions_are_sums_of_products(function):
    x, y = np.meshgrid(np.linspace(-2, 2, 40), np.linspace(-1, 1, 30), indexing="ij")
    table = function(x, y)
    terms = list(separated(table))
    total = sum((np.multiply.outer(*t) for t in terms), np.zeros_like(table))
    assert np.abs(total - table).max() <= 1e-13 * max(np.abs(table).max(), 1e-300)
    assert len(terms) <= 15


def test_three_states_are_separated_one_after_another():
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, n) for n in (7, 8, 9)), indexing="ij")
    table = 10 * (y - x) + x * y * z
    total = sum(np.multiply.outer(np.multiply.outer(a, b), c) for a, b, c in separated(table))
    assert np.abs(total - table).max() < 1e-12


@pytest.mark.parametrize(("centre", "width"), [(0.0, 1.0), (1.3, 0.4), (-2.0, 3.0)])
def test_a_linear_drift_has_exact_rates_whatever_the_scale(centre, width):
    """To ten functions the duals are polynomials, and the matrix is triangular."""
    matrix = matrix_of(
        noisy(decay(theta=1.7), x=0.5), dl.Basis(x=H(10, centre=centre, width=width))
    )
    assert np.abs(np.triu(matrix.toarray(), 1)).max() < 1e-12 * np.abs(matrix).max()
    assert -np.sort(-matrix.diagonal()) == pytest.approx(-1.7 * np.arange(10), abs=1e-11)


# What must hold


def test_densities_and_observables_are_dual():
    """<g, e^{tL} p> = <e^{tL'} g, p>: forwards by us, backwards by the dense exponential."""
    system, basis = (
        noisy(particle, v=0.125),
        dl.Basis(x=H(40, centre=0, width=0.3), v=H(30, centre=0, width=0.6)),
    )
    run = dl.evolve_density(
        system,
        start={"x": dl.Gaussian(0.3, 0.33), "v": dl.Gaussian(0, 0.4)},
        grid=basis,
        at=[0, 0.7],
    )
    g = np.cos(np.arange(basis.size))
    backwards = expm(0.7 * matrix_of(system, run.basis).toarray().T) @ g
    forwards, before = (g @ run.coefficients[k].ravel() for k in (1, 0))
    assert forwards == pytest.approx(backwards @ run.coefficients[0].ravel(), rel=1e-10)
    assert forwards != pytest.approx(before, rel=1e-2)


def test_identities_hold_and_are_not_imposed():
    """E[L' g] = 0 to the error of the moments; with too few functions it is broken, and that is said."""
    found = dl.stationary_density(noisy(particle, v=0.125), grid=dl.Basis(x=H(50), v=H(30)))
    assert set(found.identities) >= {"x", "v", "x v", "x^2 v^2", "x^4"}
    assert max(map(abs, found.identities.values())) < 1e-8
    with pytest.warns(dl.AccuracyWarning, match="not resolved"):
        short = dl.stationary_density(noisy(particle, v=0.125), grid=dl.Basis(x=H(12), v=H(8)))
    assert short.status is dl.Status.UNRESOLVED
    assert max(map(abs, short.identities.values())) > 1e-5
    assert short.lowest < 0 < short.negative_mass


@pytest.mark.parametrize("T", [0.25, 0.6])
def test_gibbs_with_inertia(T):
    found = dl.stationary_density(noisy(particle, v=0.5 * T), grid=dl.Basis(x=H(50), v=H(30)))
    x, v = np.meshgrid(found["x"], found["v"], indexing="ij")
    exact = np.exp(-(v**2 / 2 + x**4 / 4 - x**2 / 2) / T)
    exact /= exact.sum() * found.cells.volume
    apart = np.abs(found.values - exact).sum() * found.cells.volume
    assert apart < found.error < 1e-4
    assert found.moment(v=2) == pytest.approx(T, abs=1e-8)
    assert found.marginal("v").moment(v=4) == pytest.approx(3 * T**2, abs=1e-7)
    assert found.resolved_power("v") >= 12


def test_gibbs_of_a_potential_that_is_no_polynomial():
    @dl.flow
    def bowl(x=0.0, y=0.0):
        s = dl.tanh(x + 0.5 * y)
        return {x: -x - s, y: -y - 0.5 * s}

    found = dl.stationary_density(noisy(bowl, x=0.3, y=0.3), grid=dl.Basis(x=H(30), y=H(30)))
    x, y = np.meshgrid(found["x"], found["y"], indexing="ij")
    exact = np.exp(-((x**2 + y**2) / 2 + np.log(np.cosh(x + 0.5 * y))) / 0.3)
    exact /= exact.sum() * found.cells.volume
    assert np.abs(found.values - exact).sum() * found.cells.volume < found.error < 1e-4


def test_noise_shared_between_states():
    """A S + S A' = 2 D (scipy) for D of full rank and of rank one."""
    for extra in (0.3, 0.0):

        @turning.with_noise(dl.Ito)
        def system(x, y, *, extra=extra):
            shared = dl.sources("shared")
            return {x: [0.6 * shared, extra], y: 0.8 * shared}

        D = 0.5 * np.array([[0.36 + extra**2, 0.48], [0.48, 0.64]])
        S = solve_continuous_lyapunov(np.array([[1.0, 2.0], [-1.0, 1.5]]), 2 * D)
        found = dl.stationary_density(system, grid=dl.Basis(x=H(30), y=H(30)))
        got = [found.moment(x=2), found.moment(x=1, y=1), found.moment(y=2)]
        assert got == pytest.approx([S[0, 0], S[0, 1], S[1, 1]], abs=1e-9)


def test_three_states():
    @dl.flow
    def chain(x=0.0, y=0.0, z=0.0):
        return {x: -x + 0.3 * y, y: -0.5 * y - x, z: -0.5 * z - 0.4 * y}

    A = -np.array([[-1, 0.3, 0], [-1, -0.5, 0], [0, -0.4, -0.5]])
    D = np.diag([0.1, 0.2, 0.3])
    S = solve_continuous_lyapunov(A, 2 * D)
    basis = dl.Basis(
        **{n: H(14, centre=0, width=(1.7 * S[k, k]) ** 0.5) for k, n in enumerate("xyz")}
    )
    found = dl.stationary_density(noisy(chain, x=0.1, y=0.2, z=0.3), grid=basis)
    got = [found.moment(x=2), found.moment(x=1, z=1), found.moment(y=1, z=1)]
    assert got == pytest.approx([S[0, 0], S[0, 2], S[1, 2]], abs=1e-10)


def test_the_answer_does_not_depend_on_origin_and_unit():
    @dl.flow
    def moved(u=3.0, w=0.0, *, g=0.5):
        x, v = (u - 3) / 2, w / 5
        return {u: 2 * v, w: 5 * (x - x**3 - g * v)}

    here, there = noisy(particle, v=0.125), noisy(moved, w=25 * 0.125)
    scale = {"centre": 0.1, "width": 0.3}
    plain = dl.Basis(x=H(24, **scale), v=H(16, centre=0, width=0.55))
    other = dl.Basis(u=H(24, centre=3.2, width=0.6), w=H(16, centre=0, width=2.75))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dl.AccuracyWarning)
        one, two = (
            dl.generator_spectrum(s, grid=b, count=4) for s, b in ((here, plain), (there, other))
        )
        first = dl.stationary_density(here, grid=plain)
        second = dl.stationary_density(there, grid=other)
    assert two.rates == pytest.approx(one.rates, abs=1e-7)
    assert 10 * second.at(u=3.8, w=1.0) == pytest.approx(first.at(x=0.4, v=0.2), rel=1e-7)


def test_cells_agree_within_their_error():
    system = noisy(turning, x=0.5, y=0.3)
    cells = dl.stationary_density(system, grid=dl.Grid(x=(-5, 5, 128), y=(-5, 5, 128)))
    found = dl.stationary_density(system, grid=dl.Basis(x=H(30), y=H(30)))
    axes = resolutions(found.basis)[0].axes
    here = axes[0].functions(cells["x"]).T @ found.coefficients @ axes[1].functions(cells["y"])
    apart = np.abs(here - cells.values).sum() * cells.grid.volume
    assert 0.2 * cells.error < apart < 1.5 * cells.error


# How fast errors fall


@pytest.mark.parametrize(
    ("family", "counts", "digits"),
    [
        (lambda n: dl.Sinc(n, between=(-2.3, 2.3)), range(24, 41, 4), 0.3),
        (H, range(24, 57, 4), 0.1),
    ],
)
def test_errors_fall_exponentially(family, counts, digits):
    """So many digits for each function, and logarithms of errors on a line."""
    errors = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dl.AccuracyWarning)
        for n in counts:
            found = dl.generator_spectrum(noisy(well, x=0.1), grid=dl.Basis(x=family(n)), count=2)
            errors.append(abs(found.gap - 0.0335452873080006))
    slope, _ = np.polyfit(counts, np.log10(errors), 1)
    assert slope < -digits
    assert np.corrcoef(counts, np.log10(errors))[0, 1] < -0.9
    assert errors[-1] < 1e-3 * errors[0]


def test_the_stated_error_is_close_to_the_error_and_rarely_less():
    exact = dl.stationary_density(noisy(particle, v=0.125), grid=dl.Basis(x=H(60), v=H(40)))
    for counts in ((24, 16), (32, 22), (40, 28)):
        basis = dl.Basis(x=H(counts[0]), v=H(counts[1]))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dl.AccuracyWarning)
            found = dl.stationary_density(noisy(particle, v=0.125), grid=basis)
        axes = resolutions(exact.basis)[0].axes
        true = axes[0].functions(found["x"]).T @ exact.coefficients @ axes[1].functions(found["v"])
        apart = np.abs(true - found.values).sum() * found.cells.volume
        assert 0.01 * found.error < apart < 2 * found.error


# Directions without noise


@pytest.mark.parametrize("counts", [(24, 16), (25, 17), (31, 20), (40, 30)])
def test_inertia_has_no_spurious_slow_mode(counts):
    """Central differences give a mode at 0.0948; the slowest is at 0.1503155 (two other bases, upwind cells)."""
    basis = dl.Basis(x=H(counts[0]), v=H(counts[1]))
    found = dl.generator_spectrum(noisy(particle, v=0.125), grid=basis, count=4)
    assert found.rates[0] == 0
    assert abs(found.gap - 0.1503155) <= found.errors[1] + 1e-7
    assert found.errors[1] < 3e-4
    assert found.rates[2].real > 0.5
    assert found.doubtful.size == 0


def test_a_rotor_turns_with_its_angle_even_or_odd():
    """Gibbs without tilt; the rates do not depend on whether the highest harmonic is even."""
    system = noisy(rotor, v=0.125)
    rates = []
    for count in (15, 16):
        basis = dl.Basis(phase=dl.Fourier(count), v=H(24))
        found = dl.generator_spectrum(system, grid=basis, count=4)
        rates.append(found.rates)
    assert rates[0] == pytest.approx(rates[1], abs=1e-3)
    density = dl.stationary_density(system, grid=basis)
    from scipy.special import i0, i1

    cosine = np.cos(density["phase"]) @ density.marginal("phase").values * density.cells.widths[0]
    assert cosine == pytest.approx(i1(4) / i0(4), abs=1e-7)
    assert density.moment(v=2) == pytest.approx(0.25, abs=1e-8)
    # Power in is power out: tilt <v> = g (<v^2> - T).
    tilted = dl.stationary_density(
        noisy(rotor(tilt=0.4), v=0.125), grid=dl.Basis(phase=dl.Fourier(20), v=H(44))
    )
    assert 0.4 * tilted.mean("v") == pytest.approx(0.5 * (tilted.moment(v=2) - 0.25), abs=1e-5)


# Tails that fall like a power


def test_a_power_law_is_said_to_be_unresolved():
    @dl.flow
    def van_der_pol(x=1.0, y=0.0, *, mu=0.5):
        return {x: y, y: mu * (1 - x**2) * y - x}

    with pytest.warns(dl.AccuracyWarning, match="fall like a power"):
        found = dl.stationary_density(
            noisy(van_der_pol, x=0.4, y=0.2), grid=dl.Basis(x=H(50), y=H(50))
        )
    assert found.status is dl.Status.UNRESOLVED
    # p ~ |x|^-25 along x: the density is resolved, its high moments are not, and the result says from where on.
    mild = dl.stationary_density(noisy(van_der_pol, x=0.08, y=0.2), grid=dl.Basis(x=H(60), y=H(60)))
    assert mild.status is dl.Status.OK
    assert 6 <= mild.resolved_power("x") < 24
    assert f"x^{mild.resolved_power('x')}" in repr(mild)
    with pytest.warns(dl.AccuracyWarning, match="not exist"):
        mild.moment(x=mild.resolved_power("x") + 1)

    @decay.with_noise(dl.Ito)
    def spread(x, *, s=0.5):
        return {x: s * dl.sqrt(1 + x**2)}

    with pytest.warns(dl.AccuracyWarning, match="fall like a power"):
        found = dl.stationary_density(spread, grid=dl.Basis(x=H(60)))
    assert found.status is dl.Status.UNRESOLVED
    with pytest.warns(dl.AccuracyWarning, match="does not exist"):
        found.moment(x=12)
    # On cells the box decides about such a mean; of a density that falls fast it does not.
    cells = dl.stationary_density(spread)
    assert cells.moment(x=4) == pytest.approx(3 / 35, rel=1e-6)
    with pytest.warns(dl.AccuracyWarning, match="outer tenths of the box"):
        cells.moment(x=10)
    assert dl.stationary_density(noisy(decay, x=0.5)).moment(x=8) == pytest.approx(105 / 16)


# In time


def test_ornstein_uhlenbeck_moves_as_a_gaussian():
    mean, variance = 1.5 * np.exp(-0.5), 0.05 * np.exp(-1) + 0.5 * (1 - np.exp(-1))
    start = {"x": dl.Gaussian(1.5, 0.05**0.5)}
    for family, allowed in (
        (H(60, centre=0, width=0.5), 1e-9),
        (dl.Sinc(80, between=(-5, 5)), 1e-9),
    ):
        run = dl.evolve_density(
            noisy(decay, x=0.5), start=start, at=[0, 0.5], grid=dl.Basis(x=family)
        )
        exact = norm(mean, variance**0.5).pdf(run["x"])
        assert np.abs(run.values[1] - exact).max() < allowed
        assert run.mean("x") == pytest.approx([1.5, mean], abs=1e-8)
        assert run.variance("x")[1] == pytest.approx(variance, abs=3e-8)
        assert run.status is dl.Status.OK


def test_a_start_at_a_place_is_resolved_later():
    with pytest.warns(dl.AccuracyWarning, match="at 1 of 2 times"):
        run = dl.evolve_density(
            noisy(decay, x=0.5), start={"x": 1.0}, at=[0, 1.0], grid=dl.Basis(x=H(40))
        )
    assert run.status is dl.Status.UNRESOLVED
    assert run.at(1.0).status is dl.Status.OK
    assert run.at(1.0).mean("x") == pytest.approx(np.exp(-1), abs=run.errors[1])
    assert run.errors[1] < 1e-4


def test_what_is_stationary_stays():
    density = dl.stationary_density(noisy(well, x=0.25), grid=dl.Basis(x=H(50)))
    run = dl.evolve_density(density.system, start=density, duration=5)
    assert np.abs(run.values - density.values).max() < 1e-8
    assert len(run.times) == 101
