"""Deviations: a state and small deviations from it, carried along a system together.

What the exponents, the covariant vectors and the alignment indices have in common: a run that is
carried on for some time, whose deviations can be made orthonormal, and that can add up their growth by
itself.  See `dynlab.kernels.tangent` for how.
"""

from __future__ import annotations

import abc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.inputs import Inputs, inputs_of
from dynlab.codegen.kernels import Kernel, kernels_of
from dynlab.codegen.sparse import SparseJacobian
from dynlab.errors import SettingError, UnsupportedSystemError
from dynlab.kernels import columns, loops, maps, run, tangent
from dynlab.kernels.convention import EVENT, OK, RUNNING
from dynlab.solve.breaks import break_times
from dynlab.solve.chunks import in_chunks
from dynlab.solve.legs import GAP
from dynlab.solve.linear_algebra import LinearAlgebra
from dynlab.solve.methods import AdaptiveMethod, Automatic, OdeMethod
from dynlab.status import Status
from dynlab.symbolic.system import System

__all__ = ["DEFAULT_METHOD", "Deviations", "Growth", "Stretches", "deviations_of", "random_vectors"]

Array = NDArray[np.float64]
DEFAULT_METHOD = Automatic(rtol=1e-8, atol=1e-11, max_steps=10**8)

#: With more entries of the Jacobian than so many for each state a product J v costs less than they.
MOST_ENTRIES = 24
#: Maps of so many states at most have the determinant of J taken at each step.
MOST_FOR_DETERMINANT = 16
FIRST_CHUNK = 200


@dataclass(frozen=True, slots=True, eq=False)
class Growth:
    """How deviations grew over a run, in rows that follow each other.

    Attributes
    ----------
    begin
        When the first row begins.
    times
        When each row ends.
    logarithms
        Rows x deviations: how much the logarithms of the lengths grew.
    volumes
        How much the logarithm of the volume of all deviations grew in each row, computed by itself: the
        integral of the divergence, for maps the sum of log |det J|.  Empty where it was not taken.
    low, high
        The corners of the box that holds the states of the second half of the run.
    steps
        How many steps were taken: of the method, or of the map.
    """

    begin: float
    times: Array
    logarithms: Array
    volumes: Array
    low: Array
    high: Array
    steps: int


@dataclass(frozen=True, slots=True, eq=False)
class Stretches:
    """A run in stretches short enough for their matrices to keep their digits.

    Attributes
    ----------
    times
        When each stretch ends.
    ends_row
        Whether a row ends there; between two of these the columns may part beyond what one matrix tells.
    states
        The states there, a row each.
    bases
        The orthonormal deviations there: stretch x deviation x state.
    triangles
        The triangular R of each: the deviations at its beginning become Q R.
    """

    times: Array
    ends_row: NDArray[np.bool_]
    states: Array
    bases: Array
    triangles: Array


def deviations_of(
    system: System,
    start: Array,
    vectors: Array,
    *,
    method: OdeMethod = DEFAULT_METHOD,
    begin: float = 0.0,
) -> Deviations:
    """Return a run of a state with deviations from it, one in each row of `vectors`.

    Raises
    ------
    UnsupportedSystemError
        If the system has events; `dynlab.chaos.exponents.hybrid.AlongEvents` carries deviations across them.
    SettingError
        If the method has no tolerances.
    """
    if system.events:
        raise UnsupportedSystemError(
            f"{system.name!r} has events ({', '.join(system.event_names)}), across which deviations jump, and "
            "this analysis does not carry them there. dl.lyapunov_spectrum does; dl.saltation_matrix "
            "takes a single crossing."
        )
    if system.is_discrete:
        return _AlongMap(system, start, vectors, begin)
    if not isinstance(method, AdaptiveMethod):
        raise SettingError(
            f"method is {method!r}, which does not carry deviations. Give a method with tolerances, such "
            "as dl.Explicit8(), or leave method= out."
        )
    return _AlongFlow(system, start, vectors, begin, method)


