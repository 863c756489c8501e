"""All zeros of f in a box, with proof: branch and prune in interval arithmetic.

A box X is discarded when 0 is not in an enclosure of f(X): the values themselves, or the mean value
form f(m) + J(X)(X - m), solved row by row for each coordinate (Hansen-Sengupta), plain and
multiplied by the inverse Y of the midpoint Jacobian.  Zeros are proved by Krawczyk's operator

    K(X) = m - Y f(m) + (I - Y J(X)) (X - m),

which contains every zero in X; K(X) in the interior of X proves that X holds exactly one.

Zeros on the common face of boxes would be halved for ever.  Hence no zero is proved in the box in
which it was seen: around its approximation a nest of growing boxes is tried, the largest proved one
is kept, and what lies inside it needs no further look (epsilon-inflation, Rump 1983).

References: R. Krawczyk 1969, Computing 4, 187; R. E. Moore 1977, SIAM J. Numer. Anal. 14, 611 (the
test); E. R. Hansen, S. Sengupta 1981, BIT 21, 203; A. Neumaier, Interval Methods for Systems of
Equations, Cambridge 1990, theorems 5.1.8 and 5.2.2, section 5.6; S. M. Rump 2010, Acta Numerica 19,
287, section 13.  Rounding errors of matrix products are bounded a priori as in Rump, section 2.

Cost: boxes times (values and Jacobian), all boxes of a level at once; the number of boxes grows
with the power n of the dimension.  It fails, and says so, for zeros that are degenerate (f = x^2)
or not isolated, where f jumps, and where the equations are not defined in part of the box.  Zeros
closer than about 1e-12 of the box width are not told apart.  J must be the Jacobian of f; where f
has kinks (abs, min, max) it must contain the one-sided slopes.  For a fixed point of a map, f is
the next state minus the state.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dynlab.equilibria.intervals import Array, Image, Mask, Program, evaluate

SMALLEST = 2.0**-40  # a box this narrow relative to the search box stays undecided
THINNEST = 2.0**-20  # contraction alone makes no side narrower: thin boxes drown in rounding errors
CHUNK = 4096  # boxes per batch; the clock is read between batches
CONTRACTED = 0.3  # a box that lost more of its volume is looked at again before it is halved
NEST = 2.0 ** -np.arange(1.0, 47.0)  # sizes of the nested boxes around an approximate zero
STRETCH = 2.0 ** np.arange(6.0, 0.0, -1.0)  # by how much one side of a proved box may still grow
CANDIDATES = 64  # approximate zeros refined per batch
POLISHING = 16  # at most so many Newton steps; from a regular box four or five do
REFINEMENTS = 8
UNIT = 2.0**-53
TINY = 1e-300  # covers underflow in the a priori bounds


@dataclass(frozen=True, slots=True)
class Enclosure:
    """What is proved about the zeros in a box.

    Parameters
    ----------
    complete
        True: there is exactly one zero in each of `boxes` and no other zero in the search box.
    boxes
        Lower and upper ends, each (zeros, n): large boxes with exactly one zero, possibly reaching
        beyond the search box.
    cores
        Lower and upper ends, each (zeros, n): the same zeros to rounding.
    new
        (zeros, n): approximations of proved zeros that were not among the known ones.
    undecided
        Number of boxes that were neither emptied nor proved.
    hull
        Ends of the smallest box around the undecided ones; None if there are none.
    reason
        One sentence.
    boxes_examined
        How many boxes were evaluated.
    """

    complete: bool
    boxes: tuple[Array, Array]
    cores: tuple[Array, Array]
    new: Array
    undecided: int
    hull: tuple[Array, Array] | None
    reason: str
    boxes_examined: int


@dataclass(frozen=True, slots=True)
class _Problem:
    rule: Program
    jacobian: Program
    parameters: tuple[float, ...]
    lower: Array
    upper: Array

    @property
    def widths(self) -> Array:
        return self.upper - self.lower


@dataclass(frozen=True, slots=True)
class _Proved:
    """Boxes (zeros, n) with exactly one zero each, and the tight boxes around the zeros."""

    lower: Array
    upper: Array
    core_lower: Array
    core_upper: Array
    known: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class _Linear:
    """Ends of `value` (boxes, n), `slope` (boxes, n, n): zeros have 0 = value + slope (x - m)."""

    middle: Array
    value_lo: Array
    value_hi: Array
    slope_lo: Array
    slope_hi: Array


def enclose_zeros(
    rule: Program,
    jacobian: Program,
    parameters: Sequence[float],
    lower: Sequence[float] | Array,
    upper: Sequence[float] | Array,
    *,
    known: Array | None = None,
    budget: int = 50_000,
    seconds: float = 2.0,
) -> Enclosure:
    """Prove that a list of zeros in a box is complete, or say what stands in the way.

    Parameters
    ----------
    rule, jacobian
        Programs of f (n outputs) and of its Jacobian (n x n outputs, row by row).
    parameters
        Values in the order of ``rule.parameters``; taken as exact.
    lower, upper
        Ends of the search box, finite.  A zero on its boundary counts.
    known
        Numerical zeros, shape (zeros, n); they save work, they are not trusted.
    budget
        Largest number of boxes to evaluate.
    seconds
        After this time the search stops as it does at the end of the budget.

    Returns
    -------
    Enclosure

    Raises
    ------
    ValueError
        If the search box is empty or not finite.

    References
    ----------
    A. Neumaier, Interval Methods for Systems of Equations, Cambridge 1990, chapter 5.
    """
    problem = _problem(rule, jacobian, parameters, lower, upper)
    n = len(problem.lower)
    # one box before the clock starts: the first use of a compiled primitive may compile it
    _localise(problem, problem.lower[None, :], problem.upper[None, :])
    stop = time.perf_counter() + seconds
    nothing = np.empty((0, n))
    proved = _Proved(nothing, nothing, nothing, nothing, ())
    if known is not None and len(known):
        start = _polish(problem, np.asarray(known, float).reshape(-1, n))
        proved = _prove(problem, start, proved, known=True)
    waiting = deque([(problem.lower[None, :], problem.upper[None, :])])
    stuck: list[tuple[Array, Array]] = []
    examined = 0
    while waiting and examined < budget and time.perf_counter() < stop:
        lo, hi = _outside(*_take(waiting, min(CHUNK, budget - examined)), proved)
        examined += len(lo)
        lo, hi, parents, points = _prune(problem, lo, hi, proved)
        if len(points):
            proved = _prove(problem, points, proved, known=False)
        narrow = np.all(hi - lo <= SMALLEST * problem.widths, axis=1)
        stuck.append((lo[narrow], hi[narrow]))
        waiting.extend(_split(problem, lo[~narrow], hi[~narrow], parents[~narrow]))
    rest = _outside(*_joined([*stuck, *waiting], n), proved)
    return _conclude(problem, proved, rest, examined)


def _problem(
    rule: Program,
    jacobian: Program,
    parameters: Sequence[float],
    lower: Sequence[float] | Array,
    upper: Sequence[float] | Array,
) -> _Problem:
    low, high = np.array(lower, float), np.array(upper, float)
    if not (np.all(np.isfinite(low)) and np.all(np.isfinite(high)) and np.all(low < high)):
        message = (
            f"The search box from {low.tolist()} to {high.tolist()} is empty or not finite. "
            "Give each state a finite lower end below its upper end."
        )
        raise ValueError(message)
    return _Problem(rule, jacobian, tuple(float(value) for value in parameters), low, high)


def _joined(parts: Sequence[tuple[Array, Array]], n: int) -> tuple[Array, Array]:
    if not parts:
        return np.empty((0, n)), np.empty((0, n))
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def _take(waiting: deque[tuple[Array, Array]], count: int) -> tuple[Array, Array]:
    """Take the oldest boxes, at most `count`; the rest of a batch goes back to its place."""
    parts = []
    while waiting and count > 0:
        lo, hi = waiting.popleft()
        parts.append((lo[:count], hi[:count]))
        if len(lo) > count:
            waiting.appendleft((lo[count:], hi[count:]))
        count -= len(lo)
    return _joined(parts, parts[0][0].shape[1])


def _outside(lo: Array, hi: Array, proved: _Proved) -> tuple[Array, Array]:
    """Remove what lies in a proved box; cut off what sticks into one on a single side."""
    for low, high in zip(proved.lower, proved.upper, strict=True):
        if not np.any(np.all((lo < high) & (hi > low), axis=1)):
            continue
        out = (lo < low) | (hi > high)
        sides = out.sum(axis=1)
        meets = np.all((lo <= high) & (hi >= low), axis=1)
        one = (meets & (sides == 1))[:, None] & out
        lo, hi = np.where(one & (lo >= low), high, lo), np.where(one & (hi <= high), low, hi)
        lo, hi = lo[sides > 0], hi[sides > 0]
    return lo, hi


def _prune(
    problem: _Problem, lo: Array, hi: Array, proved: _Proved
) -> tuple[Array, Array, Array, Array]:
    """Shrink or discard boxes; returns what is left, the old widths, and approximate zeros seen."""
    old_lo, old_hi, plain = _localise(problem, lo, hi)
    conditioned, image_lo, image_hi = _condition(plain, old_lo, old_hi)
    lo, hi, alive = _solve_rows(plain, old_lo, old_hi)
    lo, hi, alive_still = _solve_rows(conditioned, lo, hi)
    lo, hi = np.maximum(lo, image_lo), np.minimum(hi, image_hi)
    keep = alive & alive_still & np.all(lo <= hi, axis=1)
    with np.errstate(all="ignore"):
        one_to_one = keep & np.all(image_hi - image_lo < old_hi - old_lo, axis=1)
    lo, hi = _not_too_thin(problem, lo, hi, old_lo, old_hi)
    points = 0.5 * (image_lo[one_to_one] + image_hi[one_to_one])
    points = _approximations(problem, points, old_lo[one_to_one], old_hi[one_to_one], proved)
    return lo[keep], hi[keep], (old_hi - old_lo)[keep], points


def _not_too_thin(
    problem: _Problem, lo: Array, hi: Array, old_lo: Array, old_hi: Array
) -> tuple[Array, Array]:
    missing = np.maximum(THINNEST * problem.widths - (hi - lo), 0.0)
    return np.maximum(old_lo, lo - 0.5 * missing), np.minimum(old_hi, hi + 0.5 * missing)


def _localise(problem: _Problem, lo: Array, hi: Array) -> tuple[Array, Array, _Linear]:
    """Drop boxes on which some component keeps off 0; expand the others about their middles."""
    values = evaluate(problem.rule, problem.parameters, lo, hi)
    keep = np.all((values.lower <= 0) & (values.upper >= 0), axis=1)
    lo, hi, smooth = lo[keep], hi[keep], _smooth(values)[keep]
    return lo, hi, _expand(problem, lo, hi, 0.5 * lo + 0.5 * hi, smooth)


def _smooth(values: Image) -> Mask:
    finite = np.isfinite(values.lower) & np.isfinite(values.upper)
    smooth: Mask = values.regular & np.all(finite, axis=1)
    return smooth


def _expand(problem: _Problem, lo: Array, hi: Array, middle: Array, smooth: Mask) -> _Linear:
    """f(m) and J(X); where f is not continuous on X, every slope must be thought possible."""
    boxes, n = lo.shape
    values = evaluate(problem.rule, problem.parameters, middle, middle)
    slopes = evaluate(problem.jacobian, problem.parameters, lo, hi)
    slopes.lower[~smooth], slopes.upper[~smooth] = -np.inf, np.inf
    shape = (boxes, n, n)
    ends = slopes.lower.reshape(shape), slopes.upper.reshape(shape)
    return _Linear(middle, values.lower, values.upper, *ends)


def _middle_and_radius(lo: Array, hi: Array) -> tuple[Array, Array]:
    with np.errstate(all="ignore"):
        middle = 0.5 * lo + 0.5 * hi
        radius = np.maximum(hi - middle, middle - lo) * (1 + 8 * UNIT) + TINY
    finite = np.isfinite(middle) & np.isfinite(radius)
    return np.where(finite, middle, 0.0), np.where(finite, radius, np.inf)


def _condition(plain: _Linear, lo: Array, hi: Array) -> tuple[_Linear, Array, Array]:
    """Multiply by the inverse of the midpoint Jacobian; also return the ends of Krawczyk's K(X).

    |fl(A B) - A B| <= gamma |A| |B|, gamma = n u / (1 - n u), whatever the order of summation; the
    factor 4 (n + 2) u covers this, the sums that follow, and the rounding of the bound itself.
    """
    n = lo.shape[1]
    gamma = 4 * (n + 2) * UNIT
    value, value_error = _middle_and_radius(plain.value_lo, plain.value_hi)
    slope, slope_error = _middle_and_radius(plain.slope_lo, plain.slope_hi)
    inverse = _inverse(slope)
    size = np.abs(inverse)
    with np.errstate(all="ignore"):
        slope_error = size @ (slope_error + gamma * np.abs(slope)) * (1 + gamma) + TINY
        slope, slope_error = _honest(inverse @ slope, slope_error)
        value_error = size @ (value_error + gamma * np.abs(value))[:, :, None] * (1 + gamma) + TINY
        value, value_error = _honest(inverse @ value[:, :, None], value_error)
        value, value_error = value[:, :, 0], value_error[:, :, 0]
        reach = np.maximum(hi - plain.middle, plain.middle - lo) * (1 + gamma)
        rest = (np.abs(np.eye(n) - slope) + slope_error) * (1 + gamma) + TINY
        radius = (rest @ reach[:, :, None])[:, :, 0] + value_error
        radius = (radius + gamma * (np.abs(plain.middle) + np.abs(value))) * (1 + gamma) + TINY
        centre, radius = _honest(plain.middle - value, radius)
        conditioned = _Linear(
            plain.middle,
            value - value_error,
            value + value_error,
            slope - slope_error,
            slope + slope_error,
        )
        return conditioned, centre - radius, centre + radius


def _honest(middle: Array, error: Array) -> tuple[Array, Array]:
    """Admit that what is not a number, or has overflowed, is not known at all."""
    good = np.isfinite(middle) & np.isfinite(error)
    return np.where(good, middle, 0.0), np.where(good, error, np.inf)


def _inverse(matrices: Array) -> Array:
    """Invert; the unit matrix where there is no inverse (any is allowed, a good one is useful)."""
    n = matrices.shape[-1]
    with np.errstate(all="ignore"):
        sizes = np.abs(matrices).max(axis=(1, 2), initial=0.0)
        scaled = matrices / np.where(sizes > 0, sizes, 1.0)[:, None, None]
        usable = (sizes > 0) & np.isfinite(sizes)
        usable &= np.abs(np.linalg.det(np.where(usable[:, None, None], scaled, 0.0))) > 1e-200
        inverses = np.linalg.inv(np.where(usable[:, None, None], scaled, np.eye(n)))
        inverses = inverses / np.where(usable, sizes, 1.0)[:, None, None]
    usable &= np.all(np.isfinite(inverses), axis=(1, 2))
    return np.where(usable[:, None, None], inverses, np.eye(n))


def _solve_rows(linear: _Linear, lo: Array, hi: Array) -> tuple[Array, Array, Mask]:
    """Solve each row of 0 = value + slope (x - m) for each coordinate in turn and intersect.

    Row i for coordinate j reads J_ij (x_j - m_j) = s with s = -f_i - sum_(k != j) J_ik (x_k - m_k).
    Returns the ends and whether a zero remains possible.
    """
    n = lo.shape[1]
    gamma = 4 * (n + 4) * UNIT
    middle = linear.middle
    value_size = np.maximum(np.abs(linear.value_lo), np.abs(linear.value_hi))
    alive = np.ones(len(lo), bool)
    lo, hi = lo.copy(), hi.copy()
    with np.errstate(all="ignore"):
        for j in range(n):
            below, above = _products(linear, lo - middle, hi - middle)
            below[:, :, j] = above[:, :, j] = 0.0
            size = np.maximum(np.abs(below), np.abs(above)).sum(axis=2) + value_size
            noise = gamma * size + TINY
            right_lo = -(linear.value_hi + above.sum(axis=2)) - noise
            right_hi = -(linear.value_lo + below.sum(axis=2)) + noise
            right_lo = np.where(np.isnan(right_lo), -np.inf, right_lo)
            right_hi = np.where(np.isnan(right_hi), np.inf, right_hi)
            for i in range(n):
                step_lo, step_hi, possible = _quotient(
                    (right_lo[:, i], right_hi[:, i]),
                    (linear.slope_lo[:, i, j], linear.slope_hi[:, i, j]),
                    (lo[:, j] - middle[:, j], hi[:, j] - middle[:, j]),
                )
                size = np.abs(middle[:, j])
                low = middle[:, j] + step_lo - gamma * (size + np.abs(step_lo)) - TINY
                high = middle[:, j] + step_hi + gamma * (size + np.abs(step_hi)) + TINY
                # fmax and fmin: what is not a number says nothing
                lo[:, j], hi[:, j] = np.fmax(lo[:, j], low), np.fmin(hi[:, j], high)
                alive &= possible & (lo[:, j] <= hi[:, j])
    return lo, hi, alive


def _products(linear: _Linear, step_lo: Array, step_hi: Array) -> tuple[Array, Array]:
    """Multiply: J_ik (x_k - m_k); the rounding is in the caller's noise; 0 * infinity is 0."""
    slopes, steps = (linear.slope_lo, linear.slope_hi), (step_lo[:, None, :], step_hi[:, None, :])
    products = [slope * step for slope in slopes for step in steps]
    if any(np.isnan(product).any() for product in products):
        products = [np.where(np.isnan(product), 0.0, product) for product in products]
    below = np.minimum(np.minimum(products[0], products[1]), np.minimum(products[2], products[3]))
    above = np.maximum(np.maximum(products[0], products[1]), np.maximum(products[2], products[3]))
    return below, above


