"""Rows combined in vectors: the same as number by number, whatever is left beside whole vectors."""

import numpy as np
import pytest
from numba import njit

from dynlab.kernels.convention import pointer
from dynlab.kernels.rows import put, subtract


@njit(cache=False)
def subtracted(a, target, source, start, stop, share):
    subtract(a, target, source, start, stop, share)


@njit(cache=False)
def written(out, place, source, begin, count, factor):
    put(pointer(out), place, pointer(source), begin, count, factor)


@pytest.mark.parametrize("start", [0, 1, 3])
@pytest.mark.parametrize("count", range(10))
def test_subtract_and_put(start, count):
    a = np.random.default_rng(count).normal(size=(3, 14))
    wanted = a.copy()
    wanted[2, start : start + count] -= 0.7 * wanted[0, start : start + count]
    got = a.copy()
    subtracted(got, 2, 0, start, start + count, 0.7)
    # One rounding fewer where multiplication and subtraction are one instruction.
    assert np.max(np.abs(got - wanted)) < 4e-16 * np.max(np.abs(a))
    assert np.array_equal(got[:2], a[:2])

    out = np.zeros(20)
    written(out, 2 + start, a[1].copy(), start, count, -3.0)
    expected = np.zeros(20)
    expected[2 + start : 2 + start + count] = -3.0 * a[1, start : start + count]
    assert np.array_equal(out, expected)