def random_vectors(count: int, size: int, generator: np.random.Generator) -> Array:
    """Return orthonormal deviations in random directions, one in each row."""
    q, r = np.linalg.qr(generator.standard_normal((size, count)))
    return np.ascontiguousarray((q * np.sign(np.diag(r))).T)


class Deviations(abc.ABC):
    """A state with deviations, now; it moves when it is carried.

    Attributes
    ----------
    status
        `Status.OK`, or why it cannot be carried further.
    period
        After how many steps the state of a map came again to the last bit; 0 if it did not, or was not watched.
    is_trapped
        Whether that has ended a measurement.
    """

    status: Status
    period: int = 0
    is_trapped: bool = False
    _x: Array
    _rows: Array
    _kept: tuple[Any, ...]

    def __init__(self, system: System, start: Array, vectors: Array, unit: float) -> None:
        self._n, self._m = len(start), len(vectors)
        self._rule, self._inputs, self._alive = _composed(system, self._m, unit)
        self._system, self._unit, self.status = system, unit, Status.OK
        self._plan = np.zeros(tangent.PLAN_SIZE)
        self._plan[tangent.UNIT] = unit
        self._progress = np.zeros(tangent.PROGRESS_SIZE, np.int64)
        self._basis, self._r = np.zeros((self._m, self._n)), np.zeros((self._m, self._m))
        columns = np.asarray(vectors, float).T * unit
        self._first = np.concatenate([start, columns.ravel(), [0.0]])

    @property
    @abc.abstractmethod
    def t(self) -> float:
        """The time of now."""

    @property
    def state(self) -> Array:
        """The state of now."""
        return self._x[: self._n].copy()

    @property
    def vectors(self) -> Array:
        """The deviations of now, one in each row."""
        return np.asarray(self._x[self._n : -1].reshape(self._n, self._m).T / self._unit)

    def turn(self, vectors: Array) -> None:
        """Put other deviations in place of those of now."""
        self._x[self._n : -1] = (np.asarray(vectors, float).T * self._unit).ravel()
        self._renew()

    def put(self, state: Array, vectors: Array) -> None:
        """Put another state and other deviations in place of those of now."""
        self._x[: self._n] = state
        self._x[-1] = 0.0
        self.turn(vectors)

    def orthonormalise(self) -> Array:
        """Make the deviations orthonormal; return the triangular R, of which V = Q R with columns."""
        tangent.orthonormalise(self._unit, self._x, self._basis, self._r)
        self._renew()
        return self._r.copy()

    def carry(self, span: float, note: str = "deviations") -> Status:
        """Carry state and deviations over some time, and leave these as they become."""
        return self._go(span, note, self._take)

    def measure(self, span: float, rows: int, note: str = "exponents") -> Growth:
        """Carry them over some time, orthonormal again and again, and add up how they grow."""
        begin = self.t
        self._begin_rows(span, rows, self._first_interval(span))
        kept: list[Array] = []

        def take(steps: int) -> int:
            status = self._take_and_add(steps)
            kept.append(self._written(tangent.ROWS, self._rows))
            return RUNNING if status == EVENT and not self._is_trapped() else status

        self._go(span, note, take)
        kept.append(self._unfinished_row(self._kept[4]))
        table, box = np.concatenate(kept), self._kept[6]
        volumes = table[:, -1] if self._has_volume else table[:0, -1]
        return Growth(
            begin, table[:, 0], table[:, 1:-1], volumes, box[0], box[1], self._steps_taken
        )

    def stretches(self, span: float, rows: int, note: str = "deviations") -> Stretches:
        """Carry them over some time, orthonormal again and again, and keep the matrices that say how they turn."""
        n, m = self._n, self._m
        record = np.zeros((min(4 * rows, 1024), tangent.RECORD_HEAD + n + m * n + m * m))
        self._begin_rows(span, rows, self._plan[tangent.INTERVAL] or self._first_interval(span))
        self._kept = (*self._kept[:-2], np.eye(m), record)
        kept: list[Array] = []

        def take(steps: int) -> int:
            status = self._take_and_add(steps)
            self._progress[tangent.ROWS] = 0
            kept.append(self._written(tangent.RECORDS, record))
            return status

        self._go(span, note, take)
        table = np.concatenate(kept) if kept else record[:0]
        cuts = np.cumsum([tangent.RECORD_HEAD, n, m * n])
        head, states, bases, triangles = np.split(table, cuts, axis=1)
        return Stretches(
            head[:, 0], head[:, 1] != 0, states, bases.reshape(-1, m, n),
            np.ascontiguousarray(triangles.reshape(-1, m, m)),
        )  # fmt: skip

    def _begin_rows(self, span: float, rows: int, interval: float) -> None:
        begin, plan = self.t, self._plan
        self.orthonormalise()
        self._rows = np.zeros((min(rows, 256), self._m + 2))
        box = np.array([np.full(self._n, np.inf), np.full(self._n, -np.inf)])
        none = np.zeros((0, 0))
        self._kept = (
            self._progress, plan, self._basis, self._r, np.zeros(self._m + 1), self._rows, box, none, none,
        )  # fmt: skip
        plan[tangent.LAST], plan[tangent.INTERVAL] = begin, interval
        plan[tangent.BLOCK], plan[tangent.NEXT] = span / rows, begin + span / rows
        plan[tangent.BOXED_FROM] = begin + 0.5 * span
        self._progress[tangent.ROWS] = self._progress[tangent.RECORDS] = 0

    def _written(self, place: int, table: Array) -> Array:
        """Return what stands in a table by now, and let it be filled from its top again."""
        written, self._progress[place] = int(self._progress[place]), 0
        return table[:written].copy()

    def _unfinished_row(self, sums: Array) -> Array:
        """Return the row that a run was in when it ended early; no row if it ended in time."""
        unfinished = self.t > self._plan[tangent.LAST] or sums.any()
        if self.status == Status.OK or not unfinished or not np.isfinite(self._x).all():
            return np.zeros((0, self._m + 2))
        volume = self._x[-1] / self._unit
        with np.errstate(divide="ignore"):
            sums[:-1] += np.log(np.diag(self.orthonormalise()))
        sums[-1] += volume
        return np.concatenate([[self.t], sums])[None, :]

    @abc.abstractmethod
    def watch(self, ends: Callable[[Array, int], bool]) -> None:
        """Ask ``ends(state, period)`` once a state of a map comes again to the last bit; flows have none."""

    @abc.abstractmethod
    def _is_trapped(self) -> bool: ...
    @property
    @abc.abstractmethod
    def _steps_taken(self) -> int: ...
    @property
    @abc.abstractmethod
    def _has_volume(self) -> bool: ...
    @abc.abstractmethod
    def _first_interval(self, span: float) -> float: ...
    @abc.abstractmethod
    def _go(self, span: float, note: str, take: Any) -> Status: ...
    @abc.abstractmethod
    def _take(self, steps: int) -> int: ...
    @abc.abstractmethod
    def _take_and_add(self, steps: int) -> int: ...
    @abc.abstractmethod
    def _renew(self) -> None: ...


