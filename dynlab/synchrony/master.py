"""master_stability: for which coupling, on any network, synchrony of identical systems is stable.

    x_i' = F(x_i) + K sum_j A_ij (H(x_j) - H(x_i)) = F(x_i) - K sum_j L_ij H(x_j)

The state in which all x_i follow one orbit s of F is stable if small differences decay.  They fall apart into the modes of
the Laplacian L: for its eigenvalue mu, with a = K mu,

    v' = [DF(s) - a DH(s)] v.

The largest exponent of this equation, as a function of the complex number a, is the master stability function; the
network enters through its eigenvalues alone [1].  A map gives the same with the next state for the rate.

The exponent is measured by one more flow: v as its direction w, and the logarithm g of its length,

    w' = M w - (w.Mw / w.w) w,   g' = w.Mw / w.w,   M = DF - a DH,

which keeps the length of w, needs no restarts, and runs for all values of a at once in the lanes of the
processor like any ensemble.  For complex a, w holds real and imaginary part.

References
----------
1. Pecora and Carroll 1998, Phys. Rev. Lett. 80, 2109.
2. Huang, Chen, Lai and Pecora 2009, Phys. Rev. E 80, 036204 (the shapes that it takes).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy
from numpy.typing import ArrayLike, NDArray

from dynlab.chaos.charts.growth import direction
from dynlab.chaos.exponents.averages import BATCHES, standard_error, two_sided
from dynlab.errors import SettingError, UnknownNameError, UnsupportedSystemError
from dynlab.names import by_name, finite
from dynlab.result import Provenance, Result
from dynlab.solve.ensemble import ensemble
from dynlab.solve.methods import Explicit8, OdeMethod
from dynlab.status import Status
from dynlab.symbolic.derivatives import jacobian
from dynlab.symbolic.quantities import Parameter, State
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import symbol
from dynlab.synchrony.edges import Stable, bend, described, stable_intervals

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["MasterStability", "master_stability"]

Array = NDArray[np.float64]
Coupling = Mapping[str, Callable[..., Any]]

DEFAULT_METHOD = Explicit8(rtol=1e-8, atol=1e-10)
#: How often an edge lies within its error.
LEVEL = 0.95
#: What is added to the system: the coupled eigenvalue, the direction and the growth.
REAL, IMAGINARY, GROWTH = "coupled_eigenvalue", "imaginary_coupled_eigenvalue", "transverse_growth"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MasterStability(Result):
    """The largest transverse exponent against the coupled eigenvalue; made by `master_stability`.

    Attributes
    ----------
    system
        The system at each node.
    real, imaginary
        Real and imaginary parts of the coupled eigenvalue, K times an eigenvalue of the Laplacian.
    exponents
        Real x imaginary: exponents per unit of time, or per step of a map.
    standard_errors
        Their standard errors, from the scatter over 32 parts of the run.
    statuses
        How each ended, as numbers of `Status`.
    provenance
        Where it came from.
    """

    system: System
    real: Array
    imaginary: Array
    exponents: Array
    standard_errors: Array
    statuses: NDArray[np.int64]
    provenance: Provenance

    @property
    def status(self) -> Status:
        """`Status.OK` if all have an answer, else why the first that has none has none."""
        bad = [Status(int(s)) for s in self.statuses.ravel() if not Status(int(s)).ok]
        return bad[0] if bad else Status.OK

    @property
    def along_real(self) -> Array:
        """The exponents for real coupled eigenvalues; nan if none were asked for."""
        (place,) = np.nonzero(self.imaginary == 0)
        return self.exponents[:, place[0]] if place.size else np.full(self.real.size, np.nan)

    @property
    def stable_intervals(self) -> Array:
        """Where real coupled eigenvalues give stable synchrony: a row for each interval, low and high.

        Edges are where straight lines between neighbours cross zero; an end of the range is an edge that is not one.
        An interval is told if somewhere in it the exponent is below zero for certain, and ends where it is above for
        certain on the other side: noise about zero neither makes an interval nor splits one.
        """
        return self._stable().intervals

    @property
    def edge_errors(self) -> Array:
        """How far each edge in `stable_intervals` may be off, at 95 %; infinite for an end of the range.

        The edge lies between the nearest coupled eigenvalues at which the sign is certain: Student's t for 32 parts,
        and how far the curve may bend between its points.
        """
        return self._stable().errors

    @property
    def reaches(self) -> Array:
        """Real x imaginary: how far each exponent may be off, at 95 %, as may the straight lines about it."""
        reach = (
            two_sided(LEVEL, BATCHES) * self.standard_errors + bend(self.real, self.exponents.T).T
        )
        return reach + (bend(self.imaginary, self.exponents) if self.imaginary.size > 1 else 0.0)

    def _stable(self) -> Stable:
        (place,) = np.nonzero(self.imaginary == 0)
        if not place.size:
            return Stable(np.zeros((0, 2)), np.zeros((0, 2)))
        return stable_intervals(self.real, self.along_real, self.reaches[:, place[0]])

    def at(self, values: ArrayLike) -> Array:
        """Return the exponents at coupled eigenvalues, by straight lines between those computed; nan outside.

        A complex eigenvalue and its conjugate have one exponent.
        """
        return self._between(values, self.exponents)

    def reach_at(self, values: ArrayLike) -> Array:
        """Return how far the exponents of `at` may be off, at 95 %; nan outside."""
        return self._between(values, self.reaches)

    def _between(self, values: ArrayLike, table: Array) -> Array:
        a = np.asarray(values, complex)
        up = np.abs(a.imag)
        if self.imaginary.size == 1:
            inside = np.interp(a.real, self.real, table[:, 0], left=np.nan, right=np.nan)
            return np.asarray(np.where(up == self.imaginary[0], inside, np.nan))
        from scipy.interpolate import RegularGridInterpolator

        between = RegularGridInterpolator((self.real, self.imaginary), table, bounds_error=False)
        return np.asarray(between(np.stack([a.real, up], axis=-1)))

    def to_table(self) -> dict[str, Array]:
        """Return real part, imaginary part, exponent and standard error as columns."""
        real, imaginary = np.meshgrid(self.real, self.imaginary, indexing="ij")
        return {
            "real part": real.ravel(),
            "imaginary part": imaginary.ravel(),
            "exponent": self.exponents.ravel(),
            "standard_error": self.standard_errors.ravel(),
        }

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the exponent along the real axis with its stable intervals, or over the plane."""
        from dynlab.plotting import draw_growth_chart, draw_stable_intervals

        unit = self.system.unit_of("t")
        what = "transverse exponent" + (f" (1/{unit})" if unit else "")
        if self.imaginary.size > 1:
            return draw_growth_chart(
                ax, self.real, self.imaginary, self.exponents,
                labels=(r"Re $K\mu$", r"Im $K\mu$", what),
            )  # fmt: skip
        return draw_stable_intervals(
            ax, self.real, self.exponents[:, 0], self.stable_intervals,
            labels=(r"coupled eigenvalue $K\mu$", what), errors=self.standard_errors[:, 0],
        )  # fmt: skip

    def __repr__(self) -> str:
        shown = ", ".join(map(described, *self._stable()))
        return (
            f"<Master stability of {self.system.name} at {self.exponents.size} coupled eigenvalues:\n "
            f"stable from {shown or 'nowhere on the real axis'}; {self.status}>"
        )


