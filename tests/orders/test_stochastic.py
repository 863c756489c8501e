"""Measured strong and weak orders of the schemes for noise.

Strong errors compare a run with the exact solution, or with a run of finer steps, driven by the same Brownian
path; many paths are the nodes of a network without links.  Weak errors have no statistics in them: for a
linear equation a step multiplies the state by a random matrix, whose moments are integrals over the normal
numbers of the step, done by Gauss-Hermite quadrature.
"""

import itertools

import numpy as np
import pytest
from scipy.linalg import expm

import dynlab as dl
from dynlab.codegen.inputs import inputs_of
from dynlab.kernels import stochastic as kernels

STEPS = np.array([8, 16, 32, 64])
MU, S = 0.1, 0.5


@dl.flow
def growth(x: dl.PerNode = 1.0, *, mu=MU):
    i = dl.nodes("i")
    return {x[i]: mu * x[i]}


@growth.with_noise(dl.Ito)
def geometric(x, *, s=S):
    i = dl.nodes("i")
    return {x[i]: s * x[i]}


@dl.flow
def saturating(x: dl.PerNode = 1.0):
    i = dl.nodes("i")
    return {x[i]: dl.sin(x[i]) - dl.t * x[i]}


@saturating.with_noise(dl.Ito)
def pushed(x):
    """Additive, with an amplitude that depends on time."""
    i = dl.nodes("i")
    return {x[i]: 1 + dl.t / 2}


@dl.flow
def still(x: dl.PerNode = 0.0, y: dl.PerNode = 0.0):
    i = dl.nodes("i")
    return {x[i]: -x[i], y[i]: -y[i]}


@still.with_noise(dl.Ito)
def areas(x, y):
    """Two sources that do not commute: y collects the area between their paths."""
    i = dl.nodes("i")
    return {x[i]: 1.0, y[i]: x[i]}


def run(system, method, x, increments, h):
    """Take steps with given normal numbers, a row for each."""
    scheme = method.scheme(system)
    inputs = inputs_of(system)
    n = len(x)
    work = np.zeros((kernels.WORK_ROWS, n))
    work[kernels.X] = x
    sets = np.zeros((kernels.SETS, max(scheme.plan[kernels.LAYERS], 1), n))
    z, p, d, k, w = inputs
    if scheme.plan[kernels.CONSTANT]:
        kernels.amplitudes(scheme.plan, 0.0, work[0], sets[0], *inputs)
    for j, xi in enumerate(increments):
        row = np.ascontiguousarray(xi, dtype=float).copy()
        found = kernels.step(
            scheme.plan, scheme.sources, j * h, h, np.zeros(1), row, work, sets, z, p, d, k, w
        )
        assert found == 0
    return work[kernels.X].copy()


def coarser(first, second, factor):
    """Return the numbers of one step for each `factor` steps of the same path.

    With steps of size 1: I = sum I_j and I_(1,0) = sum (I_(1,0)j + (sum of the I before j)).
    """
    m = first.shape[1]
    I, J = first, 0.5 * (first + second / np.sqrt(3))
    I, J = I.reshape(-1, factor, m), J.reshape(-1, factor, m)
    before = np.cumsum(I, axis=1) - I
    I, J = I.sum(axis=1), (J + before).sum(axis=1)
    first, area = I / np.sqrt(factor), J / factor**1.5
    return first, np.sqrt(3) * (2 * area - first)


