"""Local: a noisy system close to one of its equilibria; Jacobian, diffusion, and how both bend.

    dX = F(X) dt + sum_k b_k(X) dW_k,    D = sum_k b_k b_k' / 2

with F the drift in Ito's form.  Networks are welcome: the amplitudes are evaluated layer by layer, so nothing is
unrolled over nodes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sympy
from numpy.typing import NDArray

from dynlab.codegen.kernels import kernels_of
from dynlab.equilibria.large import is_large, sparse_jacobian_of
from dynlab.equilibria.stability import Equilibrium, jacobian_at
from dynlab.errors import SettingError, UnsupportedSystemError
from dynlab.symbolic.dynamics import Autonomous, Continuous, Discrete, Need, Stochastic, require
from dynlab.symbolic.noise import Layer, Reading, amplitude_system, is_additive, ito_drift
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import symbol

__all__ = ["Local", "dense_jacobian", "fixed_point_at", "local_at", "resolvent_rows"]

Array = NDArray[np.float64]

#: How far, relative to the state, a point may be from being an equilibrium.
_STRAY = 1e-6
#: Numbers held at once where many frequencies are asked for.
_HELD = 2_000_000


@dataclass(frozen=True, slots=True)
class Local:
    """A noisy system at a state.

    Attributes
    ----------
    system
        The system, with its noise.
    state
        The state vector.
    """

    system: System
    state: Array

    @property
    def drift(self) -> System:
        """The deterministic system: the drift as it is written."""
        return self.system.without_noise()

    @property
    def values(self) -> Array:
        """The parameters, as kernels take them."""
        return np.array(self.system.parameter_values or (0.0,))

    @property
    def jacobian(self) -> Array:
        """The derivatives of the drift as it is written."""
        return dense_jacobian(self.drift, self.state)

    @property
    def diffusion(self) -> Array:
        """The matrix D here."""
        return self._summed(lambda b: b, lambda b: b)

    def columns(self) -> Array:
        """Return the amplitude of each Wiener process, one a column."""
        found = [np.empty((self.state.size, 0))]
        for layer in self._layers:
            b = self._amplitudes(layer)
            found.append(b[:, None] if layer.source else np.diag(b)[:, b != 0])
        return np.hstack(found)

    def column_jacobians(self) -> list[Array]:
        """Return the derivatives of the amplitudes of each Wiener process, one matrix for each."""
        found, n = [], self.state.size
        for layer in self._layers:
            rows = dense_jacobian(amplitude_system(self.system, layer), self.state)
            if layer.source:
                found.append(rows)
                continue
            for k in range(n):
                own = np.zeros((n, n))
                own[k] = rows[k]
                if np.any(own):
                    found.append(own)
        return found

    @property
    def induced_drift(self) -> Array:
        """What the reading of the noise adds to the drift in Ito's form."""
        noise = self.system.noise
        if noise is None or noise.reading is Reading.ITO or is_additive(self.system):
            return np.zeros(self.state.size)
        return kernels_of(ito_drift(self.system)).rhs(0.0, self.state, self.values) - kernels_of(
            self.drift
        ).rhs(0.0, self.state, self.values)

    def induced_rate(self, direction: Array) -> Array:
        """Return how that changes along a direction."""
        noise = self.system.noise
        if noise is None or noise.reading is Reading.ITO or is_additive(self.system):
            return np.zeros(self.state.size)
        along = (
            kernels_of(ito_drift(self.system)).derivative(1),
            kernels_of(self.drift).derivative(1),
        )
        first, second = (k(0.0, self.state, self.values, direction) for k in along)
        return np.asarray(first - second)

    def diffusion_rate(self, direction: Array) -> Array:
        """Return how D changes along a direction."""
        if is_additive(self.system):
            return np.zeros((self.state.size, self.state.size))
        found = self._summed(lambda b: b, lambda b: self._bent(b, direction))
        return found + found.T

    def diffusion_bend(self, first: Array, second: Array) -> Array:
        """Return the second derivative of D along two directions."""
        if is_additive(self.system):
            return np.zeros((self.state.size, self.state.size))
        curved = self._summed(lambda b: b, lambda b: self._bent(b, first, second))
        crossed = self._summed(lambda b: self._bent(b, first), lambda b: self._bent(b, second))
        return curved + curved.T + crossed + crossed.T

    @property
    def _layers(self) -> tuple[Layer, ...]:
        return self.system.noise.layers if self.system.noise else ()

    def _summed(self, left, right) -> Array:  # type: ignore[no-untyped-def]
        """Return ``sum_k left(b_k) right(b_k)' / 2`` over the Wiener processes."""
        n = self.state.size
        total = np.zeros((n, n))
        for layer in self._layers:
            a, b = left(layer), right(layer)
            a = self._amplitudes(a) if isinstance(a, Layer) else a
            b = self._amplitudes(b) if isinstance(b, Layer) else b
            total += 0.5 * (np.outer(a, b) if layer.source else np.diag(a * b))
        return total

    def _bent(self, layer: Layer, *directions: Array) -> Array:
        kernel = kernels_of(amplitude_system(self.system, layer)).derivative(len(directions))
        return kernel(0.0, self.state, self.values, *directions)

    def _amplitudes(self, layer: Layer) -> Array:
        """Return the amplitudes of a layer; what is one constant for all its nodes is never compiled."""
        system = self.system
        known = dict(
            zip(map(symbol, system.names_in_rule.values()), system.parameter_values, strict=True)
        )
        constant = [sympy.sympify(e).subs(known) for e in layer.amplitudes]
        if all(e.is_number for e in constant):
            out = np.zeros(self.state.size)
            for name, e in zip(system.declared, constant, strict=True):
                out[system.blocks[name]] = float(e)
            return out
        return kernels_of(amplitude_system(system, layer)).rhs(0.0, self.state, self.values)