def master_stability(  # noqa: PLR0913  (of what, how coupled, where, from where, how long, how)
    system: System,
    *,
    coupling: Coupling,
    over: tuple[ArrayLike, ArrayLike] | ArrayLike,
    start: Mapping[str, float] | None = None,
    duration: float,
    transient: float = 0.0,
    method: OdeMethod | None = None,
) -> MasterStability:
    r"""Return how fast differences between coupled identical systems grow, for every network at once.

    .. math:: \dot v = [DF(s) - \alpha\, DH(s)]\, v, \qquad
              \Lambda(\alpha) = \lim_{T \to \infty} \frac{1}{T} \log |v(T)|, \qquad \alpha = K \mu

    Parameters
    ----------
    system
        The flow or map at each node, x' = F(x).
    coupling
        What each node gives to the others, H, by the state that takes it: ``{"x": lambda x: x}`` couples x to x,
        ``{"y": lambda x: x}`` passes x on to y.
    over
        Coupled eigenvalues K mu: an array of real ones that rise, or a pair of arrays, of real and of imaginary parts
        (which need not be below 0, as conjugates have one exponent).
    start
        Where the orbit starts, by name; the system's default for what is not given.
    duration
        Over how long growth is averaged, in the system's unit of time, or steps of a map.
    transient
        Time before that, in which the orbit settles and the difference turns to where it grows fastest.
    method
        Method and tolerances for a flow; `Explicit8` if None.

    Returns
    -------
    MasterStability
        At 0 it is the largest Lyapunov exponent of the system.  Errors are those of the mean over 32 parts of the duration.

    Raises
    ------
    SettingError
        If values do not rise, are not finite, or a time cannot be used.
    UnknownNameError
        If a state in `coupling` does not exist.
    UnsupportedSystemError
        If the system has events, signals, or nodes of its own.

    Examples
    --------
    >>> import dynlab as dl
    >>> import numpy as np
    >>> found = dl.master_stability(
    ...     dl.zoo.roessler(c=9.0), coupling={"x": lambda x: x}, over=np.linspace(0.02, 5.5, 24),
    ...     duration=600, transient=200,
    ... )
    >>> low, high = found.stable_intervals[0]
    >>> error = found.edge_errors[0]
    >>> bool(abs(low - 0.19) < 2 * error[0]), bool(abs(high - 4.61) < 2 * error[1])
    (True, True)

    References
    ----------
    1. Pecora and Carroll 1998, Phys. Rev. Lett. 80, 2109.
    """
    began = perf_counter()
    _check(system)
    real, imaginary = _axes(over)
    span, before = finite(duration, "duration"), finite(transient, "transient")
    if span <= 0 or before < 0 or (system.is_discrete and span < BATCHES):
        raise SettingError(
            f"duration is {span:g} and transient {before:g}; give a duration above zero (for maps {BATCHES} "
            "steps or more) and a transient that is not below zero."
        )
    is_complex = bool((imaginary != 0).any())
    whole, directions = _with_growth(system, _expressions(system, coupling), is_complex)
    times = before + span * np.arange(BATCHES + 1) / BATCHES
    times = np.floor(times) if system.is_discrete else times
    where = {REAL: real[:, None]} | ({IMAGINARY: imaginary[None, :]} if is_complex else {})
    shape = (real.size, imaginary.size)
    where = {name: np.broadcast_to(values, shape) for name, values in where.items()}
    starts = {k: np.full(shape, v) for k, v in (by_name(start, "start") | directions).items()}
    chosen = None if system.is_discrete else (method or DEFAULT_METHOD)
    run = ensemble(
        whole, starts=starts, parameters=where, duration=float(times[-1]), at=times, method=chosen
    )
    grown = np.asarray(run[GROWTH]).reshape(-1, times.size)
    spans = np.diff(times)
    with np.errstate(invalid="ignore"):
        exponents = (grown[:, -1] - grown[:, 0]) / spans.sum()
        errors = standard_error(spans, np.diff(grown, axis=1).T)
    errors[np.isnan(exponents)] = np.nan
    settings: dict[str, Any] = {"coupling": sorted(coupling), "duration": span, "transient": before}
    settings |= {"method": chosen} if chosen else {}
    return MasterStability(
        system=system,
        real=real,
        imaginary=imaginary,
        exponents=exponents.reshape(shape),
        standard_errors=errors.reshape(shape),
        statuses=run.statuses.reshape(shape),
        provenance=Provenance("master_stability", system, settings, seconds=perf_counter() - began),
    )


