"""The equations linearised about a cycle, solved on its own mesh: adjoint and eigenfunctions, as boundary values.

    v' = (A(t) - shift) v + g + sum_k factor_k column_k,      v(T) = turn v(0),    A = f_x(u(t))
    <row_j, v> = value_j                                      <a, b>: the mean of conj(a) . b over a period

v is a polynomial of the cycle's degree on each interval, and the equation holds at its Gauss points (times
in the system's unit).  The unknowns inside the intervals are condensed out, and what is left at the mesh
points is solved by sparse elimination.  So an unstable direction costs no accuracy, as it would in an
integration backwards (Govaerts and Sautois 2006, Neural Comput. 18, 817).

Collocation at Gauss points is a symplectic Runge-Kutta method: it keeps w . v at the mesh points where
w' = -A' w is discretised likewise.  So the adjoint of the discrete problem is the discrete adjoint problem, and
solvability conditions hold to round-off (Hairer, Lubich and Wanner 2006, Geometric Numerical Integration,
VI.4.1).
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.linalg import splu

from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import kernels_of
from dynlab.cycles.basis import basis_of
from dynlab.cycles.problem import Orbit, range_of
from dynlab.errors import SingularProblem
from dynlab.status import Status
from dynlab.symbolic.system import System

__all__ = ["Linearised", "Row", "Solution", "Variation", "gauss_values"]

Vector = NDArray[np.float64]
#: Vectors at the Gauss points: interval, point, state.  Real, or complex.
Field = NDArray[Any]

#: Passes that turn any border into one made of the null vectors themselves.
_PASSES = 2


class Row(NamedTuple):
    """A condition <field, v> = value."""

    field: Field
    value: float = 0.0


class Variation(NamedTuple):
    """A function along the cycle: at the Gauss points, and at the rows of the profile."""

    gauss: Field
    profile: NDArray[Any]

    def times(self, factor: complex) -> Variation:
        """Return the function multiplied by a number."""
        return Variation(self.gauss * factor, self.profile * factor)


class Solution(NamedTuple):
    """The function, and the factors of the columns."""

    variation: Variation
    factors: NDArray[Any]


@dataclass(frozen=True, slots=True)
class Linearised:
    """A system linearised about a cycle.

    Parameters
    ----------
    system, orbit
        The system at its parameter values, and the cycle.
    matrices, rates, by_parameter
        Jacobian, right-hand side and its derivative by the varied parameter at the Gauss points.
    units
        Typical size of the unknowns.
    """

    system: System
    orbit: Orbit
    matrices: Field
    rates: Field
    by_parameter: Field
    units: Vector

    @classmethod
    def about(cls, system: System, orbit: Orbit, vary: str = "") -> Linearised:
        """Return the equations linearised about a cycle, and their derivative by a parameter."""
        from dynlab.kernels.batch import evaluate

        n, m, count = orbit.profile.shape[1], orbit.degree, len(orbit.mesh) - 1
        active = (vary,) if vary else ()
        states = gauss_values(orbit, orbit.profile).reshape(-1, n)
        inputs, kernels = tuple(inputs_of(system)), kernels_of(system)
        rates, flat = np.empty_like(states), np.empty((len(states), n * (n + len(active))))
        evaluate(kernels.rhs.address, 0.0, states, inputs, rates)
        evaluate(kernels.jacobian(active).address, 0.0, states, inputs, flat)
        joint = flat.reshape(count, m, n, n + len(active))
        by_parameter = joint[..., n] if active else np.zeros((count, m, n))
        return cls(
            system, orbit, np.ascontiguousarray(joint[..., :n]), rates.reshape(count, m, n),
            by_parameter, range_of(system, orbit.profile),
        )  # fmt: skip

    @property
    def adjoint(self) -> Linearised:
        """The adjoint equations, w' = -A' w."""
        return replace(self, matrices=-np.swapaxes(self.matrices, -1, -2), units=1.0 / self.units)

    @property
    def weights(self) -> Vector:
        """Parts of the period that belong to the Gauss points: interval x point."""
        return np.asarray(np.diff(self.orbit.mesh)[:, None] * basis_of(self.orbit.degree)[2])

    def mean(self, a: Field, b: Field) -> Any:
        """Return <a, b>, the mean of conj(a) . b over the period."""
        return np.einsum("ic,icj,icj->", self.weights, np.conj(a), b)

    def product(self, field: Field) -> Field:
        """Return A v at the Gauss points."""
        return np.asarray(np.einsum("icjk,ick->icj", self.matrices, field))

    def rate_of(self, variation: Variation) -> Field:
        """Return the time derivative at the Gauss points."""
        orbit, slopes = self.orbit, basis_of(self.orbit.degree)[1]
        h = np.diff(orbit.mesh)[:, None, None] * orbit.period
        rise = np.einsum("ck,ikj->icj", slopes, _by_interval(orbit, variation.profile))
        return np.asarray(rise / h)

    def multilinear(self, *directions: Field, vary: str = "") -> Field:
        """Return B(v, w) or C(v, w, z) at the Gauss points, of complex directions too.

        With `vary` the directions have one component more, that of the parameter.
        """
        from dynlab.kernels.multilinear import second, third

        kernel = kernels_of(self.system).derivative(len(directions), (vary,) if vary else ())
        evaluate: Any = {2: second, 3: third}[len(directions)]
        n = self.rates.shape[-1]
        states = gauss_values(self.orbit, self.orbit.profile).reshape(-1, n)
        inputs, part = tuple(inputs_of(self.system)), np.empty_like(states)
        out = np.zeros(states.shape, complex)
        parts = [
            [(1.0, np.real(d))] + ([(1j, np.imag(d))] if np.iscomplexobj(d) else [])
            for d in directions
        ]  # fmt: skip
        for chosen in itertools.product(*parts):
            along = [np.ascontiguousarray(c[1]).reshape(len(states), -1) for c in chosen]
            evaluate(kernel.address, states, inputs, *along, part)
            out += np.prod([c[0] for c in chosen]) * part
        whole = out if any(np.iscomplexobj(d) for d in directions) else out.real
        return np.asarray(whole.reshape(self.rates.shape))

    def solve(
        self, forcing: Field | None = None, *, shift: complex = 0.0, turn: float = 1.0,
        columns: Sequence[Field] = (), rows: Sequence[Row] = (),
    ) -> Solution:  # fmt: skip
        """Solve the boundary-value problem; as many columns as rows.

        Raises
        ------
        SingularProblem
            If it has no single solution.
        """
        basis = basis_of(self.orbit.degree)
        count, m, n = self.rates.shape
        forced = [np.zeros(self.rates.shape) if forcing is None else forcing, *columns]
        found = np.full(1, np.nan)
        with contextlib.suppress(np.linalg.LinAlgError, RuntimeError):
            inner = _condensed(self, shift, forced)
            values = np.einsum("ck,ikjl->icjl", basis[0], inner)
            matrix, right = _bordered(self, inner, values, rows, turn)
            found = splu(matrix.tocsc()).solve(right)
        if not np.all(np.isfinite(found)):
            raise SingularProblem(
                f"the equations linearised about the cycle of {self.system.name!r} are singular beyond "
                "what was expected: the cycle is at a bifurcation of higher order. Move the parameter.",
                status=Status.SINGULAR,
            )
        starts = found[: count * n].reshape(count, n) * self.units
        factors = found[count * n :]
        unknowns = np.hstack([starts, np.ones((count, 1)), np.tile(factors, (count, 1))])
        profile = np.einsum("ikjl,il->ikj", inner, unknowns)[:, :m].reshape(count * m, n)
        profile = np.vstack([profile, turn * profile[:1]])
        return Solution(
            Variation(np.einsum("icjl,il->icj", values, unknowns), profile), factors
        )  # fmt: skip

    def null_pair(
        self, *, shift: complex = 0.0, turn: float = 1.0, columns: Sequence[Field] = (),
        rows: Sequence[Row] = (),
    ) -> tuple[Solution, Solution]:  # fmt: skip
        """Return the functions that solve the homogeneous problem and its adjoint.

        The first has mean square 1, the second <w, v> = 1.
        """
        squared = self.units**2
        # A border that is orthogonal to the null vectors only by accident, then the null vectors themselves.
        random = np.random.default_rng(0).standard_normal((2, *self.rates.shape))
        right, left = random[0] * self.units, random[1] / self.units
        other = {"shift": -np.conj(shift), "turn": turn}
        for _ in range(_PASSES):
            forward = self.solve(
                shift=shift, turn=turn, columns=(right, *columns), rows=(Row(left, 1.0), *rows)
            )
            backward = self.adjoint.solve(
                columns=(left, *(row.field for row in rows)),
                rows=(Row(right, 1.0), *(Row(column) for column in columns)), **other,
            )  # fmt: skip
            v, w = forward.variation, backward.variation
            right, left = w.gauss * squared, v.gauss / squared
            right = right / np.max(np.abs(right / self.units))
            left = left / np.max(np.abs(left * self.units))
        size = 1.0 / np.sqrt(self.mean(v.gauss, v.gauss).real)
        v = v.times(size)
        w = w.times(1.0 / np.conj(self.mean(w.gauss, v.gauss)))
        return Solution(v, forward.factors[1:] * size), Solution(w, backward.factors[1:])


def gauss_values(orbit: Orbit, profile: NDArray[Any]) -> Field:
    """Return the values at the Gauss points of a function given at the rows of the profile."""
    values = basis_of(orbit.degree)[0]
    return np.asarray(np.einsum("ck,ikj->icj", values, _by_interval(orbit, profile)))


def _by_interval(orbit: Orbit, profile: NDArray[Any]) -> NDArray[Any]:
    """Return the rows of a profile that belong to each interval, its end included."""
    m, count = orbit.degree, len(orbit.mesh) - 1
    return np.asarray(profile[np.arange(count)[:, None] * m + np.arange(m + 1)])


def _condensed(problem: Linearised, shift: complex, forced: Sequence[Field]) -> NDArray[Any]:
    """Return the rows of each interval, given the state at its start: interval, row, state, column.

    Columns: the states at the start, then the forcings.
    """
    orbit, (values, slopes, _) = problem.orbit, basis_of(problem.orbit.degree)
    count, m, n = problem.rates.shape
    h = np.diff(orbit.mesh) * orbit.period
    eye = np.eye(n)
    a = problem.matrices - shift * eye
    block = np.einsum("ck,jl->cjkl", slopes, eye)[None] - np.einsum(
        "i,ck,icjl->icjkl", h, values, a
    )
    start = block[..., 0, :].reshape(count, m * n, n)
    rest = block[..., 1:, :].reshape(count, m * n, m * n)
    given = np.stack([(h[:, None, None] * f).reshape(count, m * n) for f in forced], axis=-1)
    found = np.linalg.solve(rest, np.concatenate([-start, given], axis=-1))
    width = n + len(forced)
    first = np.zeros((count, 1, n, width), found.dtype)
    first[:, 0, :, :n] = eye
    return np.concatenate([first, found.reshape(count, m, n, width)], axis=1)


def _bordered(
    problem: Linearised, inner: NDArray[Any], values: NDArray[Any], rows: Sequence[Row], turn: float
) -> tuple[Any, NDArray[Any]]:
    """Return the equations for the scaled states at the mesh points and the factors of the columns."""
    count, _, n = problem.rates.shape
    extra = len(rows)
    units = problem.units
    end = inner[:, -1] / units[:, None]
    size = count * n
    # x_{i+1} - G_i x_i - (columns) = (forcing), the last x being turn times the first.
    places = np.arange(size).reshape(count, n)
    entries = [(-end[:, :, :n] * units, places[:, :, None], places[:, None, :])]
    ahead = np.ones((count, n))
    ahead[-1] = turn
    entries.append((ahead, places, np.roll(places, -1, axis=0)))
    factors = size + np.arange(extra)
    entries.append((-end[:, :, n + 1 :], places[:, :, None], factors[None, None, :]))
    right = np.zeros(size + extra, np.result_type(inner, *(row.field for row in rows), float))
    right[:size] = end[:, :, n].ravel()
    for k, row in enumerate(rows):
        weighted = problem.weights[..., None] * np.conj(row.field)
        each = np.einsum("icj,icjl->il", weighted, values)
        whole = each.sum(axis=0)
        entries.append((each[:, :n] * units, np.full((count, n), size + k), places))
        entries.append((whole[n + 1 :], np.full(extra, size + k), factors))
        right[size + k] = row.value - whole[n]
    data, i, j = (
        np.concatenate([np.broadcast_to(e[part], np.shape(e[0])).ravel() for e in entries])
        for part in range(3)
    )
    return coo_array((data, (i, j)), shape=(size + extra, size + extra)), right