def dense_jacobian(system: System, state: Array) -> Array:
    """Return the Jacobian at a state as a full matrix."""
    if not is_large(system):
        return jacobian_at(system, state)
    matrix = sparse_jacobian_of(system)(0.0, state, np.array(system.parameter_values or (0.0,)))
    return np.asarray(matrix.toarray())


def local_at(system: System, at: Equilibrium) -> Local:
    """Return a noisy system at an equilibrium of its drift.

    Raises
    ------
    SettingError
        If the point is none, or one of another system or of other parameters.
    UnsupportedSystemError
        If the system is a map, has no noise, signals, or depends on the time.
    """
    return _at_rest(system, at, Continuous)


def fixed_point_at(system: System, at: Equilibrium) -> Local:
    """Return a map with noise at a fixed point of it without; raises as `local_at`, of a flow instead of a map."""
    return _at_rest(system, at, Discrete)


def _at_rest(system: System, at: Equilibrium, kind: Need) -> Local:
    require(system, kind, Stochastic, Autonomous)
    if system.signals:
        raise UnsupportedSystemError(
            f"{system.name!r} cannot be used here: it has signals, and so no equilibria. Stop them with "
            ".frozen(at=...) before the noise is added."
        )
    if system.events:
        raise UnsupportedSystemError(
            f"{system.name!r} cannot be used here: it has events, which noise will trigger anywhere. Run many copies of it "
            "with dl.ensemble instead."
        )
    if not isinstance(at, Equilibrium):
        raise SettingError(
            f"at is {at!r:.60}; give an equilibrium: dl.find_equilibria({system.name}.without_noise()) finds them."
        )
    if at.system.state_names != system.state_names:
        raise SettingError(
            f"the point is an equilibrium of {at.system.name!r} with the states {', '.join(at.system.state_names[:6])}, "
            f"and {system.name!r} has {', '.join(system.state_names[:6])}. Find it for "
            f"{system.name}.without_noise()."
        )
    _check_at_rest(system, at)
    return Local(system, np.asarray(at.state, dtype=float))


def _check_at_rest(system: System, at: Equilibrium) -> None:
    drift = system.without_noise()
    state = np.asarray(at.state, dtype=float)
    values = np.array(system.parameter_values or (0.0,))
    speed = kernels_of(drift).rhs(0.0, state, values)
    if system.is_discrete:
        speed = speed - state
    jacobian = dense_jacobian(drift, state)
    # What a change of the state by a small part of its size would make of the drift.
    size = np.maximum(np.abs(state), 1.0)
    if np.any(np.abs(speed) > _STRAY * (np.abs(jacobian) @ size) + 1e-12):
        shared = [n for n in at.system.parameter_names if n in system.parameter_names]
        other = [
            f"{n} = {at.system[n]:g} there, {system[n]:g} here"
            for n in shared
            if at.system[n] != system[n]
        ]
        why = f" ({'; '.join(other[:4])})" if other else ""
        raise SettingError(
            f"the point of {at.system.name!r} is no equilibrium of {system.name!r}{why}: the drift there is up to "
            f"{np.abs(speed).max():.3g}. Find it for {system.name}.without_noise()."
        )


def resolvent_rows(
    jacobian: Array, place: int, at: NDArray[np.complex128]
) -> NDArray[np.complex128]:
    """Return a row of ``(z - J)^-1`` at each complex number z, few enough matrices at a time to hold them."""
    n = len(jacobian)
    unit = np.zeros((n, 1))
    unit[place] = 1.0
    rows = np.empty((at.size, n), dtype=complex)
    step = max(1, _HELD // n**2)
    for k in range(0, at.size, step):
        matrices = at[k : k + step, None, None] * np.eye(n) - jacobian.T
        rows[k : k + step] = np.linalg.solve(matrices, unit)[..., 0]
    return rows