def _quotient(
    right: tuple[Array, Array], slope: tuple[Array, Array], step: tuple[Array, Array]
) -> tuple[Array, Array, Mask]:
    """Find t in `step` with J t = s for a J in `slope` and an s in `right`; tell if there is none.

    When 0 is among the slopes but not in the right side, the solutions are two half lines (extended
    division, Neumaier 1990, section 4.3); the hull of what they leave of the steps is returned.
    """
    flip = right[1] < 0
    low, high = np.where(flip, -right[1], right[0]), np.where(flip, -right[0], right[1])
    down, up = np.where(flip, -slope[1], slope[0]), np.where(flip, -slope[0], slope[1])
    divisible = (down > 0) | (up < 0)
    quotients = [low / down, low / up, high / down, high / up]
    whole_lo, whole_hi = np.minimum.reduce(quotients), np.maximum.reduce(quotients)
    # low > 0: t >= low / up where up > 0, or t <= low / down where down < 0
    right_of = np.where(up > 0, low / up * (1 - 4 * UNIT), np.inf)
    left_of = np.where(down < 0, low / down * (1 - 4 * UNIT), -np.inf)
    split_lo = np.where(step[0] > left_of, np.maximum(right_of, step[0]), step[0])
    split_hi = np.where(step[1] < right_of, np.minimum(left_of, step[1]), step[1])
    two_parts = ~divisible & (low > 0)
    lo = np.where(divisible, whole_lo, np.where(two_parts, split_lo, -np.inf))
    hi = np.where(divisible, whole_hi, np.where(two_parts, split_hi, np.inf))
    return lo, hi, ~(lo > hi)