class _AlongFlow(Deviations):
    """Steps by the loops of an adaptive method."""

    def __init__(
        self, system: System, start: Array, vectors: Array, begin: float, method: AdaptiveMethod
    ) -> None:
        # Columns of this length have their error measured against their length; see kernels.tangent.
        unit = method.atol / method.rtol if method.rtol and method.atol else 1.0
        super().__init__(system, start, vectors, unit)
        self._numbers = np.zeros(loops.STATE_SIZE + columns.CONTEXT_SIZE)
        self._tally = np.zeros(loops.TALLY_SIZE, np.int64)
        self._work = np.zeros((loops.WORK_ROWS, len(self._first)))
        self._numbers[loops.RTOL] = method.rtol
        self._numbers[loops.ATOL] = max(method.atol, loops.TINY)
        self._numbers[loops.STEP] = method.first_step or 0.0
        self._numbers[loops.T] = begin
        self._tally[loops.MOST_ATTEMPTS] = method.max_steps
        self._tally[loops.CHOICE] = method.choice
        self._columns = _Columns(system, self._m, self._numbers)
        self._columns.attach(self._tally, len(self._first))
        self._x = self._work[loops.X]
        self._x[:] = self._first

    @property
    def t(self) -> float:
        return float(self._numbers[loops.T])

    @property
    def _steps_taken(self) -> int:
        return self._steps

    @property
    def _has_volume(self) -> bool:
        return self._m == self._n

    @property
    def _arguments(self) -> tuple[Any, ...]:
        return (self._rule.address, self._numbers, self._tally, self._work, *self._inputs)

    def _first_interval(self, span: float) -> float:
        return max(10.0 * abs(float(self._numbers[loops.STEP])), 1e-6 * span)

    def _go(self, span: float, note: str, take: Any) -> Status:
        """Go on to the end of the span, stopping on both sides of times at which the equations jump."""
        begin, end = self.t, self.t + span
        self._steps = 0
        for stop in [*break_times(self._system, begin, end), end]:
            gap = GAP * np.spacing(abs(stop)) if stop < end else 0.0
            if stop - gap <= self.t:
                self._numbers[loops.T] = max(self.t, stop + gap)
                continue
            self._numbers[loops.END] = stop - gap
            self.status = Status(loops.begin(*self._arguments))
            self._tally[loops.ATTEMPTS] = self._steps
            if self.status == RUNNING:
                self.status = in_chunks(take, lambda: self.t - begin, span, note, FIRST_CHUNK)
            if self._columns.failure is not None:
                raise self._columns.failure
            self._steps = int(self._tally[loops.ATTEMPTS])
            if self.status != OK:
                break
            if gap:
                self._numbers[loops.T] = stop + gap
        return self.status

    def _take(self, steps: int) -> int:
        return int(loops.advance(*self._arguments, steps))

    def _take_and_add(self, steps: int) -> int:
        return int(tangent.advance(*self._arguments, steps, *self._kept))

    def watch(self, ends: Callable[[Array, int], bool]) -> None:
        pass

    def _is_trapped(self) -> bool:
        return False

    def _renew(self) -> None:
        """Nothing to do: the loops begin anew whenever they are called."""


