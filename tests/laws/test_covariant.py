"""What holds for covariant vectors: they go into themselves, and know their exponents."""

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo
from dynlab.codegen.kernels import kernels_of


def jacobians(system, states):
    n = len(system.state_names)
    kernel, p = kernels_of(system).jacobian(), np.array(system.parameter_values or (0.0,))
    return np.array([kernel(0.0, x, p).reshape(n, n).copy() for x in states])


def apart(v, w):
    """Sine of the angle between the lines of vectors, row by row."""
    along = (v * w).sum(axis=-1, keepdims=True)
    return np.linalg.norm(v - along * w, axis=-1)


@pytest.fixture(scope="module")
def henon():
    return dl.covariant_vectors(zoo.henon, duration=4000, transient=100, seed=1)


@pytest.fixture(scope="module")
def lorenz():
    return dl.covariant_vectors(zoo.lorenz, duration=100, transient=20, seed=1)


def test_the_cat_map_has_the_eigenvectors_of_its_matrix():
    found = dl.covariant_vectors(zoo.arnold_cat, duration=200, transient=40, seed=3)
    values, columns = np.linalg.eigh(np.array([[2.0, 1.0], [1.0, 1.0]]))
    for number, column in ((1, columns[:, 1]), (2, columns[:, 0])):
        v = found.vectors[:, number - 1]
        assert apart(v, np.broadcast_to(column, v.shape)).max() < 1e-14
    assert found.exponents == pytest.approx(np.log(values[::-1]), rel=1e-13)


def test_a_linear_flow_has_the_eigenvectors_of_its_matrix():
    basis = np.array([[1.0, 0.9, 0.2], [0.0, 0.4, 0.5], [0.0, 0.1, 1.0]])
    A = basis @ np.diag([-0.2, -1.0, -2.5]) @ np.linalg.inv(basis)

    @dl.flow
    def linear(x=1.0, y=0.5, z=0.2):
        rows = [sum(a * v for a, v in zip(row, (x, y, z), strict=True)) for row in A.tolist()]
        return dict(zip((x, y, z), rows, strict=True))

    found = dl.covariant_vectors(linear, duration=5, transient=40, seed=1)
    for k in range(3):
        column = basis[:, k] / np.linalg.norm(basis[:, k])
        # The method's tolerance of 1e-9, magnified by how skew the eigenvectors are.
        assert apart(found.vectors[:, k], column[None, :]).max() < 1e-7
    assert found.exponents == pytest.approx([-0.2, -1.0, -2.5], rel=1e-7)


def test_each_vector_goes_into_itself(henon):
    image = np.einsum("tij,tkj->tki", jacobians(zoo.henon, henon.states), henon.vectors)[:-1]
    length = np.linalg.norm(image, axis=2)
    for k in range(2):
        following = henon.vectors[1:, k]
        # The one that shrinks is known to rounding over the angle, magnified once by the map.
        assert apart(image[:, k] / length[:, k, None], following).max() < 1e-9
    assert np.log(length) == pytest.approx(henon.growth, abs=1e-9)


def test_each_grows_at_its_exponent(henon):
    spectrum = dl.lyapunov_spectrum(zoo.henon, duration=4000, transient=50, seed=1)
    # The same orbit: the growth of a vector and of the orthogonal one differ at the ends alone.
    assert henon.exponents == pytest.approx(spectrum.exponents, abs=20 / 4000)
    # |det J| is the product of both growths and of the change of the angle's sine.
    area = henon.growth.sum(axis=1) + np.diff(np.log(np.sin(henon.angle(1, 2))))
    assert area == pytest.approx(np.full(4000, np.log(0.3)), abs=1e-7)


def test_the_second_is_tangent_to_the_stable_manifold(henon):
    """Any vector, pulled back from 40 steps ahead, turns into the direction that shrinks."""
    matrices = jacobians(zoo.henon, henon.states)
    for t in range(0, 3900, 300):
        v = np.array([0.3, 0.7])
        for k in range(t + 39, t - 1, -1):
            v = np.linalg.solve(matrices[k], v)
            v /= np.linalg.norm(v)
        assert apart(v, henon.vectors[t, 1]) < 1e-9


