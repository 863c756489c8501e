"""The parameter of a connecting orbit is of order 2 m in the mesh (de Boor and Swartz 1973)."""

import numpy as np
import pytest

import dynlab as dl
from dynlab.continuation.curves.connection import Connection, ConnectionProblem
from dynlab.cycles.problem import Orbit

#: Cut off where the front is within exp(-25 / sqrt 2) = 2e-8 of its ends: 4e-16 in the speed.
DURATION = 50.0
EXACT = 0.4 / np.sqrt(2)


@dl.flow
def front(u=0.5, w=0.0, *, c=0.0, a=0.3):
    """Fronts of Nagumo's equation, 1 / (1 + exp(z / sqrt 2)) at the speed c = (1 - 2 a) / sqrt 2."""
    return {u: w, w: -c * w - u * (1 - u) * (u - a)}


def error(degree, intervals):
    """Return the error of the speed on an even mesh."""
    mesh = np.linspace(0, 1, intervals + 1)
    blank = Orbit(np.empty((degree * intervals + 1, 2)), mesh, DURATION, np.nan)
    u = 1 / (1 + np.exp((blank.places - 0.5) * DURATION / np.sqrt(2)))
    orbit = blank._replace(profile=np.stack([u, -u * (1 - u) / np.sqrt(2)], axis=1))
    problem = ConnectionProblem(front, ("c",), np.ones(1), 1, 1, None, at_fold=False)
    guess = Connection(orbit, np.array([EXACT]), np.array([1.0, 0.0]), np.zeros(2))
    solved = problem.solve(guess, problem.units(orbit), tolerance=1e-13)
    return abs(solved.connection.values[0] - EXACT)


@pytest.mark.parametrize(("degree", "coarse", "fine"), [(2, 48, 96), (3, 48, 80), (4, 32, 48)])
def test_the_parameter_converges_with_twice_the_degree(degree, coarse, fine):
    slope = np.log(error(degree, coarse) / error(degree, fine)) / np.log(fine / coarse)
    assert slope == pytest.approx(2 * degree, abs=0.8)
