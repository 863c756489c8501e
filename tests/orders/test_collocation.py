"""Orthogonal collocation at m Gauss points converges with order 2m at the ends of the intervals.

De Boor and Swartz 1973, SIAM J. Numer. Anal. 10, 582.  The period is a quantity of that kind.
"""

from __future__ import annotations

import numpy as np
import pytest

import dynlab as dl
from dynlab.cycles.problem import CycleProblem, Orbit


@dl.flow
def lame(x=1.0, y=0.0, *, w=1.0):
    """Circle of radius 1 that is run through unevenly: theta' = w + cos(theta) / 2.

    Its period is 2 pi / sqrt(w^2 - 1/4).
    """
    r, turn = 1 - x * x - y * y, w + x / 2
    return {x: r * x - turn * y, y: r * y + turn * x}


PERIOD = 2 * np.pi / np.sqrt(0.75)


def error_of_period(intervals, degree):
    mesh = np.linspace(0.0, 1.0, intervals + 1)
    guess = Orbit(np.empty((intervals * degree + 1, 2)), mesh, PERIOD, 1.0)
    # theta(t) in closed form: tan(theta/2) = sqrt(3) tan(pi t / T), with w = 1.
    half = np.arctan(np.sqrt(3.0) * np.tan(np.pi * (guess.places - 0.5)))
    profile = np.column_stack([np.cos(2 * half), np.sin(2 * half)])
    profile[-1] = profile[0]
    solved = CycleProblem(lame, "w", 1.0).solve(guess._replace(profile=profile))
    assert solved is not None
    return abs(solved.orbit.period / PERIOD - 1.0)


@pytest.mark.parametrize(
    ("degree", "meshes"), [(2, (32, 64, 128)), (3, (16, 32, 64)), (4, (12, 18, 27)), (5, (8, 12, 18))]
)  # fmt: skip
def test_period_converges_with_twice_the_degree(degree, meshes):
    errors = [error_of_period(n, degree) for n in meshes]
    slope = np.polyfit(np.log(meshes), np.log(errors), 1)[0]
    assert errors[-1] > 1e-13  # above round-off, where slopes mean nothing
    assert -slope == pytest.approx(2 * degree, abs=0.4)