def _approximations(
    problem: _Problem, points: Array, lo: Array, hi: Array, proved: _Proved
) -> Array:
    """Points near zeros not yet proved: Newton's step from boxes on which f is one to one."""
    near = np.all((points >= lo - (hi - lo)) & (points <= hi + (hi - lo)), axis=1)
    points = points[near & ~_inside_any(points, proved)]
    if not len(points):
        return points
    return _distinct(problem, _polish(problem, points[:CANDIDATES]), proved)


def _inside_any(points: Array, proved: _Proved) -> Mask:
    inside = (points[:, None, :] >= proved.lower) & (points[:, None, :] <= proved.upper)
    found: Mask = np.any(np.all(inside, axis=2), axis=1)
    return found


def _polish(problem: _Problem, points: Array) -> Array:
    """Newton's method; points that run away are dropped."""
    smooth = np.ones(len(points), bool)
    start, reach = points, problem.widths
    with np.errstate(all="ignore"):
        for _ in range(POLISHING):
            step = _newton_step(_expand(problem, points, points, points, smooth))
            points = points - step
            if np.all(np.abs(step) <= 2 * UNIT * (np.abs(points) + 1e-3 * problem.widths)):
                break
            fine = np.all(np.isfinite(points) & (np.abs(points - start) <= reach), axis=1)
            points, start, smooth = points[fine], start[fine], smooth[fine]
    return points


