"""Eigenvalues of long products of matrices, far below round-off of the largest."""

import mpmath
import numpy as np

from dynlab.kernels import floquet


def exact(factors):
    with mpmath.workdps(400):
        whole = mpmath.eye(factors.shape[1])
        for factor in factors:
            whole = mpmath.matrix(factor.tolist()) * whole
        return sorted((complex(e) for e in mpmath.eig(whole, right=False)), key=abs)


def test_eigenvalues_from_1_to_1e_24_all_keep_their_digits():
    # (Below some 1e-30 of the largest the last step, LAPACK's, no longer sees the smallest.)
    rng = np.random.default_rng(5)
    turn = [np.linalg.qr(rng.normal(size=(4, 4)))[0] for _ in range(9)]
    scales = np.array([1.0, 0.5, 3e-2, 1e-3])
    # Each factor takes the frame of one place to that of the next.
    factors = np.array([
        turn[k + 1] @ (np.diag(scales) + np.triu(0.1 * rng.normal(size=(4, 4)) * scales[:, None], 1))
        @ turn[k].T
        for k in range(8)
    ])  # fmt: skip
    factors[-1] = turn[0] @ turn[8].T @ factors[-1]
    found = sorted(floquet.of_product(factors), key=abs)
    expected = exact(factors)
    assert abs(expected[0]) < 1e-23
    for ours, theirs in zip(found, expected, strict=True):
        assert abs(ours - theirs) < 1e-12 * abs(theirs)


def test_a_product_that_loses_a_direction_has_a_zero():
    factors = np.array([np.diag([2.0, 0.0]), [[1.0, 1.0], [0.0, 1.0]]])
    assert sorted(abs(floquet.of_product(factors))) == [0.0, 2.0]


def test_complex_pairs():
    c, s = np.cos(0.3), np.sin(0.3)
    factors = np.array([0.9 * np.array([[c, -s], [s, c]])] * 5)
    found = floquet.of_product(factors)
    assert np.abs(found - 0.9**5 * np.exp([1.5j, -1.5j])).max() < 1e-14