class _Columns(LinearAlgebra):
    """Lets the implicit method solve for all columns with the matrices of the state, once it is needed."""

    def __init__(self, system: System, count: int, numbers: Array) -> None:
        super().__init__()
        self._system, self._count, self._numbers = system, count, numbers

    def prepare(self) -> None:
        n, own = len(self._system.state_names), inputs_of(self._system)
        jacobian = kernels_of(self._system).jacobian()
        matrices, pivots = np.zeros((columns.ROWS * n + 4, n)), np.zeros(2 * n, np.int64)
        self._alive = jacobian, own, matrices, pivots
        self._numbers[columns.CONTEXT :] = (
            n, self._count, jacobian.address, *(array.ctypes.data for array in own),
            matrices.ctypes.data, pivots.ctypes.data,
        )  # fmt: skip
        self._tally[run.LINEAR] = columns.answer.address
        self._tally[run.FOREIGN] = 1


class _AlongMap(Deviations):
    """Steps of a map; it may watch for states that come again."""

    def __init__(self, system: System, start: Array, vectors: Array, begin: float) -> None:
        super().__init__(system, start, vectors, 1.0)
        self._work = np.tile(self._first, (maps.WORK_ROWS + 1, 1))
        self._x = self._work[maps.X]
        self._progress[tangent.STEPS] = int(begin)
        room = self._n if self._m == self._n <= MOST_FOR_DETERMINANT else 0
        self._matrix, self._pivots = np.zeros((room, room)), np.zeros(room, np.int64)

    @property
    def t(self) -> float:
        return float(self._progress[tangent.STEPS])

    def watch(self, ends: Callable[[Array, int], bool]) -> None:
        self._progress[tangent.WATCH] = 1
        self._progress[tangent.WATCHED_FROM] = self._progress[tangent.STEPS]
        self._work[maps.WORK_ROWS] = self._x
        self._ends = ends

    def _is_trapped(self) -> bool:
        self.period = int(self._progress[tangent.PERIOD])
        self._progress[tangent.WATCH] = 0
        self.is_trapped = self._ends(self.state, self.period)
        return self.is_trapped

    @property
    def _steps_taken(self) -> int:
        return self._steps

    @property
    def _has_volume(self) -> bool:
        return len(self._matrix) > 0

    @property
    def _arguments(self) -> tuple[Any, ...]:
        return (self._rule.address, self._work, *self._inputs)

    def _first_interval(self, span: float) -> float:
        return 1.0

    def _go(self, span: float, note: str, take: Any) -> Status:
        begin = self._progress[tangent.STEPS]
        self._progress[tangent.LAST_TIME] = begin + int(span)

        def done() -> float:
            return float(self._progress[tangent.STEPS] - begin)

        self.status = in_chunks(take, done, span, note, FIRST_CHUNK) if span else Status.OK
        self._steps = int(done())
        return self.status

    def _take(self, steps: int) -> int:
        progress = np.array([self._progress[tangent.STEPS], 0], np.int64)
        left = int(self._progress[tangent.LAST_TIME] - progress[maps.TIME])
        rule, work, *inputs = self._arguments
        none = np.zeros(0, np.int64), np.zeros((0, len(self._x)))
        status = maps.sample(rule, progress, work, *inputs, min(steps, left), *none)
        self._progress[tangent.STEPS] = progress[maps.TIME]
        return RUNNING if status == OK and steps < left else int(status)

    def _take_and_add(self, steps: int) -> int:
        return int(tangent.iterate(
            *self._arguments, steps, *self._kept, self._matrix, self._pivots
        ))  # fmt: skip

    def _renew(self) -> None:
        """Nothing to do: a step of a map needs nothing but its state."""