def _newton_step(linear: _Linear) -> Array:
    value, _ = _middle_and_radius(linear.value_lo, linear.value_hi)
    slope, _ = _middle_and_radius(linear.slope_lo, linear.slope_hi)
    return np.asarray((_inverse(slope) @ value[:, :, None])[:, :, 0])


def _distinct(problem: _Problem, points: Array, proved: _Proved) -> Array:
    points = points[~_inside_any(points, proved)]
    cells = np.round(points / (1e-9 * problem.widths))
    _, first = np.unique(cells, axis=0, return_index=True)
    return points[np.sort(first)]


def _prove(problem: _Problem, points: Array, proved: _Proved, *, known: bool) -> _Proved:
    """Add the boxes around those points for which Krawczyk's test succeeds.

    All sizes are tried at once.  Any success is a proof by itself; nested successes hold the same
    zero, hence the largest gives the box and the smallest image the core.
    """
    radius = NEST[:, None, None] * problem.widths
    success, image_lo, image_hi = _krawczyk(problem, points - radius, points + radius, points)
    some = success.any(axis=0)
    points, success = points[some], success[:, some]
    rows = np.arange(len(points))
    width = np.where(success, (image_hi - image_lo)[:, some].max(axis=2), np.inf)
    tightest = np.argmin(width, axis=0)
    core_lo, core_hi = image_lo[:, some][tightest, rows], image_hi[:, some][tightest, rows]
    core_lo, core_hi = _refine(problem, core_lo, core_hi)
    largest = radius[np.argmax(success, axis=0), 0]
    lo, hi = _stretch(problem, points - largest, points + largest, points)
    for i in rows:
        # cores that meet are taken for the same zero: never counted twice, at worst left undecided
        meet = (core_lo[i] <= proved.core_upper) & (core_hi[i] >= proved.core_lower)
        if np.any(np.all(meet, axis=1)):
            continue
        proved = _Proved(
            lower=np.vstack([proved.lower, lo[i]]),
            upper=np.vstack([proved.upper, hi[i]]),
            core_lower=np.vstack([proved.core_lower, core_lo[i]]),
            core_upper=np.vstack([proved.core_upper, core_hi[i]]),
            known=(*proved.known, known),
        )
    return proved


