"""find_equilibria: all equilibria in a box, and whether the list is proved complete.

Newton from many starts (a low-discrepancy sequence), then deflated Newton from the same starts
(`dynlab.kernels.newton`).  For boxes in at most six dimensions interval arithmetic then tries,
within two seconds, to prove that no other zero is left (`dynlab.equilibria.enclosure`); the result
says whether it did.

An equilibrium whose Jacobian is singular is checked for neighbours along the null direction: if the
equations hold there as well, it is one of a line or surface of equilibria and reported once.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen import lower
from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import Kernels, kernels_of
from dynlab.equilibria import enclosure
from dynlab.equilibria.large import is_large, newton_sparse
from dynlab.equilibria.stability import (
    Equilibrium,
    apart,
    jacobian_at,
    table_of,
    typical_size,
    whole_turns,
)
from dynlab.errors import DefinitionError, NotConverged, SettingError
from dynlab.names import Layout, by_name, finite
from dynlab.result import Provenance, Result
from dynlab.status import Status
from dynlab.symbolic import derivatives
from dynlab.symbolic.delays import standing
from dynlab.symbolic.dynamics import Autonomous, Delayed, require
from dynlab.symbolic.quantities import Domain
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import symbol

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Equilibria", "find_equilibria", "find_near"]

Vector = NDArray[np.float64]
Ranges = Mapping[str, tuple[float, float]]

_STARTS_PER_STATE, _STARTS_OF_SECTIONS = 96, 24
#: Searching may cost about this many operations: some seconds.
_MOST_OPERATIONS = 1e8
_MOST_ROOTS = 400
_PROOF_DIMENSION = 6
_PROOF_SECONDS = 2.0
#: A singular value below this part of the largest is zero to round-off.
_ZERO = 1e-12
#: How well a double root is determined, relative to the box: about eps^(1/2).
_UNCERTAIN = 1e-7


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Equilibria(Result):
    """The equilibria found in a box.

    Parameters
    ----------
    system
        The system searched.
    points
        What was found, stable ones first; a line of equilibria stands once.
    within
        The box, by state.
    complete
        Whether the list is proved to hold every equilibrium in the box.
    completeness
        The same in words, with the reason where it is not proved.
    status
        How the search ended.
    provenance
        Where the result came from.
    """

    system: System
    points: tuple[Equilibrium, ...]
    within: dict[str, tuple[float, float]]
    complete: bool
    completeness: str
    status: Status
    provenance: Provenance

    def __iter__(self) -> Iterator[Equilibrium]:
        return iter(self.points)

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, position: int) -> Equilibrium:
        return self.points[position]

    def of_kind(self, kind: str) -> Equilibria:
        """Return those of one type, such as ``"saddle"`` or ``"stable focus"``."""
        return replace(self, points=tuple(p for p in self.points if p.kind == kind))

    def single(self) -> Equilibrium:
        """Return the only equilibrium; raise if there is none or more than one."""
        if len(self.points) == 1:
            return self.points[0]
        if not self.points:
            box = ", ".join(f"{k} in ({a:g}, {b:g})" for k, (a, b) in self.within.items())
            raise NotConverged(
                f"no equilibrium of {self.system.name!r} was found with {box} "
                f"({self.completeness}). Widen the box.",
                status=Status.NOT_CONVERGED, partial=self,
            )  # fmt: skip
        kinds = ", ".join(p.kind for p in self.points)
        raise DefinitionError(
            f"{self.system.name!r} has {len(self.points)} equilibria here ({kinds}). "
            "Narrow the box in within=, or choose one by position."
        )

    def to_table(self) -> dict[str, NDArray[Any]]:
        return table_of(self.points)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the eigenvalues of every equilibrium in the complex plane, of a map the multipliers."""
        from dynlab.plotting import draw_eigenvalue_plane, draw_multiplier_plane

        values = np.concatenate([p.eigenvalues for p in self.points] or [np.zeros(0, complex)])
        draw = draw_multiplier_plane if self.system.is_discrete else draw_eigenvalue_plane
        return draw(ax, values)

    def __repr__(self) -> str:
        kinds = ", ".join(p.kind for p in self.points) or "none"
        return (
            f"<{len(self.points)} equilibria of {self.system.name}: {kinds};\n {self.completeness}>"
        )