def test_henon_is_not_hyperbolic_and_lozi_is(henon):
    """Misiurewicz 1980, Ann. N.Y. Acad. Sci. 357, 348: Lozi's angles stay away from 0; Henon's do not."""
    lozi = dl.covariant_vectors(zoo.lozi, duration=4000, transient=100, seed=1)
    assert np.degrees(lozi.angle(1, 2).min()) > 10
    assert np.degrees(henon.angle(1, 2).min()) < 1


def test_the_vector_of_the_exponent_zero_is_the_flow(lorenz):
    rule, p = kernels_of(zoo.lorenz).rhs, np.array(zoo.lorenz.parameter_values)
    flow = np.array([rule(0.0, x, p).copy() for x in lorenz.states])
    flow /= np.linalg.norm(flow, axis=1)[:, None]
    assert apart(flow, lorenz.vectors[:, 1]).max() < 1e-5
    speed = np.log(np.linalg.norm([rule(0.0, x, p).copy() for x in lorenz.states], axis=1))
    assert lorenz.growth[:, 1] == pytest.approx(np.diff(speed), abs=1e-4)


def test_the_volume_of_the_vectors_shrinks_by_the_divergence(lorenz):
    volume = np.log(np.abs(np.linalg.det(lorenz.vectors)))
    rate = (lorenz.growth.sum(axis=1) + np.diff(volume)) / np.diff(lorenz.times)
    assert rate == pytest.approx(np.full(1000, -(10 + 1 + 8 / 3)), abs=1e-4)


def test_spaces_have_the_angles_of_their_nearest_vectors(lorenz):
    pair = lorenz.angle_between([1], [2])
    assert pair == pytest.approx(lorenz.angle(1, 2), abs=1e-7)
    plane = lorenz.angle_between([1, 2], [3])
    assert np.all(plane <= np.minimum(lorenz.angle(1, 3), lorenz.angle(2, 3)) + 1e-12)
    normal = np.cross(lorenz.vectors[:, 0], lorenz.vectors[:, 1])
    normal /= np.linalg.norm(normal, axis=1)[:, None]
    expected = np.arcsin(np.abs((normal * lorenz.vectors[:, 2]).sum(axis=1)))
    assert plane == pytest.approx(expected, abs=1e-7)


def test_fewer_vectors_are_the_first_of_all(henon):
    one = dl.covariant_vectors(zoo.henon, count=1, duration=4000, transient=100, seed=5)
    assert one.vectors.shape == (4001, 1, 2)
    assert np.array_equal(one.states, henon.states)
    assert apart(one.vectors[:, 0], henon.vectors[:, 0]).max() < 1e-12
    assert one.growth[:, 0] == pytest.approx(henon.growth[:, 0], abs=1e-11)


def test_it_is_saved_drawn_and_named(lorenz, tmp_path):
    again = dl.load(lorenz.save(tmp_path / "vectors"))
    assert np.array_equal(again.vectors, lorenz.vectors)
    assert list(lorenz.vector(1)) == ["x", "y", "z"]
    assert list(lorenz.to_table()) == ["time", "angle_1_2", "angle_2_3"]
    assert lorenz.plot().get_xlabel()
    assert "covariant vectors of lorenz" in repr(lorenz)
    assert abs(lorenz.exponents[1]) < 0.1


def test_what_is_refused():
    with pytest.raises(dl.SettingError, match="transient is 0"):
        dl.covariant_vectors(zoo.henon, duration=100, transient=0)
    with pytest.raises(dl.SettingError, match="number is 3"):
        dl.covariant_vectors(zoo.henon, duration=20, transient=20, seed=1).angle(1, 3)
    with pytest.raises(dl.UnsupportedSystemError, match="has events"):
        dl.covariant_vectors(zoo.bouncing_ball, duration=1, transient=1)
    with pytest.raises(dl.SingularProblem, match="invertible"):
        dl.covariant_vectors(
            zoo.delayed_logistic, start=[0.0, 0.3], duration=20, transient=5, seed=1
        )


def test_an_orbit_that_escapes_leaves_nothing():
    found = dl.covariant_vectors(zoo.henon(a=3.0), duration=50, transient=20, seed=1)
    assert not found.status.ok
    assert found.times.size == 0
    assert np.isnan(found.exponents).all()