def _check(system: System) -> None:
    if not isinstance(system, System):
        raise UnsupportedSystemError(f"{system!r} is not a flow or map defined by equations.")
    for has, what in (
        (system.is_indexed, "nodes of its own"),
        (bool(system.events), "events, across which deviations jump"),
        (bool(system.signals), "signals"),
    ):
        if has:
            raise UnsupportedSystemError(
                f"{system.name!r} cannot be used here: it has {what}. Give the plain flow or map of one node."
            )


def _axes(over: Any) -> tuple[Array, Array]:
    pair = isinstance(over, tuple) and len(over) == 2 and np.ndim(over[0]) == 1
    given = over if pair else (over, [0.0])
    axes = [np.array(values, dtype=float, ndmin=1) for values in given]
    for values, what in zip(axes, ("real", "imaginary"), strict=True):
        wrong = values.ndim != 1 or not values.size or not np.isfinite(values).all()
        if wrong or (np.diff(values) <= 0).any():
            raise SettingError(
                f"over= holds {what} parts that are not finite numbers that rise. Give an array such as "
                "numpy.linspace(0, 5, 100), or a pair of arrays for the complex plane."
            )
    if (axes[1] < 0).any():
        raise SettingError(
            "over= holds imaginary parts below 0, which have the exponents of those above. Leave them out."
        )
    return axes[0], axes[1]