def find_equilibria(system: System, *, within: Ranges | None = None) -> Equilibria:
    """Find all equilibria of a flow, or fixed points of a map, in a box of states.

    Solves f(x) = 0 (f(x) = x for a map).  Delays do not move what rests, but decide on its stability:
    the eigenvalues are then the rightmost characteristic roots.

    Parameters
    ----------
    system
        The system; its rule must not depend on time.
    within
        A range for each state: ``{"v": (-3, 3), "w": (-2, 4)}``.  States not named, and all when
        it is left out, are searched about the default start without a bound, and then nothing can be
        proved about completeness.

    Returns
    -------
    Equilibria
        The points with eigenvalues and types, and whether the list is proved complete.

    Raises
    ------
    UnsupportedSystemError
        If the rule depends on time.
    SettingError
        If a range is empty or not finite.
    UnknownNameError
        If a range names no state.

    Examples
    --------
    >>> import dynlab as dl
    >>> found = dl.find_equilibria(
    ...     dl.zoo.lorenz, within={"x": (-30, 30), "y": (-30, 30), "z": (-1, 60)}
    ... )
    >>> len(found), found.complete
    (3, True)

    References
    ----------
    Farrell, Birkisson, Funke 2015, SIAM J. Sci. Comput. 37, A2026 (deflation).
    Neumaier 1990, Interval Methods for Systems of Equations, ch. 5 (proof of completeness).
    """
    require(system, Autonomous, Delayed)
    if system.is_delayed:
        return _with_histories(system, find_equilibria(standing(system), within=within))
    began = time.perf_counter()
    box = box_of(system, within)
    starts = starts_in(system, box)
    points = _found_in(system, box, starts)
    complete, words = False, "not proved complete: not every state has a range"
    if box.bounded.all():
        points, complete, words = _prove(system, points, box, starts)
    points.sort(key=lambda e: (e.unstable_directions, *e.state))
    ranges = {
        name: (float(a), float(b))
        for name, a, b in zip(system.state_names, box.lower, box.upper, strict=True)
    }
    provenance = Provenance(
        "find_equilibria", system, {"within": ranges}, seconds=time.perf_counter() - began
    )
    return Equilibria(system, tuple(points), ranges, complete, words, Status.OK, provenance)


def _with_histories(system: System, found: Equilibria) -> Equilibria:
    """Return equilibria of a system that stands still as those of the system with its delays: roots for eigenvalues."""
    points = [
        Equilibrium.at(system, p.state, p.accuracy, p.continuum, p.null_directions) for p in found
    ]
    points.sort(key=lambda e: (e.unstable_directions, *e.state))
    provenance = replace(found.provenance, system=system)
    return replace(found, system=system, points=tuple(points), provenance=provenance)


def search_equilibria(system: System, within: Ranges) -> list[Equilibrium]:
    """Return the equilibria found from many starts, with no claim to completeness."""
    box = box_of(system, within)
    return _found_in(system, box, starts_in(system, box))


def _found_in(system: System, box: Box, starts: Vector) -> list[Equilibrium]:
    if is_large(system):
        return _found_in_large(system, starts, box)
    roots = _search(system, starts, box)
    if all(_is_singular(_residual_jacobian(system, x) * box.scale) for x in starts[:8]):
        # Singular everywhere (a conserved quantity): Newton's method cannot start, Gauss-Newton can.
        roots = np.vstack([roots, _least_squares_roots(system, starts, box)])
    return _classified(system, _apart_on_circles(system, roots), box.scale, starts)


def _found_in_large(system: System, starts: Vector, box: Box) -> list[Equilibrium]:
    """Return what Newton's method reaches from some starts in a large network."""
    points: list[Equilibrium] = []
    for start in starts:
        found = newton_sparse(system, start)
        if found is None or not box.holds(found[0]):
            continue
        if all(np.max(np.abs(found[0] - p.state)) > 1e-6 * np.max(box.scale) for p in points):
            points.append(Equilibrium.at(system, *found))
    return points


def _is_singular(matrix: Vector) -> bool:
    if not np.all(np.isfinite(matrix)):
        return False
    values = np.linalg.svd(matrix, compute_uv=False)
    return bool(values[-1] <= _ZERO * values[0])


