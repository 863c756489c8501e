"""Branches of large sparse networks: uniform states, whose bifurcations are those of one node."""

import networkx as nx
import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo


@dl.flow
def patches(x: dl.PerNode = -1.0, *, A: dl.PerLink = 1.0, D=0.05, drive=0.0):
    i, j = dl.nodes("i j")
    return {x[i]: x[i] - x[i] ** 3 + drive + D * dl.Sum(A[i, j] * (x[j] - x[i]), j)}


@dl.flow
def nerve_net(
    v: dl.PerNode = -1.2, w: dl.PerNode = -0.6, *, A: dl.PerLink = 1.0, D=0.2, I=0.0, a=0.7, b=0.8,
    eps=0.08,
):  # fmt: skip
    i, j = dl.nodes("i j")
    return {
        v[i]: v[i] - v[i] ** 3 / 3 - w[i] + I + D * dl.Sum(A[i, j] * (v[j] - v[i]), j),
        w[i]: eps * (v[i] + a - b * w[i]),
    }


def lattice(rows, columns):
    return nx.convert_node_labels_to_integers(nx.grid_2d_graph(rows, columns))


def test_the_fold_of_5000_patches():
    """Uniform patches fold where one does: drive = 2 / sqrt(27), x = -1 / sqrt(3)."""
    system = patches.on(lattice(50, 100))(drive=0.375, D=200.0).with_start(x=-0.66)
    rest = dl.find_equilibria(system, within={"x": (-0.7, -0.6)})[0]
    branch = dl.continue_equilibrium(
        rest, vary="drive", over=(0.375, 0.45), within={"x": (-1.2, -0.55)}
    )
    (fold,) = branch.points(dl.Fold)
    assert fold["drive"] == pytest.approx(2 / np.sqrt(27), rel=1e-10)
    np.testing.assert_allclose(fold["x"], -1 / np.sqrt(3), rtol=1e-6)
    # q is spread over the nodes: a = f''/2 sum q_i^3 = f''/2 / sqrt(n) with f'' = 6/sqrt(3).
    assert abs(fold.coefficient) == pytest.approx(3 / np.sqrt(3) / np.sqrt(5000), rel=1e-4)
    assert branch.unstable[0] == 0
    assert branch.unstable[-1] == 1


def test_the_hopf_point_of_a_lattice():
    """Uniform cells start to fire where one does; l1 is that of one cell by their number."""
    one = zoo.fitzhugh_nagumo
    known = dl.continue_equilibrium(
        dl.find_equilibria(one(I=0.3)).single(), vary="I", over=(0.3, 0.34)
    ).points(dl.Hopf)[0]
    system = nerve_net.on(lattice(15, 14))(I=0.3)
    cell = dl.find_equilibria(one(I=0.3)).single()
    start = system.with_start(v=cell["v"], w=cell["w"])
    rest = dl.find_equilibria(start, within={"v": (-1.3, -0.9), "w": (-0.8, -0.2)})[0]
    branch = dl.continue_equilibrium(rest, vary="I", over=(0.3, 0.335))
    hopf = branch.points(dl.Hopf)[0]
    assert hopf["I"] == pytest.approx(known["I"], rel=1e-9)
    assert hopf.omega == pytest.approx(known.omega, rel=1e-8)
    assert hopf.lyapunov_coefficient == pytest.approx(known.lyapunov_coefficient / 210, rel=1e-5)
    assert hopf.crossing_speed.real == pytest.approx(known.crossing_speed.real, rel=1e-5)


def test_dense_and_sparse_agree():
    """A network just large enough for sparse LU against the same one taken densely."""
    from dynlab.continuation.curves.equilibrium import EquilibriumCurve
    from dynlab.continuation.monitors import node_at

    system = patches.on(lattice(21, 20))
    u = np.append(np.linspace(-1.1, -0.9, 420), 0.1)
    curve = EquilibriumCurve(system, "drive", np.ones(421))
    assert curve.is_large
    along = np.append(np.zeros(420), 1.0)
    found = node_at(curve, u, along)
    joint = curve.jacobian(u)
    bordered = np.vstack([joint, along])
    sign, _ = np.linalg.slogdet(bordered)
    tangent = np.linalg.solve(bordered, along)
    assert found.sign == sign
    np.testing.assert_allclose(found.tangent, tangent / np.linalg.norm(tangent), rtol=1e-9)
    every = np.sort(np.linalg.eigvals(joint[:, :-1]).real)[::-1]
    np.testing.assert_allclose(np.sort(found.eigenvalues.real)[::-1][:4], every[:4], rtol=1e-8)
