"""BifurcationCurve: folds, Hopf points, ... followed through the plane of two parameters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.kernels import kernels_of
from dynlab.continuation.curves.branch_point import BranchPointCurve
from dynlab.continuation.curves.fold import FoldCurve
from dynlab.continuation.curves.hopf import HopfCurve
from dynlab.continuation.curves.period_doubling import PeriodDoublingCurve
from dynlab.continuation.curves.plane import Plane
from dynlab.continuation.curves.plane_curve import PlaneCurve
from dynlab.continuation.curves.torus import TorusCurve, multiplier
from dynlab.continuation.follow import land
from dynlab.continuation.followed import End, Marked
from dynlab.continuation.locate import Located, Rejected, locate_branch_point
from dynlab.continuation.monitors import special_point
from dynlab.continuation.plane.chart import draw_curve
from dynlab.continuation.plane.codimension_two import CodimensionTwo, Suspect
from dynlab.continuation.points import Points, SpecialPoint
from dynlab.equilibria.stability import growth
from dynlab.errors import SettingError, UnknownNameError
from dynlab.names import finite
from dynlab.result import Provenance
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["BifurcationCurve", "curve_of"]

Vector = NDArray[np.float64]

_KINDS: dict[str, type[PlaneCurve]] = {
    kind.word: kind
    for kind in (FoldCurve, HopfCurve, BranchPointCurve, PeriodDoublingCurve, TorusCurve)
}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BifurcationCurve(Marked):
    """A curve of bifurcations in the plane of two parameters.

    Parameters
    ----------
    system, vary
        The system, and the two parameters that change along the curve.
    kind
        What lies on the curve: ``"fold"``, ``"Hopf point"``, ``"branch point"``, ``"period doubling"`` or
        ``"torus point"``.
    of
        The parameter in which such a point is found with the other one held.
    unknowns
        A row per point: the states, on a curve of pairs what measures the angle, and the two parameters in
        the order of the system.
    eigenvalues
        Of the Jacobian at each point; multipliers for a map.
    coefficient
        The normal-form coefficient along the curve: ``a`` on folds, ``l1`` on Hopf points, ``b`` on period
        doublings, ``d`` on torus points, as the points of that kind carry it; nan where there is none.
    special
        Each point of codimension two with its position on the curve.
    ends
        Why the curve ends, at its first and its last point; their ``value`` is that of the first parameter.
    provenance
        Where the curve came from.
    period
        For a map: how many steps the cycle takes.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def cusp(x=0.0, *, b1=0.0, b2=1.0):
    ...     return {x: b1 + b2 * x - x**3}
    >>> rest = dl.find_equilibria(cusp, within={"x": (0.5, 2)}).single()
    >>> fold = dl.continue_equilibrium(rest, vary="b1", over=(-1, 1)).points(dl.Fold)[0]
    >>> curve = dl.continue_bifurcation(
    ...     fold, vary=("b1", "b2"), over={"b1": (-1, 1), "b2": (-1, 1)}
    ... )
    >>> cusp = curve.points(dl.Cusp).single()
    >>> abs(cusp["b1"]) < 1e-9, abs(cusp["b2"]) < 1e-9
    (True, True)
    """

    system: System
    vary: tuple[str, str]
    kind: str
    of: str
    unknowns: Vector
    eigenvalues: NDArray[np.complex128]
    coefficient: Vector
    special: tuple[tuple[int, CodimensionTwo], ...]
    ends: tuple[End, End]
    provenance: Provenance
    period: int = 1

    doubtful = Suspect

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise SettingError(f"{self.kind!r} is no kind of curve; known are {sorted(_KINDS)}.")
        n, rows = len(self.system.state_names), len(self.unknowns)
        width = n + 2 + _KINDS[self.kind].added
        shapes = self.unknowns.shape, self.eigenvalues.shape, self.coefficient.shape
        if shapes != ((rows, width), (rows, n), (rows,)) or not all(
            0 <= k < rows for k, _ in self.special
        ):
            raise SettingError(
                f"the arrays of a curve of {self.system.name!r} do not belong together: {shapes}."
            )

    def __len__(self) -> int:
        return len(self.unknowns)

    def __getitem__(self, name: str) -> Vector:
        """Return a state, parameter or observable along the curve."""
        system = self.system
        if name in self.vary:
            return self.unknowns[:, self._plane.vary.index(name) - 2]
        place = system.place_of(name)
        if place is not None:
            return np.asarray(self.states[:, place])
        if name in system.observable_names:
            return self._observed()[:, system.observable_names.index(name)]
        if name in system.parameter_names:
            return np.full(len(self), system[name])
        known = (*system.state_names, *system.parameter_names, *system.observable_names)
        raise UnknownNameError(f"quantity of the curve of {system.name!r}", name, known)

    @property
    def states(self) -> Vector:
        """States, a row per point; on cycles of a map one point of the cycle."""
        return self.unknowns[:, : len(self.system.state_names)]

    @property
    def omega(self) -> Vector:
        """Imaginary part of the critical pair along a curve of Hopf points; nan on other curves.

        Nan too where the pair is real (`neutral_saddle`).
        """
        square = self._added if self.kind == HopfCurve.word else np.full(len(self), np.nan)
        return np.sqrt(np.where(square >= 0, square, np.nan))

    @property
    def angle(self) -> Vector:
        """Argument of the critical pair along a curve of torus points, in radians; else nan."""
        trace = self._added if self.kind == TorusCurve.word else np.full(len(self), np.nan)
        return np.arccos(np.where(np.abs(trace) <= 2, trace / 2, np.nan))

    @property
    def _added(self) -> Vector:
        return self.unknowns[:, len(self.system.state_names)]

    @property
    def neutral_saddle(self) -> NDArray[np.bool_]:
        """Where the pair of a Hopf or torus point has become real: no bifurcation any more."""
        if self.kind == HopfCurve.word:
            return np.asarray(self._added < 0)
        if self.kind == TorusCurve.word:
            return np.asarray(np.abs(self._added) > 2)
        return np.zeros(len(self), bool)

    def _observed(self) -> Vector:
        kernel = kernels_of(self.system).observables
        plane = self._plane
        rows = np.empty((len(self), kernel.size))
        for k, u in enumerate(self.unknowns):
            rows[k] = kernel(0.0, u[: plane.size], np.array(plane.at(u).parameter_values))
        return rows

    @property
    def _plane(self) -> Plane:
        return Plane.of(self.system, self.vary, self.period)

    def at(self, **where: float) -> Points[Any]:
        """Return the bifurcations of the curve where a parameter or state has a value.

        ``curve.at(V3=10)`` holds a `Fold`, `Hopf`, ... for each time that the curve passes there; any of them
        restarts a continuation.  Neutral saddles are left out.

        Raises
        ------
        SettingError
            If more or fewer than one quantity is given, or the value is not a finite number.
        UnknownNameError
            If the name is neither a varied parameter nor a state.
        """
        if len(where) != 1:
            raise SettingError(
                f"at() takes one quantity, got {len(where)}: curve.at({self.vary[1]}=1.0)."
            )
        ((name, value),) = where.items()
        target = finite(value, name)
        order = self._plane.vary
        known = (*order, *self.system.state_names)
        if name not in known:
            raise UnknownNameError("varied parameter or state of the curve", name, known)
        width = self.unknowns.shape[1]
        pin = width - 2 + order.index(name) if name in order else known.index(name) - 2
        return Points(self._landings(pin, target))

    def _landings(self, pin: int, target: float) -> Iterator[SpecialPoint]:
        column = self.unknowns[:, pin] - target
        span = np.ptp(self.unknowns, axis=0)
        moved = span > 1e-9 * np.max(np.abs(self.unknowns), axis=0)  # by more than by rounding
        curve = curve_of(self.kind, self._plane, np.where(moved, span, 1.0), self.of)
        row = np.zeros(len(span))
        row[pin] = 1.0
        saddle = self.neutral_saddle
        for k in range(1, len(column)):
            before, after = column[k - 1], column[k]
            if not (before * after < 0 or after == 0 or (k == 1 and before == 0)):
                continue
            share = before / (before - after) if before != after else 0.0
            guess = self.unknowns[k - 1] + share * (self.unknowns[k] - self.unknowns[k - 1])
            y = land(curve, guess / curve.scale, row, target / curve.scale[pin], 1e-12)
            if y is None or (saddle[k - 1] and saddle[k]):
                continue
            u = y * curve.scale
            u[pin] = target
            point = self._bifurcation(curve, u, self.unknowns[k] - self.unknowns[k - 1])
            if point is not None:
                yield point

    def _bifurcation(self, curve: PlaneCurve, u: Vector, along: Vector) -> SpecialPoint | None:
        n = curve.plane.size
        on, v = curve.plane.on(u, self.of, curve.scale)
        angle = 0.0
        if self.kind == HopfCurve.word:
            angle = float(np.sqrt(u[n])) if u[n] > 0 else -1.0
        if self.kind == TorusCurve.word:
            angle = float(np.angle(multiplier(u[n]))) if abs(u[n]) < 2 else -1.0
        if angle < 0:
            return None
        found: Located | Rejected = Located(v, 1e-12, angle)
        if self.kind == BranchPointCurve.word:
            found = locate_branch_point(on, v)
        if isinstance(found, Rejected):
            return None
        direction = along[[*range(n), curve.plane.vary.index(self.of) - 2]]
        return special_point(on, found, self.kind, direction)

    def to_table(self) -> dict[str, NDArray[Any]]:
        columns: dict[str, NDArray[Any]] = {name: self[name] for name in self.vary}
        columns |= dict(zip(self.system.state_names, self.states.T, strict=True))
        columns |= {name: self[name] for name in self.system.observable_names}
        columns["coefficient"] = self.coefficient
        if self.kind == HopfCurve.word:
            columns["critical omega"] = self.omega
        if self.kind == TorusCurve.word:
            columns["critical angle"] = self.angle
        columns["neutral saddle"] = self.neutral_saddle
        rates = growth(self.eigenvalues, discrete=self.system.is_discrete)
        order = np.argsort(-rates, axis=1, kind="stable")
        ordered = np.take_along_axis(self.eigenvalues, order, axis=1)
        for k in range(ordered.shape[1]):
            columns[f"eigenvalue {k + 1}"] = ordered[:, k]
        columns["label"] = self.labels(len(self))
        return columns

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the curve in the plane of the two parameters, with its labelled points.

        Hopf points, period doublings and torus points are dashed where subcritical; neutral saddles are thin
        and dotted.  Several curves go into one chart: ``hopf.plot(fold.plot())``.

        Parameters
        ----------
        ax
            Axes to draw into; a new figure if left out.
        """
        return draw_curve(ax, self)

    def __repr__(self) -> str:
        kinds: dict[str, int] = {}
        for point in self.points():
            kinds[point.word] = kinds.get(point.word, 0) + 1
        listed = ", ".join(f"{c} {w}{'s' if c > 1 else ''}" for w, c in kinds.items())
        doubt = f", {len(self.unconfirmed)} unconfirmed" if self.unconfirmed else ""
        cycles = f" of cycles of period {self.period}" if self.period > 1 else ""
        name = self.kind.removesuffix(" point")
        saddles = ", part of it neutral saddles" if self.neutral_saddle.any() else ""
        return (
            f"<{name} curve{cycles} of {self.system.name} in {self.vary[0]} and {self.vary[1]}: "
            f"{len(self)} points, {listed or 'no special points'}{doubt}{saddles};\n"
            f" ends: {self.ends[0].status}, {self.ends[1].status}>"
        )


def curve_of(kind: str, plane: Plane, scale: Vector, of: str) -> PlaneCurve:
    """Return the curve of a kind."""
    made = _KINDS[kind]
    if made is BranchPointCurve:
        return BranchPointCurve(plane, scale, plane.vary.index(of))
    return made(plane, scale)