def _least_squares_roots(system: System, starts: Vector, box: Box) -> Vector:
    """Return roots found by Gauss-Newton steps of least length from some of the starts."""
    found = []
    for x in starts[:: max(1, len(starts) // 32)]:
        y = x
        for _ in range(60):
            matrix = _residual_jacobian(system, y) * box.scale
            value = _residual(system, y)
            if not (np.all(np.isfinite(matrix)) and np.all(np.isfinite(value))):
                break
            step = np.linalg.lstsq(matrix, -value, rcond=1e-10)[0]
            y = y + step * box.scale * min(1.0, 1.0 / max(float(np.max(np.abs(step))), 1e-300))
            if np.max(np.abs(step)) < 1e-12:
                # A least-squares point is a root only if the equations hold there.
                if np.linalg.norm(value) > 1e-10 * np.linalg.norm(matrix):
                    break
                if box.holds(y):
                    found.append(y)
                break
    return np.array(found).reshape(-1, starts.shape[1])


def _apart_on_circles(system: System, roots: Vector) -> Vector:
    """Drop roots that differ from an earlier one by whole turns of a state on the circle."""
    if not whole_turns(system).any():
        return roots
    kept: list[Vector] = []
    for root in roots:
        if all(np.max(np.abs(apart(system, root, other))) > 1e-6 for other in kept):
            kept.append(root)
    return np.array(kept).reshape(-1, roots.shape[1])


@dataclass(frozen=True, slots=True)
class Box:
    """Where to search: ends for every state, and which of them are real bounds."""

    lower: Vector
    upper: Vector
    bounded: NDArray[np.bool_]

    @property
    def scale(self) -> Vector:
        return self.upper - self.lower

    def holds(self, x: Vector) -> bool:
        """Whether a state lies in the box, its ends included to round-off."""
        slack = 1e-9 * np.abs(x) + 1e-12 * self.scale
        outside = (x < self.lower - slack) | (x > self.upper + slack)
        return not np.any(outside & self.bounded)


def find_near(system: System, start: Vector | None = None) -> Equilibrium | None:
    """Return the equilibrium that Newton's method reaches from a state, or None."""
    from dynlab.kernels.newton import newton

    kernels = kernels_of(system)
    x = np.array(system.start_values if start is None else start, dtype=float)
    if is_large(system):
        found = newton_sparse(system, x)
        return None if found is None else Equilibrium.at(system, *found)
    scale = np.maximum(np.abs(x), 1e-2)
    report = np.empty(2)
    status = newton(
        kernels.rhs.address, kernels.jacobian().address, _shift(system), x, tuple(inputs_of(system)),
        scale, 1e-11, np.empty((0, len(x))), report,
    )  # fmt: skip
    if status != Status.OK or not np.all(np.isfinite(x)):
        return None
    return Equilibrium.at(system, x, float(report[0]))


def _shift(system: System) -> float:
    return 1.0 if system.is_discrete else 0.0


def box_of(system: System, within: Ranges | None) -> Box:
    """Read the ranges; a state without one is searched about its default start."""
    layout = Layout.of(system)
    n = len(layout.states)
    start = np.array(system.start_values)
    reach = 3.0 * np.maximum(np.abs(start), 1.0)
    lower_bound, upper_bound = start - reach, start + reach
    bounded = np.zeros(n, dtype=bool)
    for position, domain in enumerate(system.domains):
        if domain is Domain.POSITIVE:
            lower_bound[position] = 0.0
        elif domain is Domain.CIRCLE:
            lower_bound[position], upper_bound[position], bounded[position] = -np.pi, np.pi, True
    for name, ends in by_name(within, "within").items():
        i = layout.places(name)
        try:
            low, high = ends
        except (TypeError, ValueError):
            raise SettingError(
                f"the range of {name!r} is {ends!r}; give two numbers, within={{{name!r}: (-1, 1)}}."
            ) from None
        low, high = finite(low, f"lower end of {name!r}"), finite(high, f"upper end of {name!r}")
        if low >= high:
            raise SettingError(f"the range of {name!r} is empty: ({low:g}, {high:g}).")
        lower_bound[i], upper_bound[i], bounded[i] = low, high, True
    return Box(lower_bound, upper_bound, bounded)


def starts_in(system: System, box: Box) -> Vector:
    """Return start points: the default start, the middle, and an R_n low-discrepancy sequence.

    Roberts 2018 (additive recurrence with the generalised golden ratio).  States without a range
    are sampled in boxes of four sizes.
    """
    n = len(box.lower)
    golden = 2.0
    for _ in range(40):
        golden = (1.0 + golden) ** (1.0 / (n + 1))
    steps = golden ** -np.arange(1.0, n + 1)
    # A start costs some LU decompositions of n^3 operations.
    # Where there is no formula, each evaluation integrates a flow.
    each = _STARTS_PER_STATE if isinstance(system, System) else _STARTS_OF_SECTIONS
    count = min(each * n, 2_000, max(8, int(_MOST_OPERATIONS / n**3)))
    unit = (0.5 + np.outer(np.arange(1, count + 1), steps)) % 1.0
    middle, width = 0.5 * (box.lower + box.upper), box.scale
    stretch = np.ones((count, n))
    stretch[:, ~box.bounded] = (10.0 ** (np.arange(count) % 4 - 1))[:, None]
    starts = middle + width * stretch * (unit - 0.5)
    return np.ascontiguousarray(np.vstack([np.array(system.start_values), middle, starts]))


def _search(system: System, starts: Vector, box: Box) -> Vector:
    from dynlab.kernels.newton import search

    kernels: Kernels = kernels_of(system)
    low = np.where(box.bounded, box.lower, -np.inf)
    high = np.where(box.bounded, box.upper, np.inf)
    for position, domain in enumerate(system.domains):
        if domain is Domain.POSITIVE:
            low[position] = max(low[position], 0.0)
    roots = np.empty((_MOST_ROOTS, starts.shape[1]))
    count = search(
        kernels.rhs.address, kernels.jacobian().address, _shift(system), starts,
        tuple(inputs_of(system)),
        box.scale, unit_of_states(system, box.scale), low, high, roots, 0,
    )  # fmt: skip
    return roots[:count]


def unit_of_states(system: System, scale: Vector) -> Vector:
    """Return the usual size of each state, by its default start; never more than the box."""
    return np.minimum(scale, typical_size(system))


def _classified(system: System, roots: Vector, scale: Vector, starts: Vector) -> list[Equilibrium]:
    """Turn roots into equilibria; those of one line or surface into a single one."""
    typical = _typical_jacobian(system, scale, starts)
    points: list[Equilibrium] = []
    for root in roots:
        dimension = _null_dimension(system, root, scale, typical)
        extended = dimension if dimension and _has_neighbours(system, root, scale, dimension) else 0
        accuracy = _accuracy(system, root, scale)
        if extended and any(
            p.continuum == extended and _are_connected(system, p.state, root, scale) for p in points
        ):
            continue
        points.append(Equilibrium.at(system, root.copy(), accuracy, extended, dimension))
    return points


def _typical_jacobian(system: System, scale: Vector, starts: Vector) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        sizes = [np.linalg.norm(_residual_jacobian(system, x) * scale) for x in starts[:48]]
    finite_sizes = [s for s in sizes if np.isfinite(s) and s > 0]
    return float(np.median(finite_sizes)) if finite_sizes else 1.0


def _residual_jacobian(system: System, x: Vector) -> Vector:
    return jacobian_at(system, x) - _shift(system) * np.eye(len(x))


def _residual(system: System, x: Vector) -> Vector:
    return kernels_of(system).rhs(0.0, x, np.array(system.parameter_values)) - _shift(system) * x


def _null_dimension(system: System, root: Vector, scale: Vector, typical: float) -> int:
    """Return in how many directions the Jacobian is singular, as far as the root is known.

    A double root is known to about eps^(1/2), so there a singular value of that size times the second
    derivative along its direction is zero.
    """
    scale = np.minimum(scale, np.maximum(np.abs(root), unit_of_states(system, scale)))
    _, values, right = np.linalg.svd(_residual_jacobian(system, root) * scale)
    largest = float(values[0])
    count = int(np.sum(values <= _ZERO * largest))
    for value, direction in zip(values[: len(values) - count], right, strict=False):
        if value < 1e-4 * max(largest, typical):
            along = direction * scale
            bend = kernels_of(system).derivative(2)(
                0.0, root, np.array(system.parameter_values), along, along
            )
            count += bool(value < _UNCERTAIN * np.linalg.norm(bend))
    return count


def _has_neighbours(system: System, root: Vector, scale: Vector, dimension: int) -> bool:
    """Whether the equations also hold a little along the null directions (Gauss-Newton)."""
    _, _, right = np.linalg.svd(_residual_jacobian(system, root) * scale)
    for direction in right[-dimension:]:
        moved = False
        for side in (-1e-3, 1e-3):
            y = _onto_set(system, root + side * direction * scale, scale)
            still = np.linalg.norm(_residual(system, y)) <= 1e-10 * np.linalg.norm(
                _residual_jacobian(system, y) * scale
            )
            moved |= bool(still and np.linalg.norm((y - root) / scale) > 3e-4)
        if not moved:
            return False
    return True


def _onto_set(system: System, x: Vector, scale: Vector) -> Vector:
    """Return a state moved onto a set of equilibria by Gauss-Newton steps."""
    for _ in range(12):
        matrix = _residual_jacobian(system, x) * scale
        step = np.linalg.lstsq(matrix, -_residual(system, x), rcond=1e-5)[0]
        if not np.all(np.isfinite(step)):
            break
        x = x + step * scale
    return x


def _are_connected(system: System, a: Vector, b: Vector, scale: Vector) -> bool:
    """Whether two equilibria lie on one set: the chord between them, moved onto it, has no jump."""
    pieces = 12
    moved = [_onto_set(system, a + s * (b - a), scale) for s in np.linspace(0, 1, pieces + 1)]
    steps = np.diff(np.array(moved) / scale, axis=0)
    chord = np.linalg.norm((b - a) / scale)
    return bool(np.all(np.linalg.norm(steps, axis=1) <= 4.0 * chord / pieces + 1e-9))


def _accuracy(system: System, root: Vector, scale: Vector) -> float:
    """Return the size of one more Newton step, relative to the state: about the error."""
    matrix = _residual_jacobian(system, root)
    step = np.linalg.lstsq(matrix, -_residual(system, root), rcond=None)[0]
    size = np.maximum(np.abs(root), 1e-3 * scale)
    return float(np.max(np.abs(step) / size, initial=0.0))


def _prove(
    system: System, points: list[Equilibrium], box: Box, starts: Vector
) -> tuple[list[Equilibrium], bool, str]:
    n = len(box.lower)
    if n > _PROOF_DIMENSION:
        return points, False, f"not proved complete: {n} states are too many for a proof"
    if system.is_indexed:
        return points, False, "not proved complete: no proof is made for rules over networks"
    if not isinstance(system, System):
        return points, False, "not proved complete: the map has no formula"
    found = enclosure.enclose_zeros(
        *_residual_programs(system), system.parameter_values,
        box.lower, box.upper, known=np.array([p.state for p in points]).reshape(-1, n),
        seconds=_PROOF_SECONDS,
    )  # fmt: skip
    fresh = [x for x in found.new if (near := find_near(system, x)) is not None
             and np.max(np.abs(near.state - x) / box.scale) < 1e-3
             and box.holds(near.state)]  # fmt: skip
    if fresh:
        known = np.array([p.state for p in points]).reshape(-1, n)
        every = _apart_on_circles(system, np.vstack([known, fresh]))
        points = points + _classified(system, every[len(known) :], box.scale, starts)
    proved = len(_apart_on_circles(system, found.cores[0]))
    if found.complete and proved == len(points):
        return points, True, "proved complete by interval arithmetic"
    if found.complete:
        return (
            points,
            False,
            (
                f"not proved complete: interval arithmetic counts {proved} zeros, Newton's method "
                f"found {len(points)}"
            ),
        )
    return points, False, found.reason


def prove_complete(system: System, lower: Vector, upper: Vector, known: Vector) -> tuple[bool, str]:
    """Return whether interval arithmetic finds just the known equilibria of a flow, and words."""
    if len(lower) > _PROOF_DIMENSION:
        return False, f"not proved complete: {len(lower)} unknowns are too many for a proof"
    found = enclosure.enclose_zeros(
        *_residual_programs(system), system.parameter_values, lower, upper, known=known,
        seconds=_PROOF_SECONDS,
    )  # fmt: skip
    if not found.complete:
        return False, found.reason
    proved = len(found.cores[0])
    if proved != len(known):
        return False, (
            f"not proved complete: interval arithmetic counts {proved} zeros, Newton's method "
            f"found {len(known)}"
        )
    return True, "proved complete by interval arithmetic"


def _residual_programs(system: System) -> tuple[lower.Program, lower.Program]:
    """Return f, or f(x) - x for a map, and its Jacobian as plain data for interval arithmetic."""
    if not system.is_discrete:
        return lower.lower_rule(system), lower.lower_jacobian(system)
    moved = tuple(
        expression - symbol(name)
        for name, expression in zip(system.state_names, system.rule, strict=True)
    )
    return (
        lower.lower("rhs", system, moved),
        lower.lower("jacobian", system, derivatives.jacobian(moved, system.state_names)),
    )
