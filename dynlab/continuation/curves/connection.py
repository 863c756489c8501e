"""Orbits that connect equilibria, with projection boundary conditions.

An orbit u(t) from one equilibrium x to another y (or back to the same) is cut off to a finite time T:

    u'(s) = T f(u(s); l)                  collocation, 0 <= s <= 1
    <u - r, r'> = 0                       phase; r is the prediction
    f(x; l) = 0,  f(y; l) = 0             the equilibria; y = x + whole turns for a homoclinic orbit
    L_s(x) (u(0) - x) = 0                 it starts in the unstable eigenspace
    L_u(y) (u(1) - y) = 0                 and ends in the stable one
    g(x; l) = 0                           for a saddle-node: the zero eigenvalue
    <row, (u, l, x, y)> = value           arclength along a curve in two parameters

(Beyn 1990, IMA J. Numer. Anal. 10, 379; Champneys, Kuznetsov and Sandstede 1996, Int. J. Bifurcation Chaos 6,
867.)  The rows L_s, L_u span left invariant subspaces (`dynlab.continuation.connections.invariant`).  At a saddle-node
neither holds the direction of the zero eigenvalue, and g takes the place of the row that is then missing: the
last entry of the solution of the bordered matrix (A, b; c, 0)(v, g) = (0, 1).  The cut changes the parameter by
about the square of |u(0) - x| and |u(1) - y|.

Newton's method is compiled (`dynlab.kernels.connections`): the states inside are eliminated, what is left is dense
and small.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import kernels_of
from dynlab.continuation.connections.invariant import Subspace
from dynlab.cycles.basis import basis_of, differences_of
from dynlab.cycles.problem import Orbit, range_of
from dynlab.kernels.convention import OK
from dynlab.symbolic.system import System

__all__ = ["Connection", "ConnectionProblem", "Ends", "Heading", "Solved"]

Vector = NDArray[np.float64]

#: A state that moves less than this part of its size hardly moves at all.
_STILL = 1e-9


class Connection(NamedTuple):
    """An orbit cut off to a finite time, the parameters, and the equilibria before and after it."""

    orbit: Orbit
    values: Vector
    source: Vector
    target: Vector

    def moved(self, heading: Heading, length: float, units: Vector) -> Connection:
        """Return the connection that lies in a direction."""
        n = len(self.source)
        states, spans = units[:n], units[n:]
        target = heading.target if len(heading.target) else heading.source
        return Connection(
            self.orbit._replace(profile=self.orbit.profile + length * states * heading.states),
            self.values + length * spans * heading.values,
            self.source + length * states * heading.source,
            self.target + length * states * target,
        )


class Heading(NamedTuple):
    """A direction in the space of connections, in units of the states and the parameters.

    Without a target of its own a homoclinic orbit ends where it comes from.
    """

    states: Vector
    values: Vector
    source: Vector
    target: Vector

    def turned(self, sign: float) -> Heading:
        """Return the same or, for a negative sign, the opposite direction."""
        return Heading(*(sign * part for part in self))


class Ends(NamedTuple):
    """The frames in which the conditions at the two ends are written, and the border of g."""

    stable: Subspace
    unstable: Subspace
    border: tuple[Vector, Vector]


class Solved(NamedTuple):
    """A connection, the direction of its curve (if there are two parameters), and how good it is."""

    connection: Connection
    heading: Heading
    step: float
    mesh_error: float


@dataclass(frozen=True, slots=True)
class ConnectionProblem:
    """Connections of a flow over one or two parameters.

    Parameters
    ----------
    system
        The flow; its own values of the parameters are not used.
    vary
        One parameter, or two.
    spans
        Their units.
    stable, unstable
        How many eigenvalues lie left of the imaginary axis where the orbit comes from, and how many
        right of it where it goes.
    turns
        For a homoclinic orbit: where it ends minus where it starts, whole turns of angles; None if the
        orbit connects two equilibria.
    at_fold
        Whether the equilibrium is a saddle-node.
    """

    system: System
    vary: tuple[str, ...]
    spans: Vector
    stable: int
    unstable: int
    turns: Vector | None
    at_fold: bool

    @property
    def excess(self) -> int:
        """How many parameters must be right for such a connection to exist, less one."""
        return self.stable + self.unstable + self.at_fold - len(self.system.state_names)

    def at(self, values: Vector) -> System:
        """Return the system at some values of the parameters."""
        return self.system(**dict(zip(self.vary, (float(v) for v in values), strict=True)))

    def units(self, orbit: Orbit) -> Vector:
        """Return the units of the states and the parameters."""
        moved = np.ptp(orbit.profile, axis=0)
        still = moved <= _STILL * np.max(np.abs(orbit.profile), axis=0)
        # Unlike a cycle, an orbit near a Bogdanov-Takens point is small and yet well-defined.
        states = np.where(still, range_of(self.system, orbit.profile), moved)
        return np.concatenate([states, self.spans])

    def parameters(self, values: Vector) -> Vector:
        """Return all parameter values."""
        p = np.array(self.system.parameter_values)
        for name, value in zip(self.vary, values, strict=True):
            p[self.system.parameter_names.index(name)] = value
        return p

    def linear_part(self, x: Vector, values: Vector, units: Vector) -> tuple[Vector, Vector]:
        """Return f and its derivatives by states and parameters at an equilibrium, scaled."""
        n, kernels, p = len(x), kernels_of(self.system), self.parameters(values)
        f = kernels.rhs(0.0, x, p) / units[:n]
        flat = kernels.jacobian(self.vary)(0.0, x, p).reshape(n, -1)
        return f, flat * units / units[:n, None]

    def ends(self, guess: Connection, units: Vector) -> Ends:
        """Return frames made for a connection."""
        n = len(guess.source)
        _, first = self.linear_part(guess.source, guess.values, units)
        _, last = self.linear_part(guess.target, guess.values, units)
        u, _, v = np.linalg.svd(first[:, :n])
        return Ends(
            Subspace.of(first[:, :n], self.stable, -1), Subspace.of(last[:, :n], self.unstable, +1),
            (u[:, -1], v[-1]),
        )  # fmt: skip

    def solve(
        self, guess: Connection, units: Vector, *, row: Heading | None = None,
        tolerance: float = 1e-11,
    ) -> Solved | None:  # fmt: skip
        """Return the connection near a guess, or None.

        With two parameters a row says what is held: the place along that direction.
        """
        from dynlab.kernels import connections, cycles, meshes

        orbit = guess.orbit
        n, k, m, count = len(guess.source), len(self.vary), orbit.degree, len(orbit.mesh) - 1
        try:
            ends = self.ends(guess, units)
        except np.linalg.LinAlgError:
            return None
        basis, inputs, kernels = basis_of(m), inputs_of(self.system), kernels_of(self.system)
        inputs = inputs._replace(parameters=inputs.parameters.copy())
        scale = np.concatenate([units[:n], [orbit.period], units[n:]])
        rests = np.array([guess.source] if self.turns is not None else [guess.source, guess.target])
        phase, arc = np.empty((count, m, n)), np.zeros((count, m, n))
        cycles.phase_row(orbit.profile, orbit.mesh, scale, basis, phase)
        arc_values, arc_rests = np.zeros(k), np.zeros(rests.shape)
        if row is not None:
            cycles.arc_row(row.states, orbit.mesh, basis, arc)
            arc_values = row.values.copy()
            arc_rests = np.concatenate([row.source, row.target]).reshape(rests.shape)
        u, direction, facts = orbit.profile.copy(), np.empty(orbit.profile.shape), np.zeros(1)
        q = np.concatenate([[orbit.period], guess.values])
        along = np.empty(2 * n + 1 + k + rests.size)
        status = connections.correct(
            kernels.rhs.address, kernels.jacobian(self.vary).address,
            kernels.derivative(2, self.vary).address, tuple(inputs),
            np.array([self.system.parameter_names.index(name) for name in self.vary]),
            np.array([self.stable, self.unstable, int(self.at_fold), int(row is not None)]),
            u, q, rests, np.zeros(n) if self.turns is None else self.turns, orbit.mesh, scale,
            units, basis, orbit.profile, q.copy(), rests.copy(), phase, arc, arc_values, arc_rests,
            np.array([ends.stable.frame, ends.unstable.frame]), np.array(ends.border), tolerance,
            direction, along, facts,
        )  # fmt: skip
        if status != OK or not np.all(np.isfinite(u)):
            return None
        target = rests[1] if self.turns is None else rests[0] + self.turns
        found = Connection(orbit._replace(profile=u), q[1:], rests[0], target)
        error = meshes.monitor(u, orbit.mesh, scale, differences_of(m), np.empty(count))
        return Solved(
            found, self._heading(direction, along, orbit.mesh), float(facts[0]), float(error)
        )

    def _heading(self, states: Vector, along: Vector, mesh: Vector) -> Heading:
        """Return the unit direction that the last linear system gives."""
        n, k = states.shape[1], len(self.vary)
        begin = 2 * n + 1
        source = along[begin + k : begin + k + n]
        target = along[begin + k + n : begin + k + 2 * n] if self.turns is None else source[:0]
        heading = Heading(states, along[begin : begin + k], source, target)
        size = length(heading, mesh)
        return heading.turned(1.0 / size) if size > 0 else heading


def length(heading: Heading, mesh: Vector) -> float:
    """Return the length of a direction; the equilibria count as the states along the orbit do."""
    return float(np.sqrt(max(product(heading, heading, mesh), 0.0)))


def product(a: Heading, b: Heading, mesh: Vector) -> float:
    """Return the product of two directions on one mesh."""
    m = (len(a.states) - 1) // (len(mesh) - 1)
    values, _, weights = basis_of(m)
    n = a.states.shape[1]
    blocks = np.arange(len(mesh) - 1)[:, None] * m + np.arange(m + 1)
    p, q = (np.einsum("ck,ikj->icj", values, each.states[blocks]) for each in (a, b))
    total = float(np.einsum("i,c,icj,icj->", np.diff(mesh), weights, p, q))
    total += float(a.values @ b.values) + float(a.source @ b.source) / n
    return float(total + a.target @ b.target / n)
