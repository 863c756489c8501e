"""Drift and diffusion at points: what a Fokker-Planck equation is made of.

    dp/dt = -sum_k d_k (f_k p) + sum_kl d_k d_l (D_kl p),    D = sigma sigma' / 2

with f the drift in Ito's form, whatever reading the model names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray

from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import Kernel, kernels_of
from dynlab.errors import UnsupportedSystemError
from dynlab.kernels import batch
from dynlab.symbolic.dynamics import Autonomous, Continuous, Stochastic, require
from dynlab.symbolic.noise import columns_of, ito_drift
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import symbol

__all__ = ["Coefficients", "coefficients_of"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Drift and diffusion as functions of points, one point a row.

    Attributes
    ----------
    drift
        The drift in Ito's form, one row for each point.
    diffusion
        The diffusion matrices, (points, states, states).
    """

    drift: Callable[[Array], Array]
    diffusion: Callable[[Array], Array]


@lru_cache(maxsize=64)
def coefficients_of(system: System) -> Coefficients:
    """Return drift and diffusion of a system with noise.

    Raises
    ------
    UnsupportedSystemError
        If it is a map, a network, has no noise, depends on the time, or has events or signals.
    """
    require(system, Continuous, Stochastic, Autonomous)
    for part, present in (("is a network", system.is_indexed), ("has events", system.events),
                          ("has signals", system.signals)):  # fmt: skip
        if present:
            raise UnsupportedSystemError(
                f"{system.name!r} cannot be used here: it {part}, and densities are for a few states without "
                "events and signals. Run many copies of it with dl.ensemble instead."
            )
    drift = ito_drift(system)
    kernels = kernels_of(drift)
    return Coefficients(_evaluator(drift, kernels.rhs), _diffusion(system, drift))


def _evaluator(system: System, kernel: Kernel) -> Callable[[Array], Array]:
    """Return a function that evaluates a kernel at points."""
    inputs = tuple(inputs_of(system))

    def at(points: Array) -> Array:
        out = np.empty((len(points), kernel.size))
        batch.evaluate(kernel.address, 0.0, np.ascontiguousarray(points), inputs, out)
        return out

    return at


def _diffusion(system: System, drift: System) -> Callable[[Array], Array]:
    """Return a function that gives the diffusion matrices at points; what is constant is never compiled."""
    n = len(system.state_names)
    columns = columns_of(system)
    values = dict(zip(map(symbol, system.parameter_names), system.parameter_values, strict=True))
    states = set(map(symbol, system.state_names))
    constant, varying, places = np.zeros((n, n)), [], []
    for i in range(n):
        for j in range(n):
            entry: Any = sympy.Add(*(b[i] * b[j] / 2 for b in columns))
            if entry.free_symbols & states:
                varying.append(entry)
                places.append((i, j))
            else:
                constant[i, j] = float(entry.subs(values))
    kernel = kernels_of(drift).expressions(varying) if varying else None
    at = _evaluator(drift, kernel) if kernel else None

    def diffusion(points: Array) -> Array:
        if at is None:
            return np.broadcast_to(constant, (len(points), n, n))
        matrices = np.tile(constant, (len(points), 1, 1))
        for place, value in zip(places, at(points).T, strict=True):
            matrices[:, place[0], place[1]] = value
        return matrices

    return diffusion
