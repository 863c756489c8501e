"""Drift and diffusion at points: what a Fokker-Planck equation is made of.

    dp/dt = -sum_k d_k (f_k p) + sum_kl d_k d_l (D_kl p),    D = sigma sigma' / 2

with f the drift in Ito's form, whatever reading the model names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
import sympy
from numpy.typing import NDArray

from dynlab.codegen.inputs import Inputs, inputs_of
from dynlab.codegen.kernels import Kernel, kernels_of
from dynlab.errors import UnsupportedSystemError
from dynlab.kernels import batch
from dynlab.symbolic.dynamics import Autonomous, Continuous, Stochastic, require
from dynlab.symbolic.noise import columns_of, ito_drift, klimontovich_drift
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import TIME, symbol

__all__ = ["Coefficients", "Family", "coefficients_of", "family_of", "functions_of"]

Array = NDArray[np.float64]


class Family(Protocol):
    """Drift and diffusion for values of some parameters and a time."""

    def __call__(self, values: Sequence[float] | Array, time: float = 0.0) -> Coefficients: ...


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Drift and diffusion as functions of points, one point a row.

    Attributes
    ----------
    drift
        The drift in Ito's form, one row for each point.
    diffusion
        The diffusion matrices, (points, states, states).
    flux_drift
        The drift less the divergence of the diffusion matrix: the flux without a slope of the density.
    is_diagonal
        Whether each state has its noise to itself.
    """

    drift: Callable[[Array], Array]
    diffusion: Callable[[Array], Array]
    flux_drift: Callable[[Array], Array]
    is_diagonal: bool


@lru_cache(maxsize=64)
def coefficients_of(system: System) -> Coefficients:
    """Return drift and diffusion of a system with noise.

    Raises
    ------
    UnsupportedSystemError
        If it is a map, a network, has no noise, depends on the time, or has events or signals.
    """
    require(system, Continuous, Stochastic, Autonomous)
    return family_of(system, ())(())


def family_of(system: System, names: Sequence[str]) -> Family:
    """Return drift and diffusion as a function of the values of some parameters, and of the time.

    Raises
    ------
    UnsupportedSystemError
        If it is a map, a network, has no noise, or has events or signals.
    """
    require(system, Continuous, Stochastic)
    for part, present in (("is a network", system.is_indexed), ("has events", system.events),
                          ("has signals", system.signals)):  # fmt: skip
        if present:
            raise UnsupportedSystemError(
                f"{system.name!r} cannot be used here: it {part}, and densities are for a few states without "
                "events and signals. Run many copies of it with dl.ensemble instead."
            )
    drift, flux = ito_drift(system), klimontovich_drift(system)
    inputs = inputs_of(drift)
    places = [system.parameter_names.index(n) for n in names]
    entries = _diffusion_entries(system)
    n = len(system.state_names)
    is_diagonal = all(i == j for i, j in entries)
    held = set(map(symbol, system.state_names)) | set(map(symbol, names)) | {TIME}
    fixed = dict(zip(map(symbol, system.parameter_names), system.parameter_values, strict=True))
    varying = {place: e for place, e in entries.items() if e.free_symbols & held}
    constant = np.zeros((n, n))
    for place in entries.keys() - varying.keys():
        constant[place] = float(entries[place].subs(fixed))
    kernels = kernels_of(drift)
    noise = kernels.expressions(list(varying.values())) if varying else None

    def at(values: Sequence[float] | Array, time: float = 0.0) -> Coefficients:
        parameters = inputs.parameters.copy()
        parameters[places] = values
        own = inputs._replace(parameters=parameters)
        return Coefficients(
            _evaluator(kernels.rhs, own, time),
            _diffusion(constant, _evaluator(noise, own, time) if noise else None, tuple(varying)),
            # Compiled only where it is asked for.
            lambda points: _evaluator(kernels_of(flux).rhs, own, time)(points),
            is_diagonal,
        )

    return at


def functions_of(
    system: System, expressions: Sequence[sympy.Expr], values: Sequence[float] | Array = ()
) -> Callable[[Array], Array]:
    """Return a function that evaluates expressions in the states of a system at points, one column each."""
    bare = system.without_noise()
    inputs = inputs_of(bare)
    if len(values):
        inputs = inputs._replace(parameters=np.asarray(values, float))
    return _evaluator(kernels_of(bare).expressions(list(expressions)), inputs, 0.0)


def _evaluator(kernel: Kernel, inputs: Inputs, time: float) -> Callable[[Array], Array]:
    """Return a function that evaluates a kernel at points, at a time."""

    def at(points: Array) -> Array:
        out = np.empty((len(points), kernel.size))
        batch.evaluate(kernel.address, time, np.ascontiguousarray(points), tuple(inputs), out)
        return out

    return at


def _diffusion_entries(system: System) -> dict[tuple[int, int], sympy.Expr]:
    """Return the entries of the diffusion matrix that are not zero."""
    n, columns = len(system.state_names), columns_of(system)
    entries = {
        (i, j): sympy.Add(*(b[i] * b[j] / 2 for b in columns)) for i in range(n) for j in range(n)
    }
    return {place: entry for place, entry in entries.items() if entry != 0}


def _diffusion(
    constant: Array, varying: Callable[[Array], Array] | None, places: tuple[tuple[int, int], ...]
) -> Callable[[Array], Array]:
    """Return a function that gives the diffusion matrices at points; what is constant is never compiled."""

    def diffusion(points: Array) -> Array:
        if varying is None:
            return np.broadcast_to(constant, (len(points), *constant.shape))
        matrices = np.tile(constant, (len(points), 1, 1))
        for place, value in zip(places, varying(points).T, strict=True):
            matrices[:, place[0], place[1]] = value
        return matrices

    return diffusion