def strong_errors(system, method, exact=None, paths=1000, finest=64):
    """Return the root-mean-square error at time 1 for each number of steps."""
    bound = system.on(paths)
    n, m = len(bound.state_names), method(step=1).scheme(bound).sources.shape[1]
    generator = np.random.default_rng(7)
    first, second = generator.standard_normal((2, finest, m))
    twice = method(step=1).scheme(bound).normals == 2 * m
    start = np.array(bound.start_values)

    def at(steps):
        pair = coarser(first, second, finest // steps)
        return run(bound, method(step=1), start, np.hstack(pair) if twice else pair[0], 1 / steps)

    truth = at(finest) if exact is None else exact(first.sum(axis=0) / np.sqrt(finest))
    counts = STEPS if exact is not None else np.array([4, 8, 16, 32])
    return counts, np.array([np.sqrt(np.mean((at(c) - truth) ** 2)) for c in counts]), n


def slope(counts, errors):
    """Return the order over the three finest; the coarsest is not asymptotic yet."""
    return -np.polyfit(np.log(counts[1:]), np.log(errors[1:]), 1)[0]


METHODS = {
    # strong order, and E |error| at 64 steps with mu = 1.5, s = 0.5, to 3 digits (4e5 paths)
    dl.EulerMaruyama: (0.5, 1.04e-1),
    dl.Milstein: (1.0, 7.99e-2),
    dl.StochasticHeun: (1.0, 1.29e-2),
    dl.SRIW1: (1.5, 2.30e-3),
}


def geometric_exact(mu, s):
    return lambda W: np.exp((mu - s**2 / 2) + s * W)


@pytest.mark.parametrize("method", METHODS)
def test_strong_orders_on_geometric_motion(method):
    counts, errors, _ = strong_errors(geometric, method, geometric_exact(MU, S))
    assert METHODS[method][0] - 0.12 < slope(counts, errors) < METHODS[method][0] + 0.2


@pytest.mark.parametrize("method", METHODS)
def test_strong_errors_are_of_the_published_size(method):
    """4000 paths know E |error| to about 3 %, since |error| spreads by twice its mean."""
    system = geometric(mu=1.5, s=0.5).on(4000)
    twice = method is dl.SRIW1
    xi = np.random.default_rng(1).standard_normal((64, 8000 if twice else 4000))
    W = xi[:, :4000].sum(axis=0) / 8
    found = run(system, method(step=1), np.ones(4000), xi, 1 / 64)
    error = np.abs(found - geometric_exact(1.5, 0.5)(W)).mean()
    assert error == pytest.approx(METHODS[method][1], rel=0.1)


def test_additive_noise_gains_half_an_order():
    """The reference has 256 steps: its error is below 8**-1 of the finest compared.

    SRA1's error is still that of its drift, of order 2, beside the one of order 3/2.
    """
    for method, low, high in ((dl.EulerMaruyama, 0.9, 1.2), (dl.SRA1, 1.4, 2.1)):
        counts, errors, _ = strong_errors(pushed, method, paths=500, finest=256)
        assert low < slope(counts, errors) < high, method


@pytest.mark.parametrize("method", [dl.EulerMaruyama, dl.StochasticHeun])
def test_noise_that_does_not_commute_has_strong_order_one_half(method):
    counts, errors, _ = strong_errors(areas, method, paths=1000, finest=256)
    assert 0.4 < slope(counts, errors) < 0.65


def test_milstein_refuses_noise_that_does_not_commute():
    for system in (areas.on(2), rotating):
        with pytest.raises(dl.UnsupportedSystemError, match="does not commute"):
            dl.simulate(system, duration=1, method=dl.Milstein(step=0.1), seed=1)


B1, B2 = np.array([[0.1, 0.4], [-0.2, 0.3]]), np.array([[0.3, -0.1], [0.5, 0.0]])
A0 = np.array([[-0.5, 1.0], [-1.0, 0.2]])


@dl.flow
def rotation(x=1.0, y=0.0):
    return {x: A0[0, 0] * x + A0[0, 1] * y, y: A0[1, 0] * x + A0[1, 1] * y}


@rotation.with_noise(dl.Ito)
def rotating(x, y):
    u, v = dl.sources("u v")
    first, second = B1 @ [x, y], B2 @ [x, y]
    return {x: first[0] * u + second[0] * v, y: first[1] * u + second[1] * v}


@rotation.with_noise(dl.Ito)
def stretched(x, y):
    u = dl.sources("u")
    first = B1 @ [x, y]
    return {x: first[0] * u, y: first[1] * u}


def weak_errors(system, method, matrices):
    """Return how far second moments at time 1 are from exact, for 4, 8, 16 and 32 steps.

    ``E[X X']`` obeys the matrix ``A (+) A + sum B (x) B``; one step multiplies it by E[R (x) R].
    """
    eye = np.eye(2)
    generator = np.kron(A0, eye) + np.kron(eye, A0) + sum(np.kron(B, B) for B in matrices)
    exact = expm(generator)
    scheme = method.scheme(system)
    nodes, weights = np.polynomial.hermite_e.hermegauss(6)
    weights = weights / weights.sum()
    # What Platen's step needs beside the increments is a coin, and a number's sign is one.
    coin = scheme.normals - len(matrices) if isinstance(method, dl.PlatenWeak2) else 0
    axes = [(nodes, weights)] * (scheme.normals - coin) + [
        (np.array([-1.0, 1.0]), np.full(2, 0.5))
    ] * coin
    counts, errors = np.array([4, 8, 16, 32]), []
    for count in counts:
        mean = np.zeros((4, 4))
        for places in itertools.product(*(range(len(a)) for a, _ in axes)):
            xi = [axes[j][0][q] for j, q in enumerate(places)]
            weight = np.prod([axes[j][1][q] for j, q in enumerate(places)])
            R = np.stack([run(system, method, e, [xi], 1 / count) for e in eye], axis=1)
            mean += weight * np.kron(R, R)
        errors.append(np.abs(np.linalg.matrix_power(mean, count) - exact).max())
    return counts, np.array(errors)


@pytest.mark.parametrize(
    ("system", "matrices", "method", "order"),
    [
        (rotating, (B1, B2), dl.EulerMaruyama(step=1), 1),
        (rotating, (B1, B2), dl.StochasticHeun(step=1), 1),
        (rotating, (B1, B2), dl.PlatenWeak2(step=1), 2),
        (stretched, (B1,), dl.Milstein(step=1), 1),
        (stretched, (B1,), dl.SRIW1(step=1), 2),
        (stretched, (B1,), dl.PlatenWeak2(step=1), 2),
    ],
    ids=lambda v: type(v).__name__ if isinstance(v, dl.EulerMaruyama.__base__) else None,
)
def test_weak_orders_without_statistics(system, matrices, method, order):
    counts, errors = weak_errors(system, method, matrices)
    assert order - 0.15 < slope(counts, errors) < order + 0.3