def _krawczyk(problem: _Problem, lo: Array, hi: Array, middle: Array) -> tuple[Mask, Array, Array]:
    """Krawczyk's test on many boxes (..., n) about given points: success and image."""
    shape = lo.shape
    n = shape[-1]
    middle = np.broadcast_to(middle, shape).reshape(-1, n)
    lo, hi = lo.reshape(-1, n), hi.reshape(-1, n)
    values = evaluate(problem.rule, problem.parameters, lo, hi)
    linear = _expand(problem, lo, hi, middle, _smooth(values))
    _, image_lo, image_hi = _condition(linear, lo, hi)
    success = np.all((image_lo > lo) & (image_hi < hi), axis=1)
    return success.reshape(shape[:-1]), image_lo.reshape(shape), image_hi.reshape(shape)


def _refine(problem: _Problem, lo: Array, hi: Array) -> tuple[Array, Array]:
    """Shrink cores to rounding: K(X) holds every zero in X, hence so does its part in X."""
    for _ in range(REFINEMENTS):
        width = hi - lo
        _, image_lo, image_hi = _krawczyk(problem, lo, hi, 0.5 * lo + 0.5 * hi)
        lo, hi = np.maximum(lo, image_lo), np.minimum(hi, image_hi)
        if np.all(hi - lo > 0.5 * width):
            break
    return lo, hi


