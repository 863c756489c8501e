"""Continuation A12: 200 states mixed by an orthogonal matrix, one Hopf point at mu = 0.

x' = Q D(mu) Q' x - (x.x) x with one block [[mu, -2], [2, mu]] in D and -1, -2, ... on the rest of its
diagonal: omega = 2, supercritical.  The matrix is given as links of a network.
"""

import numpy as np
import pytest

import dynlab as dl
from dynlab.equilibria.stability import Equilibrium

i, j = dl.nodes("i j")


@dl.flow
def mixed(x: dl.PerNode, *, A: dl.PerLink = 0.0, B: dl.PerLink = 0.0, mu=-0.2):
    linear = dl.Sum(A[i, j] * x[j], j) + mu * dl.Sum(B[i, j] * x[j], j)
    return {x[i]: linear - x[i] * dl.Sum(x[j] ** 2, j)}


def network(n):
    """Return the network, and the orthogonal matrix whose first two columns span its oscillation."""
    Q, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(n, n)))
    D = np.diag(np.concatenate([[0.0, 0.0], -np.arange(1.0, n - 1)]))
    D[0, 1], D[1, 0] = -2.0, 2.0
    E = np.zeros((n, n))
    E[0, 0] = E[1, 1] = 1.0
    return mixed.on({"node": n}, links={"A": Q @ D @ Q.T, "B": Q @ E @ Q.T}), Q


def test_exactly_one_hopf_point():
    system, _ = network(200)
    rest = Equilibrium.at(system, np.zeros(200), accuracy=0.0)
    branch = dl.continue_equilibrium(rest, vary="mu", over=(-0.2, 0.2))
    (hopf,) = branch.points()
    assert isinstance(hopf, dl.Hopf)
    assert hopf["mu"] == pytest.approx(0.0, abs=1e-10)
    assert hopf.omega == pytest.approx(2.0, rel=1e-10)
    assert hopf.criticality == "supercritical"
    assert not branch.unconfirmed


@pytest.mark.parametrize("n", [20, pytest.param(200, marks=pytest.mark.campaign)])
def test_the_cycle_has_the_period_pi(n):
    # |x| = sqrt(mu) in the plane of the block; multipliers exp(-2 pi mu), and exp(-(k + mu) pi) across it.
    system, Q = network(n)
    mu = 0.5
    method = dl.Collocation(intervals=8, most_intervals=16, tolerance=1e-6)
    cycle = dl.find_cycle(
        system(mu=mu), start={"x": np.sqrt(mu) * Q[:, 0]}, period=3.1, method=method
    )
    assert len(cycle.mesh) - 1 <= 16
    assert cycle.period == pytest.approx(np.pi, rel=1e-9)
    assert np.linalg.norm(cycle.profile, axis=1) == pytest.approx(np.sqrt(mu), rel=1e-6)
    expected = [1.0, np.exp(-2 * np.pi * mu), *np.exp(-(np.arange(1, 4) + mu) * np.pi)]
    assert cycle.multipliers[:5].real == pytest.approx(sorted(expected)[::-1], rel=1e-4)
