"""Taylor series of fixed order: the observed order, and what rounding does over long times."""

from dataclasses import replace

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo
from dynlab.codegen.series import series_of

EPS = 2.0**-52


@pytest.mark.parametrize("order", [2, 3, 6, 11, 17])
def test_observed_order(order):
    """Over equal steps the error falls as the step to the power of the order: y = 1 / (1 + t) to t = 1."""
    made = dl.flow(lambda y=1.0: {y: -(y**2)})
    kernel = replace(series_of(made, order).kernel, size=order + 1, sizes=np.array([order]))
    sizes, errors = [], []
    for count in (2, 3, 4, 5, 6, 7, 8, 9, 10, 14, 20, 28, 40, 56, 80, 112, 160):
        y, h = 1.0, 1 / count
        for _ in range(count):
            y = np.polyval(kernel(0.0, [y], [0.0])[::-1], h)
        if 1e-12 < abs(y - 0.5) < 1e-4:
            sizes.append(h)
            errors.append(abs(y - 0.5))
    assert len(sizes) > 2
    # The radius of convergence is 1, so a step of h leaves out about h^(order + 1); where h order is not small
    # the first steps make the error, and the slope is nearer to order + 1.
    assert order - 0.2 < np.polyfit(np.log(sizes), np.log(errors), 1)[0] < order + 1.5


def test_the_error_follows_the_tolerance():
    """At the default order, on an orbit of eccentricity 0.6 over three turns."""
    x, v = 0.4, 2.0
    start = {"x": x, "y": 0.0, "px": 0.0, "py": v}
    errors = []
    tolerances = np.logspace(-6, -14, 9)
    for tolerance in tolerances:
        run = dl.integrate(
            zoo.kepler(mu=1), start=start, duration=6 * np.pi, at=[6 * np.pi],
            method=dl.Taylor(rtol=tolerance, atol=tolerance),
        )  # fmt: skip
        errors.append(np.abs(run.end[1:] - [x, 0, 0, v]).max())
    assert 0.85 < np.polyfit(np.log(tolerances), np.log(errors), 1)[0] < 1.15
    assert (np.array(errors) < 1e3 * tolerances).all()


def test_energy_walks_at_random():
    """Brouwer's law: over N steps rounding moves the energy by some sqrt(N) units, not by N.

    1937, Astron. J. 46, 149.  The Kepler orbit over a thousand turns and Henon-Heiles for as long: the
    walks of unit steps with 10 starts stay below 4 sqrt(N) but for one in 1e4; N / 10 units, a drift, would be more.
    """
    for system, duration in ((zoo.kepler, 2000 * np.pi), (zoo.henon_heiles, 4000.0)):
        count = len(dl.integrate(system, duration=duration / 10, method=dl.Taylor()).t) * 10
        assert 4 * np.sqrt(count) < count / 10
        errors = []
        for j in range(10):
            first = system.state_names[0]
            start = {first: system.start_values[0] + 0.003 * j}
            at = np.linspace(0, duration, 101)
            run = dl.integrate(system, start=start, duration=duration, at=at, method=dl.Taylor())
            errors.append(run.energy_error)
        assert max(errors) < 4 * EPS * np.sqrt(count)


def test_lorenz_to_rounding():
    """Chaos magnifies some 1e4 times until t = 10, and rounding is 4e-15 of a state of 25: 1e-12, with luck in signs.

    The reference: series of order 40 with 40 digits (320 steps, mpmath), beta being the double nearest to 8/3.
    """
    start, exact = (
        {"x": 1, "y": 1, "z": 1},
        [-4.902687541134639, -3.743872921802811, 24.690858102790703],
    )
    run = dl.integrate(zoo.lorenz, start=start, duration=10, at=[10], method=dl.Taylor())
    assert np.abs(run.end[1:] - exact).max() < 1e-12