def _expressions(system: System, coupling: Coupling) -> tuple[sympy.Expr, ...]:
    """Return H, an expression for each state."""
    given = by_name(coupling, "coupling")
    if not given:
        raise SettingError(
            "coupling= is empty. Say what each node gives to the others: {'x': lambda x: x}."
        )
    for name, function in given.items():
        if name not in system.state_names:
            raise UnknownNameError(f"state of {system.name!r}", name, system.state_names)
        if not callable(function):
            raise SettingError(
                f"the coupling of {name!r} is {function!r}; give a function of states and parameters, such as "
                f"lambda {name}: {name}."
            )
    return tuple(
        system.expression_of(given[name]) if name in given else sympy.S.Zero
        for name in system.state_names
    )


def _with_growth(
    system: System,
    given: tuple[sympy.Expr, ...],
    is_complex: bool,  # noqa: FBT001  (a property of the problem)
) -> tuple[System, dict[str, float]]:
    """Return the system with a direction and its growth beside its state, and where the direction starts."""
    n, states = len(system.states), system.state_names
    DF = sympy.Matrix(n, n, jacobian(system.rule, states))
    DH = sympy.Matrix(n, n, jacobian(given, states))
    a, b = symbol(REAL), symbol(IMAGINARY)
    M = DF - a * DH
    if is_complex:
        M = sympy.Matrix(sympy.BlockMatrix([[M, b * DH], [-b * DH, M]]).as_explicit())
    names = [
        f"transverse_{part}_{s}" for part in ("real", "imaginary")[: 1 + is_complex] for s in states
    ]
    w = sympy.Matrix([symbol(name) for name in names])
    moved = M * w
    if system.is_discrete:
        length = sympy.sqrt(moved.dot(moved))
        turned, grown = list(moved / length), symbol(GROWTH) + sympy.log(length)
    else:
        grown = w.dot(moved) / w.dot(w)
        turned = list(moved - grown * w)
    added = (*(State(name) for name in names), State(GROWTH))
    parameters = (Parameter(REAL, 0.0), *([Parameter(IMAGINARY, 0.0)] if is_complex else []))
    whole = replace(
        system,
        states=(*system.states, *added),
        parameters=(*system.parameters, *parameters),
        rule=(*system.rule, *turned, grown),
        observables=(), pairs=(), reference="",
    )  # fmt: skip
    return whole, dict(zip(names, direction(len(names)).tolist(), strict=True))
