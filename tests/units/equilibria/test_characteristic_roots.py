"""Characteristic roots of linear delay systems: closed forms, counting by the argument principle, errors."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.special import lambertw

import dynlab as dl


def closed_form(a, b, tau, count):
    """Return the rightmost roots of l = a + b exp(-l tau): a + W_k(b tau exp(-a tau)) / tau."""
    k = np.arange(-60, 61)
    roots = a + lambertw(b * tau * np.exp(-a * tau), k) / tau
    return roots[np.argsort(-roots.real)][:count]


def largest_gap(found, expected):
    apart = np.abs(np.subtract.outer(found, expected))
    rows, columns = linear_sum_assignment(apart)
    return apart[rows, columns].max()


@pytest.mark.parametrize(
    ("a", "b", "tau"),
    [(0.0, -np.pi / 2, 1.0), (-1.0, 0.5, 4.0), (0.25 + 2j * np.pi, 1.5, 0.5), (-2 + 1j, 1 - 2j, 0.1),
     (1.0, -3.0, 2.0)],
)  # fmt: skip
def test_roots_of_one_equation_are_those_of_lamberts_function(a, b, tau):
    found = dl.characteristic_roots(a, delayed={tau: b}, count=9)
    assert found.status.ok
    # Ties of conjugates may part at the last place, so it may be either of a pair.
    expected = closed_form(a, b, tau, 11)
    apart = np.abs(np.subtract.outer(found.roots, expected)).min(axis=1)
    scale = np.abs(found.roots) + 1 / tau
    assert (apart <= np.maximum(10 * found.errors, 1e-14 * scale)).all()
    assert found.errors.max() < 1e-13 * scale.max()


def test_commuting_matrices_fall_apart_into_their_eigenvalues():
    turn = np.linalg.qr(np.random.default_rng(4).standard_normal((3, 3)))[0]
    now, later, tau = np.array([-1.0, 0.3, -0.2]), np.array([0.5, -1.2, 0.8]), 1.3
    found = dl.characteristic_roots(
        turn @ np.diag(now) @ turn.T, delayed={tau: turn @ np.diag(later) @ turn.T}, count=8
    )
    each = np.concatenate([closed_form(a, b, tau, 10) for a, b in zip(now, later, strict=True)])
    expected = each[np.argsort(-each.real)][:9]
    assert np.abs(np.subtract.outer(found.roots, expected)).min(axis=1).max() < 1e-12


def test_none_is_missing_by_the_argument_principle():
    """Roots to the right of a line are counted by how often det D turns around 0 along the border of a box."""
    random = np.random.default_rng(7)
    A0, A1, A2 = (random.standard_normal((2, 2)) for _ in range(3))
    found = dl.characteristic_roots(A0, delayed={0.7: A1, 1.0: A2}, count=12)
    gaps = -np.diff(found.roots.real)
    count = 4 + int(np.argmax(gaps[3:]))
    line = found.roots[count - 1].real - 0.5 * gaps[count - 1]
    assert gaps[count - 1] > 0.1
    bound = (
        sum(np.linalg.norm(A, 2) * np.exp(-line * t) for A, t in ((A0, 0), (A1, 0.7), (A2, 1.0)))
        + 1
    )
    corners = np.array(
        [line - 1j * bound, bound - 1j * bound, bound + 1j * bound, line + 1j * bound]
    )
    path = np.concatenate([
        np.linspace(p, q, 20001)[:-1] for p, q in zip(corners, np.roll(corners, -1), strict=True)
    ])  # fmt: skip
    D = (
        path[:, None, None] * np.eye(2) - A0
        - A1 * np.exp(-0.7 * path)[:, None, None] - A2 * np.exp(-path)[:, None, None]
    )  # fmt: skip
    turned = np.unwrap(np.angle(np.append(np.linalg.det(D), np.linalg.det(D[:1]))))
    assert round((turned[-1] - turned[0]) / (2 * np.pi)) == count


def test_a_double_root_has_the_error_of_one():
    """At b = -exp(a - 1) the roots of x' = a x + b x(t - 1) meet at a - 1; rounding parts them by its square root."""
    found = dl.characteristic_roots(0.5, delayed={1.0: -np.exp(-0.5)}, count=2)
    assert found.status.ok
    assert np.abs(found.roots + 0.5).max() <= found.errors.max() < 1e-7
    assert found.errors.min() > 1e-10


def test_equal_units_have_their_roots_each():
    found = dl.characteristic_roots(-np.eye(3), delayed={1.0: -2 * np.eye(3)}, count=6)
    one = closed_form(-1.0, -2.0, 1.0, 2)
    np.testing.assert_allclose(found.roots[:3].imag, abs(one[0].imag), rtol=1e-12)
    np.testing.assert_allclose(found.roots.real, one[0].real, rtol=1e-12)


def test_a_chain_without_a_loop_has_the_roots_of_its_parts():
    """What is delayed leads from the first to the second and not back, so the delay moves no root."""
    found = dl.characteristic_roots(
        np.diag([-1.0, -2.0]), delayed={1.0: [[0, 0], [3.0, 0]]}, count=4
    )
    assert found.status.ok
    np.testing.assert_allclose(found.roots, [-1, -2], atol=1e-12)


def test_what_it_says_and_draws():
    found = dl.characteristic_roots(-1.0, delayed={1.0: 0.5})
    assert found.is_stable
    assert "stable" in repr(found)
    assert set(found.to_table()) == {"real part", "imaginary part", "error"}
    assert found.plot().get_xlabel()


@pytest.mark.parametrize(
    ("A0", "delayed", "message"),
    [
        (0.0, {}, "one or more"),
        (0.0, {0.0: 1.0}, "above zero"),
        (np.eye(2), {1.0: 1.0}, "one size"),
        (np.ones((2, 3)), {1.0: 1.0}, "square"),
        (np.nan, {1.0: 1.0}, "finite"),
    ],
)
def test_bad_problems_are_named(A0, delayed, message):
    with pytest.raises(dl.SettingError, match=message):
        dl.characteristic_roots(A0, delayed=delayed)


def test_no_root_is_not_a_count():
    with pytest.raises(dl.SettingError, match="one root or more"):
        dl.characteristic_roots(0.0, delayed={1.0: 1.0}, count=0)


def test_where_nothing_is_found_that_is_said(monkeypatch):
    """Decay by exp(-1000) within the delay is beyond all numbers of points; a hundred are enough to see it."""
    monkeypatch.setattr("dynlab.equilibria.characteristic_roots.LARGEST", 100)
    with pytest.raises(dl.NotConverged, match="no characteristic root was found with 100 points"):
        dl.characteristic_roots(-1000.0, delayed={1.0: 0.0})
