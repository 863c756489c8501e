"""Ten time units of Lorenz from many starts, against a Taylor series in extended precision."""

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo

#: sigma = 10, rho = 28, beta = 8/3 from (1, 1, 1): state at t = 10, by a Taylor series in 113-bit
#: arithmetic at tolerance 1e-31.
LORENZ_10 = np.array([-4.902687541134646, -3.743872921802920, 24.69085810279056])


def taylor(starts, duration=10, steps=500, order=24):
    """Solve Lorenz' equations in long doubles; terms fall by 2.5 or more from order to order.

    With 700 steps the result differs by 5e-12 at t = 10 (rounding, enlarged by the flow).
    """
    state, h, beta = (
        starts.astype(np.longdouble),
        np.longdouble(duration) / steps,
        np.longdouble(8) / 3,
    )
    for _ in range(steps):
        x, y, z = ([value] for value in state)
        for k in range(order):
            xz = sum(x[i] * z[k - i] for i in range(k + 1))
            xy = sum(x[i] * y[k - i] for i in range(k + 1))
            x.append(10 * (y[k] - x[k]) / (k + 1))
            y.append((28 * x[k] - xz - y[k]) / (k + 1))
            z.append((xy - beta * z[k]) / (k + 1))
        state = np.stack([sum(c * h**i for i, c in enumerate(series)) for series in (x, y, z)])
    return state.astype(float)


@pytest.fixture(scope="module")
def case():
    rng = np.random.default_rng(0)
    starts = rng.normal(0, 5, (3, 40)) + np.array([[0.0], [0.0], [25.0]])
    starts[:, 0] = 1.0
    return starts, taylor(starts)


def test_the_reference_meets_the_published_one(case):
    assert case[1][:, 0] == pytest.approx(LORENZ_10, abs=1e-11)


def errors(starts, exact, rtol):
    """Return the largest error of each member."""
    run = dl.ensemble(
        zoo.lorenz, starts=dict(zip("xyz", starts, strict=True)), duration=10,
        method=dl.Explicit8(rtol=rtol, atol=rtol),
    )  # fmt: skip
    return np.max(np.abs(np.stack([run[name] for name in "xyz"]) - exact), axis=0)


@pytest.mark.parametrize("rtol", [1e-9, 1e-11, 3e-13])
def test_achieved_error(case, rtol):
    """Local errors of some rtol times 40, the size of the states, enlarged by exp(0.9 * 10) = 8000.

    The median; a member that passes close to the saddle at the origin can lose 100 times more.
    """
    assert np.median(errors(*case, rtol)) < 40 * 8000 * rtol


def test_published_end_point(case):
    """To the 1e-8 that can be asked for in doubles."""
    assert errors(*case, 3e-13)[0] < 1e-8
