"""Large sparse networks: Newton's method and the eigenvalues that decide, by sparse LU."""

import networkx as nx
import numpy as np
import pytest

import dynlab as dl
from dynlab.equilibria.large import is_large, leading_eigenvalues, newton_sparse, sparse_jacobian_of


@dl.flow
def patches(x: dl.PerNode, *, A: dl.PerLink = 1.0, D=0.05, drive=0.0):
    """Bistable patches coupled by diffusion."""
    i, j = dl.nodes("i j")
    return {x[i]: x[i] - x[i] ** 3 + drive + D * dl.Sum(A[i, j] * (x[j] - x[i]), j)}


@pytest.fixture(scope="module")
def lattice():
    return patches.on(nx.convert_node_labels_to_integers(nx.grid_2d_graph(25, 20)))


def test_what_counts_as_large(lattice):
    assert is_large(lattice)
    assert not is_large(patches.on(nx.path_graph(20)))
    assert not is_large(patches.on(dl.AllToAll(450)))
    assert not is_large(dl.zoo.lorenz)


def test_newton_finds_the_uniform_state(lattice):
    """x = -1 everywhere; its eigenvalues are -2 minus D times those of the graph."""
    start = -1 + 0.1 * np.random.default_rng(0).normal(size=500)
    x, step = newton_sparse(lattice, start)
    np.testing.assert_allclose(x, -1.0, rtol=1e-12)
    assert step < 1e-11


def test_leading_eigenvalues_are_the_rightmost(lattice):
    """Against all eigenvalues of the dense matrix, here symmetric, and one that is not."""
    matrix = sparse_jacobian_of(lattice)(0.0, np.full(500, -1.0), np.array([0.05, 0.0]))
    found = leading_eigenvalues(matrix)
    every = np.sort(np.linalg.eigvalsh(matrix.toarray()))[::-1]
    np.testing.assert_allclose(found[:3].real, every[:3], rtol=1e-9)
    # A ring driven one way: eigenvalues on a circle, the rightmost pair far from the real axis.
    n = 400
    one_way = dl.zoo.consensus.on(nx.DiGraph([(k, (k + 1) % n) for k in range(n)]))
    ring = sparse_jacobian_of(one_way)(0.0, np.zeros(n), np.zeros(1))
    exact = np.exp(2j * np.pi * np.arange(n) / n) - 1
    found = leading_eigenvalues(ring)
    assert abs(found - exact[:, None]).min(axis=0).max() < 1e-9
    assert found[0] == pytest.approx(0, abs=1e-9)


def test_repeated_eigenvalues_are_found_at_least_once():
    """On a ring all eigenvalues but the outermost come twice."""
    ring = patches.on(nx.cycle_graph(500))(D=1.0)
    matrix = sparse_jacobian_of(ring)(0.0, np.full(500, -1.0), np.array([1.0, 0.0]))
    found = leading_eigenvalues(matrix)
    assert (found.imag == 0).all()
    every = np.unique(np.linalg.eigvalsh(matrix.toarray()).round(9))[::-1]
    np.testing.assert_allclose(np.unique(found.real.round(9))[::-1][:3], every[:3], atol=1e-8)