def _stretch(problem: _Problem, lo: Array, hi: Array, points: Array) -> tuple[Array, Array]:
    """Lengthen proved boxes along one axis after the other as far as the proof holds."""
    rows = np.arange(len(points))
    for j in range(points.shape[1]):
        factors = np.ones((len(STRETCH), 1, points.shape[1]))
        factors[:, 0, j] = STRETCH
        longer_lo = np.minimum(points - factors * (points - lo), lo)
        longer_hi = np.maximum(points + factors * (hi - points), hi)
        success, _, _ = _krawczyk(problem, longer_lo, longer_hi, points)
        best = np.argmax(success, axis=0)
        some = np.any(success, axis=0, keepdims=True).T
        lo = np.where(some, longer_lo[best, rows], lo)
        hi = np.where(some, longer_hi[best, rows], hi)
    return lo, hi


def _split(problem: _Problem, lo: Array, hi: Array, parents: Array) -> list[tuple[Array, Array]]:
    """Halve the boxes along their longest side; boxes that shrank by themselves are kept whole."""
    if not len(lo):
        return []
    width = (hi - lo) / problem.widths
    axis = np.argmax(width, axis=1)
    rows = np.arange(len(lo))
    middle = 0.5 * lo[rows, axis] + 0.5 * hi[rows, axis]
    shrunk = np.prod((hi - lo) / parents, axis=1) < CONTRACTED
    left_hi, right_lo = hi.copy(), lo.copy()
    left_hi[rows, axis] = np.where(shrunk, hi[rows, axis], middle)
    right_lo[rows, axis] = middle
    again = ~shrunk
    return [(np.concatenate([lo, right_lo[again]]), np.concatenate([left_hi, hi[again]]))]


