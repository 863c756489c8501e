"""Taylor series in lanes: every member is what it is by itself."""

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo
from dynlab.kernels.convention import RUNNING
from dynlab.solve.lanes import Answers, run_in_lanes

EPS = 2.0**-52
FULL = dl.Taylor()
#: More than two groups of lanes, and not a whole number of them.
COUNT = 37


def alone(system, start, duration, at):
    return dl.integrate(system, start=start, duration=duration, at=at, method=FULL)


@pytest.mark.parametrize("duration", [2.0, -0.5])
def test_members_with_their_own_starts_and_parameters(duration):
    """Rounding differs between lanes and floats, and Lorenz magnifies it: 10 times in 2 units, back e^14 per unit."""
    at = np.linspace(0, duration, 9)
    x, rho = np.linspace(-9, 9, COUNT), np.linspace(20, 30, COUNT)
    run = dl.ensemble(
        zoo.lorenz, starts={"x": x}, parameters={"rho": rho}, duration=duration, at=at, method=FULL
    )
    assert run.ends == pytest.approx(duration)
    for member in (0, 17, COUNT - 1):
        one = alone(zoo.lorenz(rho=rho[member]), {"x": x[member]}, duration, at)
        for name in "xyz":
            assert run[name][member] == pytest.approx(one[name], rel=1e-10, abs=1e-10)


SMOOTH = dl.flow(
    lambda x=0.2, y=0.1, *, c=2.5: {
        x: dl.sin(y) - dl.tanh(x) + dl.exp(-(x**2)) * dl.cos(dl.t) / (1 + y**2),
        y: dl.sqrt(2 + x) ** 3
        - y**2
        + (2 + dl.sin(y)) ** c
        - dl.log(3 + x)
        - dl.atan(y)
        + dl.sigmoid(x),
    }
)


def test_functions_and_the_time():
    """Against the same by themselves; the flow contracts, so that some roundings are all there is between."""
    starts = np.linspace(-0.5, 0.5, COUNT)
    run = dl.ensemble(SMOOTH, starts={"x": starts}, duration=5, at=[1.3, 5], method=FULL)
    for member in range(0, COUNT, 9):
        one = alone(SMOOTH, {"x": starts[member]}, 5, [1.3, 5])
        assert run["x"][member] == pytest.approx(one["x"], rel=400 * EPS, abs=400 * EPS)
        assert run["y"][member] == pytest.approx(one["y"], rel=400 * EPS)


def test_they_do_run_in_lanes():
    starts = np.tile(zoo.kepler.start_values, (COUNT, 1))
    starts[:, 0] *= np.linspace(0.9, 1.1, COUNT)
    parameters = np.tile(zoo.kepler.parameter_values, (COUNT, 1))
    answers = Answers.room(COUNT, 1, 4)
    run_in_lanes(zoo.kepler, FULL, 20.0, np.array([20.0]))(starts, parameters, answers)
    assert (answers.status != RUNNING).mean() > 0.9
    x, y, px, py = answers.values[answers.status != RUNNING, 0].T
    x0, _, px0, py0 = starts[answers.status != RUNNING].T
    energy, before = (px**2 + py**2) / 2 - 1 / np.hypot(x, y), (px0**2 + py0**2) / 2 - 1 / x0
    assert energy == pytest.approx(before, abs=64 * EPS)


def test_members_that_do_not_reach_the_end():
    """y' = y^2 from y0 ends at 1 / y0; they are given up in the lanes and end as they do alone."""
    starts = np.linspace(0.2, 2, COUNT)
    run = dl.ensemble(
        dl.flow(lambda y=1.0: {y: y**2}), starts={"y": starts}, duration=1, method=FULL
    )
    diverged = starts > 1
    assert (run.statuses[diverged] == dl.Status.DIVERGED).all()
    assert run.ends[diverged] == pytest.approx(1 / starts[diverged], rel=1e-13)
    assert run["y"][starts < 0.99] == pytest.approx(1 / (1 / starts[starts < 0.99] - 1), rel=1e-12)


def test_what_lanes_cannot_do_runs_one_by_one():
    composed = dl.flow(lambda x=0.5: {x: -x / (dl.exp(x) - 1)})
    run = dl.ensemble(composed, starts={"x": [0.5, 1.0]}, duration=1, at=[1], method=FULL)
    assert run["x"][1] == pytest.approx(alone(composed, {"x": 1.0}, 1, [1])["x"], rel=4 * EPS)
