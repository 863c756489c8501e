"""Stiff problems against CVODE of SUNDIALS, another algorithm (BDF) by other hands.

Needs the extra ``sundials`` (scikit-sundae); skipped without it.
"""

import numpy as np
import pytest
from stiff_problems import STIFF

import dynlab as dl
from dynlab.codegen.kernels import kernels_of

cvode = pytest.importorskip("sksundae.cvode", reason="needs the extra sundials (scikit-sundae)")


@pytest.mark.parametrize("row", ["robertson-40", "hires-321.812", "E2", "oregonator-360"])
def test_trajectories_agree(row):
    """At times along the way, where no reference value is printed; both far inside the bound."""
    system, duration, _ = STIFF[row]
    kernels, x = kernels_of(system), np.array(system.start_values, float)
    rhs, jacobian = kernels.rhs, kernels.jacobian()
    p, n = np.array(system.parameter_values or (0.0,)), len(x)

    def write_slope(t, y, slope):
        slope[:] = rhs(t, y, p)

    def write_jacobian(t, y, slope, J):
        J[:, :] = jacobian(t, y, p).reshape(n, n)

    times = duration * np.array([0, 0.01, 0.1, 0.3, 0.5, 0.8, 1.0])
    theirs = cvode.CVODE(
        write_slope, rtol=1e-12, atol=1e-18, jacfn=write_jacobian, max_num_steps=100_000
    ).solve(times, x)
    assert theirs.success
    ours = dl.integrate(
        system, duration=duration, at=times, method=dl.Automatic(rtol=1e-10, atol=1e-20)
    )
    sizes = np.abs(ours.values).max(axis=0)
    # Waves magnify errors 100 times in phase; where there are none 1e-10 is seen.
    np.testing.assert_allclose(ours.values / sizes, theirs.y / sizes, rtol=0, atol=1e-8)