def _composed(system: System, count: int, unit: float) -> tuple[Kernel, Inputs, tuple[Any, ...]]:
    """Return `tangent.rule` of a system with so many deviations, what it is given, and what it needs alive."""
    kernels, own = kernels_of(system), inputs_of(system)
    n = len(system.state_names)
    head = np.zeros(tangent.HEADER, np.int64)
    head[: tangent.RULE + 1] = n, count, kernels.rhs.address
    alive: list[Any] = [kernels.rhs]
    pattern = np.zeros(n + 1, np.int64)
    by_product = system.is_indexed and kernels.count_of_entries() > MOST_ENTRIES * n
    if by_product:
        product = kernels.derivative(1)
        alive.append(product)
        head[tangent.PRODUCT] = product.address
    if not by_product or count == n:
        jacobian = kernels.sparse_jacobian()
        alive.append(jacobian.kernel)
        head[tangent.ENTRIES] = jacobian.kernel.address
        head[tangent.COUNT :], pattern = _by_rows(jacobian)
    space = np.zeros(1 + int(head[tangent.COUNT] + head[tangent.PLACES]) + 2 * n)
    space[0] = unit
    inputs = own._replace(
        sizes=np.concatenate([head, pattern, own.sizes]),
        workspace=np.concatenate([space, own.workspace]),
    )
    return tangent.rule, inputs, tuple(alive)


def _by_rows(jacobian: SparseJacobian) -> tuple[tuple[int, int, bool], NDArray[np.int64]]:
    """Return how many entries and places there are, whether to merge, and the pattern by rows.

    The pattern: where each row begins, the column of each place, and the place of each entry if several
    belong to one.
    """
    n = jacobian.shape[0]
    row = jacobian.rows[jacobian.place]
    column = np.repeat(np.arange(n), np.diff(jacobian.first))[jacobian.place]
    codes, place = np.unique(row * n + column, return_inverse=True)
    first = np.concatenate([[0], np.cumsum(np.bincount(codes // n, minlength=n))])
    merge = not np.array_equal(place.ravel(), np.arange(len(row)))
    parts = [first, codes % n, place.ravel()[: len(row) if merge else 0]]
    return (len(row), len(codes), merge), np.concatenate(parts).astype(np.int64)