def _conclude(
    problem: _Problem, proved: _Proved, rest: tuple[Array, Array], examined: int
) -> Enclosure:
    n = len(problem.lower)
    # a zero on the boundary is known to rounding only: it counts if its core touches the search box
    inside = np.all(
        (proved.core_upper >= problem.lower) & (proved.core_lower <= problem.upper), axis=1
    )
    known = np.array(proved.known, bool)
    cores = proved.core_lower[inside], proved.core_upper[inside]
    middles = 0.5 * cores[0] + 0.5 * cores[1]
    count, undecided = len(middles), len(rest[0])
    hull = (rest[0].min(axis=0), rest[1].max(axis=0)) if undecided else None
    if undecided:
        reason = _why_not(problem, rest, examined)
    else:
        number = {0: "no zero", 1: "exactly 1 zero"}.get(count, f"exactly {count} zeros")
        reason = f"proved: {number} in the box ({examined} boxes examined)"
    return Enclosure(
        complete=undecided == 0,
        boxes=(proved.lower[inside], proved.upper[inside]),
        cores=cores,
        new=middles[~known[inside]].reshape(-1, n),
        undecided=undecided,
        hull=hull,
        reason=reason,
        boxes_examined=examined,
    )


def _why_not(problem: _Problem, rest: tuple[Array, Array], examined: int) -> str:
    """Say what stands in the way: a zero (degenerate), a jump, or only the budget."""
    counted = f"not proved: {len(rest[0])} boxes undecided after {examined}"
    sizes = np.max((rest[1] - rest[0]) / problem.widths, axis=1)
    smallest = np.argsort(sizes)[:CANDIDATES]
    lo, hi = rest[0][smallest], rest[1][smallest]
    points = start = 0.5 * lo + 0.5 * hi
    undefined = ~_smooth(evaluate(problem.rule, problem.parameters, start, start))
    broken = ~_smooth(evaluate(problem.rule, problem.parameters, lo, hi))
    broken &= undefined | (sizes[smallest] <= 2 * SMALLEST)
    for _ in range(2 * POLISHING):
        value, _, slope = _at_points(problem, points)
        with np.errstate(all="ignore"):
            inverse = np.linalg.pinv(slope, rcond=1e-10)
            points = points - (inverse @ value[:, :, None])[:, :, 0]
    value, value_error, slope = _at_points(problem, points)
    near = np.all(np.abs(points - start) <= 1e-2 * problem.widths, axis=1)
    slopes = np.abs(slope) @ problem.widths
    vanishing = np.all(np.abs(value) <= 1e-9 * slopes + value_error, axis=1)
    found = np.flatnonzero(near & vanishing & ~broken & np.all(np.isfinite(value_error), axis=1))
    if len(found):
        where = _named_point(problem, points[found[0]])
        return f"{counted}; a degenerate or non-isolated zero near {where}"
    if np.any(broken):
        where = _named_point(problem, start[np.argmax(broken)])
        return f"{counted}; the equations are not defined, or jump, near {where}"
    where = _named_point(problem, start[0])
    return f"{counted}, the smallest near {where}; a larger budget or a smaller box may decide them"


def _at_points(problem: _Problem, points: Array) -> tuple[Array, Array, Array]:
    linear = _expand(problem, points, points, points, np.ones(len(points), bool))
    value, error = _middle_and_radius(linear.value_lo, linear.value_hi)
    slope, _ = _middle_and_radius(linear.slope_lo, linear.slope_hi)
    return value, error, slope


def _named_point(problem: _Problem, point: Array) -> str:
    grain = 1e-9 * problem.widths
    rounded = np.where(np.abs(point) < grain, 0.0, point)
    pairs = zip(problem.rule.states, rounded, strict=True)
    return ", ".join(f"{name} = {value:.6g}" for name, value in pairs)
