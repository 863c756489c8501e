"""Poincare and stroboscopic maps: a flow goes in, a map comes out.

A `Section` has no formula.  Its kernels are those of `dynlab.kernels.section`, composed from the flow's
kernels and the explicit method of order 8, with exact derivatives to third order from the variational
equations.  So whatever is asked of a map can be asked of a section.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
import sympy
from numpy.typing import NDArray

from dynlab.codegen.inputs import Inputs, inputs_of
from dynlab.codegen.kernels import Kernel, Kernels, kernels_of
from dynlab.codegen.sparse import SparseJacobian, with_pattern
from dynlab.errors import SettingError, UnknownNameError, UnsupportedSystemError
from dynlab.names import Layout, finite
from dynlab.solve.methods import Explicit8
from dynlab.symbolic.dynamics import Autonomous, Continuous, Dynamics, require
from dynlab.symbolic.events import Event
from dynlab.symbolic.quantities import DiscreteTime, Domain, State
from dynlab.symbolic.signals import Signal
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import TIME, from_tree, symbol, to_tree

__all__ = [
    "Section",
    "SectionKernel",
    "SectionKernels",
    "maxima_map",
    "poincare_map",
    "stroboscopic_map",
]

Array = NDArray[np.float64]

#: What every section observes: how long the flow takes to the next point.
RETURN_TIME = "return_time"

#: A meeting is located to rounding on steps of this accuracy: multipliers are good to some ten digits.
METHOD = Explicit8(rtol=1e-11, atol=1e-13, max_steps=1_000_000)


@dataclass(frozen=True, slots=True)
class Section(Dynamics):
    """The map from a surface across a flow to the next meeting with it; made by `poincare_map`.

    Its states are the flow's without the one that the surface fixes; its parameters are the flow's.
    One step is one return.  Its observables are ``return_time``, how long the flow takes to the next point,
    and the state that the surface fixes.

    Parameters
    ----------
    flow
        The flow.
    fixed
        The state that the surface fixes; for a stroboscopic map a clock, which is no state of the flow.
    begins, ends
        Functions of state and parameters whose zeros a run starts and ends on, both solved for the fixed state.
    guard
        What is watched for a change of sign; None if a run ends at a time.
    direction
        How the guard must change: +1 rising, -1 falling, 0 both.
    longest
        How long to wait for a return, in the flow's unit of time.
    method
        The explicit method, with its tolerances.

    Examples
    --------
    >>> import dynlab as dl
    >>> section = dl.poincare_map(dl.zoo.roessler, when=lambda y: y, direction=-1)
    >>> section.state_names
    ('x', 'z')
    >>> orbit = dl.iterate(section, start={"x": 4, "z": 0}, duration=3)
    >>> orbit["x"].shape, orbit["return_time"].shape
    ((4,), (4,))
    """

    flow: System
    fixed: str
    begins: sympy.Expr
    ends: sympy.Expr
    guard: sympy.Expr | None
    direction: int
    longest: float
    method: Explicit8 = METHOD

    @property
    def name(self) -> str:  # type: ignore[override]
        """What the section is called in messages and titles."""
        return f"section of {self.flow.name}"

    @property
    def state_names(self) -> tuple[str, ...]:
        """Names of the states in order: those of the flow that the section leaves free."""
        return tuple(name for name in self.flow.state_names if name != self.fixed)

    @property
    def declared(self) -> tuple[str, ...]:
        """Names of the states in order."""
        return self.state_names

    @property
    def states(self) -> tuple[State, ...]:
        """The states in order, as the flow declares them."""
        return self._free(self.flow.states)

    @property
    def time(self) -> DiscreteTime:
        """The time, which counts returns."""
        return DiscreteTime("return")

    @property
    def events(self) -> tuple[Event, ...]:
        """The events: a section has none."""
        return ()

    @property
    def signals(self) -> tuple[Signal, ...]:
        """Inputs that are data: a section has none."""
        return ()

    @property
    def bound(self) -> None:
        """The network it is bound to: none."""
        return

    @property
    def rule_hash(self) -> str:
        """Hash of the flow's rule and of the surfaces, without any values."""
        parts = [self.flow.rule_hash, self.fixed, self.direction]
        parts += [to_tree(e) for e in (self.begins, self.ends)]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Coordinates with their momenta: a section has none."""
        return ()

    @property
    def start_values(self) -> tuple[float, ...]:
        """Default start of each state, in order: the flow's."""
        return self._free(self.flow.start_values)

    @property
    def domains(self) -> tuple[Domain, ...]:
        """Where each state lives, in order."""
        return self._free(self.flow.domains)

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Names of the parameters in order."""
        return self.flow.parameter_names

    @property
    def parameter_values(self) -> tuple[float, ...]:
        """Value of each parameter, in order."""
        return self.flow.parameter_values

    @property
    def observable_names(self) -> tuple[str, ...]:
        """The return time, and the state that the section fixes."""
        return (RETURN_TIME,) if self.guard is None else (RETURN_TIME, self.fixed)

    @property
    def is_discrete(self) -> bool:
        """Whether time runs in steps: it counts returns."""
        return True

    @property
    def is_autonomous(self) -> bool:
        """Whether the rule is free of the time: every return follows the same rule."""
        return True

    @property
    def is_delayed(self) -> bool:
        return False

    @property
    def is_stochastic(self) -> bool:
        """Whether noise drives the states: it does not."""
        return False

    @property
    def is_indexed(self) -> bool:
        """Whether a state is per node of a network: it is not."""
        return False

    @property
    def blocks(self) -> dict[str, slice]:
        """Where each state stands in the state vector."""
        return {name: slice(k, k + 1) for k, name in enumerate(self.state_names)}

    @property
    def shapes(self) -> dict[str, tuple[str, ...]]:
        """The index sets of quantities that have some: there are none."""
        return {}

    def place_of(self, name: str) -> int | None:
        """Return where a state stands in the state vector; None if there is no such state."""
        return self.state_names.index(name) if name in self.state_names else None

    def unit_of(self, name: str) -> str:
        """Return the unit label of a state, a parameter or the return time; ``"t"`` counts returns."""
        if name == "t":
            return "return"
        return self.flow.unit_of("t" if name == RETURN_TIME else name)

    def __getitem__(self, name: str) -> Any:
        """Return the value of a parameter, or the default start of a state."""
        known = self.parameter_names + self.state_names
        if name not in known:
            raise UnknownNameError(f"parameter or state of the {self.name!r}", name, known)
        return self.flow[name]

    def __call__(self, **values: Any) -> Section:
        """Return the same section at other parameter values; nothing is compiled again."""
        return replace(self, flow=self.flow(**values))

    def with_start(self, **values: Any) -> Section:
        """Return the same section with other default starts."""
        for name in values:
            if name not in self.state_names:
                raise UnknownNameError(f"state of the {self.name!r}", name, self.state_names)
        return replace(self, flow=self.flow.with_start(**values))

    def lifted(self, state: Mapping[str, float] | None = None) -> dict[str, float]:
        """Return the flow's state at a point of the section, as ``start=`` of `dynlab.integrate` takes it.

        Raises
        ------
        UnknownNameError
            If a name is no state of the section.
        """
        x = Layout.of(self).pack(state, self.start_values)
        found = dict(zip(self.state_names, x.tolist(), strict=True))
        if self.guard is None:
            return {name: found[name] for name in self.flow.state_names}
        values = {
            symbol(n): v for n, v in {**found, **self._named_parameters, self.fixed: 0.0}.items()
        }
        found[self.fixed] = -float(self.begins.subs(values))
        return {name: found[name] for name in self.flow.state_names}

    @property
    def _named_parameters(self) -> dict[str, float]:
        names = self.flow.names_in_rule
        return {
            names[n]: v for n, v in zip(self.parameter_names, self.parameter_values, strict=True)
        }

    def _free(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the values that belong to states of the section."""
        named = zip(self.flow.state_names, values, strict=True)
        return tuple(value for name, value in named if name != self.fixed)

    def __stored__(self) -> dict[str, Any]:
        """Return the definition as plain JSON data."""
        return {
            "flow": self.flow.__stored__(),
            "fixed": self.fixed,
            "surfaces": [to_tree(self.begins), to_tree(self.ends)],
            "guard": None if self.guard is None else to_tree(self.guard),
            "numbers": [self.direction, self.longest],
            "method": [self.method.rtol, self.method.atol, self.method.max_steps],
        }

    @classmethod
    def __restored__(cls, data: Mapping[str, Any]) -> Section:
        """Rebuild a definition from what `__stored__` gave."""
        begins, ends = (from_tree(tree) for tree in data["surfaces"])
        direction, longest = data["numbers"]
        rtol, atol, steps = data["method"]
        return cls(
            System.__restored__(data["flow"]), str(data["fixed"]), begins, ends,
            None if data["guard"] is None else from_tree(data["guard"]), int(direction), float(longest),
            Explicit8(float(rtol), float(atol), int(steps)),
        )  # fmt: skip

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle, (json.dumps(self.__stored__()),)

    def __repr__(self) -> str:
        free = ", ".join(self.state_names)
        if self.guard is None:
            return f"<stroboscopic map of {self.flow.name}: period {symbol(self.fixed) - self.ends}; states {free}>"
        word = {1: "rising", -1: "falling", 0: "crossing"}[self.direction]
        return f"<Poincare map of {self.flow.name}: {self.guard} {word}; states {free}>"


def _unpickle(text: str) -> Section:
    return Section.__restored__(json.loads(text))


def poincare_map(
    flow: System, *, when: Callable[..., Any], direction: int = +1, longest: float = 1000.0,
    method: Explicit8 = METHOD,
) -> Section:  # fmt: skip
    """Return the map of a surface across a flow to itself: from one meeting to the next.

    The surface ``when = 0`` must be solvable for one state: ``x - 1``, ``x + y``, ``z - x*y/beta``, or
    ``v - v**3/3 - w + I`` (solved for w; the maxima of v).  That state is left out; the
    first one that can be.  So a fixed point of the map is a cycle of the flow, and its multipliers are
    the cycle's without the trivial one.

    Parameters
    ----------
    flow
        The flow; its rule must not depend on time.
    when
        Function whose zeros make up the section.  Its arguments are names of states and
        parameters: ``lambda z, rho: z - (rho - 1)``.
    direction
        +1 (default) if it must rise through zero along the flow, -1 if it must fall, 0 for both.
    longest
        How long to wait for a return, in the flow's unit of time; after that the status is
        `Status.NO_RETURN`.
    method
        The explicit method.  Meetings are located to rounding, so its tolerances decide how exact the map
        is.

    Returns
    -------
    Section
        A map, for whatever takes maps.

    Raises
    ------
    UnsupportedSystemError
        If the system is a map, or its rule depends on time, or it has events, recorded signals or
        a network.
    SettingError
        If the surface cannot be solved for a state, the flow runs along it, or a setting cannot be used.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def circling(x=1.0, y=0.0, *, mu=1.0):
    ...     return {x: mu * x - y - x * (x**2 + y**2), y: x + mu * y - y * (x**2 + y**2)}
    >>> section = dl.poincare_map(circling, when=lambda y: y)
    >>> cycle = dl.find_equilibria(section, within={"x": (0.5, 2)}).single()
    >>> round(cycle["x"], 9), round(cycle["return_time"], 9)    # 1 and 2 pi
    (1.0, 6.283185307)
    >>> round(1e6 * float(cycle.eigenvalues[0].real), 5)        # exp(-4 pi)
    3.48734

    References
    ----------
    Parker and Chua 1989, Practical Numerical Algorithms for Chaotic Systems, Springer, ch. 2 and app. D.
    """
    _check_flow(flow)
    require(flow, Autonomous)
    if isinstance(direction, bool) or direction not in (-1, 0, 1):
        raise SettingError(
            f"direction of the section is {direction!r}. Give +1 (rising), -1 (falling) or 0 (both)."
        )
    longest, method = _checked_wait(longest), _checked_method(method)
    guard = flow.expression_of(when)
    if guard.has(TIME):
        raise SettingError(
            f"the section {guard} = 0 moves with the time. For a periodic drive take dl.stroboscopic_map, or make "
            "the phase a state with .with_phase."
        )
    fixed, surface = _solved(flow, guard)
    state = symbol(fixed)
    rates = {symbol(s): r for s, r in zip(flow.state_names, flow.rule, strict=True)}
    along = sum((sympy.diff(guard, s) * rate for s, rate in rates.items()), sympy.S.Zero)
    if sympy.expand(along.subs(state, state - surface)) == 0:
        raise SettingError(
            f"the flow of {flow.name!r} runs along the section {guard} = 0 and never crosses it. Choose a "
            "surface that it crosses."
        )
    if flow.domains[flow.state_names.index(fixed)] is not Domain.CIRCLE:
        return Section(flow, fixed, surface, surface, guard, direction, longest, method)
    if direction == 0:
        raise SettingError(
            f"{fixed!r} of {flow.name!r} is an angle: a return is a whole turn. Give direction=+1 or -1."
        )
    turned = surface - direction * 2 * sympy.pi
    return Section(flow, fixed, surface, turned, turned, direction, longest, method)


def maxima_map(
    flow: System, *, of: str, longest: float = 1000.0, method: Explicit8 = METHOD
) -> Section:
    """Return the map from one maximum of a state to the next, along a flow.

    The section on which the state's rate of change falls through zero; so the rate must be solvable for
    some state, as in `poincare_map`.  Minima are the maxima of the state with the other sign.

    Parameters
    ----------
    flow
        The flow; its rule must not depend on time.
    of
        The state.
    longest, method
        As in `poincare_map`.

    Returns
    -------
    Section
        A map, for whatever takes maps; ``orbit[of]`` are the maxima, one after another.

    Raises
    ------
    UnsupportedSystemError, SettingError
        As `poincare_map`.
    UnknownNameError
        If there is no such state.

    Examples
    --------
    >>> import dynlab as dl
    >>> peaks = dl.maxima_map(dl.zoo.lorenz, of="z")
    >>> z = dl.iterate(peaks, start={"x": 12, "y": 8}, duration=50)["z"]
    >>> bool(z.min() > 27), bool(z.max() < 49)
    (True, True)
    """
    _check_flow(flow)
    Layout.of(flow).state(of)
    rate = flow.rule[flow.state_names.index(of)]
    needed = sorted(s.name for s in rate.free_symbols if s != TIME)
    called = {inner: outer for outer, inner in flow.names_in_rule.items()}
    names = [called.get(name, name) for name in needed]
    return poincare_map(
        flow, when=_as_function(rate, names), direction=-1, longest=longest, method=method
    )


def _as_function(expression: sympy.Expr, names: Sequence[str]) -> Callable[..., Any]:
    """Return an expression as a function of names, as `poincare_map` takes it."""
    import inspect

    def value(*_: Any) -> sympy.Expr:
        return expression

    kinds = [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in names]
    value.__signature__ = inspect.Signature(kinds)  # type: ignore[attr-defined]
    return value


def stroboscopic_map(
    flow: System, *, period: float | Callable[..., Any], method: Explicit8 = METHOD
) -> Section:
    """Return the map of a periodically driven flow over one period of the drive, from time 0 on.

    Parameters
    ----------
    flow
        The flow; its rule must repeat after the period.  Of one that does not depend on time this is the
        map over that time.
    period
        The period: a number, or a function of parameters, which then follows them:
        ``lambda omega: 2 * np.pi / omega``.
    method
        The explicit method; its tolerances decide how exact the map is.

    Returns
    -------
    Section
        A map with the states and parameters of the flow, for whatever takes maps.

    Raises
    ------
    UnsupportedSystemError
        If the system is a map, or has events, recorded signals or a network.
    SettingError
        If the period is not positive, depends on a state or time, or the rule does not repeat after it.

    Examples
    --------
    >>> import dynlab as dl, numpy as np
    >>> @dl.flow
    ... def driven(x=0.0, *, omega=2.0):
    ...     return {x: -x + dl.cos(omega * dl.t)}
    >>> strobe = dl.stroboscopic_map(driven, period=lambda omega: 2 * np.pi / omega)
    >>> answer = dl.find_equilibria(strobe, within={"x": (-2, 2)}).single()
    >>> round(answer["x"], 9)                               # 1 / (1 + omega^2)
    0.2
    """
    _check_flow(flow)
    method = _checked_method(method)
    length = flow.expression_of(period if callable(period) else _constant(period))
    foreign = {symbol(name) for name in flow.state_names} | {TIME}
    if length.free_symbols & foreign:
        raise SettingError(
            f"the period {length} depends on the state or the time. Give a number, or a function of parameters."
        )
    clock = next(n for n in ("clock", *(f"clock_{k}" for k in range(2, 99))) if not _has(flow, n))
    section = Section(flow, clock, symbol(clock), symbol(clock) - length, None, 0, 1.0, method)
    seconds = _period_of(section)
    if not seconds > 0:
        raise SettingError(f"the period of the section is {seconds:g}. Give a positive time.")
    _check_repeats(flow, seconds)
    return section


def _constant(value: Any) -> Callable[..., Any]:
    number = finite(value, "period")
    return lambda: number


def _has(flow: System, name: str) -> bool:
    return any(q.name == name for q in (*flow.quantities, *flow.observables))


def _check_flow(flow: System) -> None:
    """Refuse what has no section."""
    require(flow, Continuous)
    part = (
        "it has events, which set the state anew; integrate it with dl.integrate and take run.events"
        if flow.events
        else "it has recorded signals, which do not repeat; hold them with .frozen(at=...)"
        if flow.signals
        else "it runs on a network; integrate it with dl.integrate(..., record=dl.Crossing(...))"
        if flow.is_indexed
        else ""
    )
    if part:
        raise UnsupportedSystemError(f"{flow.name!r} has no section here: {part}.")


def _checked_method(method: Any) -> Explicit8:
    if not isinstance(method, Explicit8):
        raise SettingError(
            f"a section is computed with the explicit method, not with {method!r:.60}. Give dl.Explicit8(rtol=...)."
        )
    return method


def _checked_wait(longest: Any) -> float:
    number = finite(longest, "longest")
    if number <= 0:
        raise SettingError(f"longest is {number:g}; give a positive time to wait for a return.")
    return number


def _solved(flow: System, guard: sympy.Expr) -> tuple[str, sympy.Expr]:
    """Return the state for which a guard can be solved, and the guard in the form state - value."""
    states = {symbol(name) for name in flow.state_names}
    if not guard.free_symbols & states:
        raise SettingError(
            f"the section {guard} = 0 does not depend on a state of {flow.name!r} "
            f"({', '.join(flow.state_names)}). Write for example when=lambda {flow.state_names[0]}: "
            f"{flow.state_names[0]} - 1."
        )
    values = {symbol(flow.names_in_rule[n]): flow[n] for n in flow.parameter_names}
    for name in flow.state_names:
        factor = sympy.expand(sympy.diff(guard, symbol(name)))
        if factor == 0 or factor.free_symbols & states or not float(factor.subs(values)):
            continue
        rest = sympy.expand(guard - factor * symbol(name))
        if not rest.has(symbol(name)):
            return name, symbol(name) + rest / factor
    raise SettingError(
        f"the section {guard} = 0 of {flow.name!r} cannot be solved for one of the states "
        f"({', '.join(flow.state_names)}), so it is no graph over the others. Choose a surface in which one "
        "state stands alone, such as a plane, or the zero of a rate of change that is linear in a state."
    )


def _period_of(section: Section) -> float:
    value = (symbol(section.fixed) - section.ends).subs(
        {symbol(n): v for n, v in section._named_parameters.items()}
    )
    return float(value)


def _check_repeats(flow: System, period: float) -> None:
    """Refuse a drive that is another one after the period."""
    rhs, p = kernels_of(flow).rhs, np.array(flow.parameter_values)
    x = np.array(flow.start_values)
    for part in (0.0, 0.13, 0.39, 0.71):
        now, later = (rhs(part * period + shift, x, p) for shift in (0.0, period))
        size = np.maximum(np.abs(now), np.abs(later))
        if np.any(np.abs(now - later) > 1e-7 * np.maximum(size, 1e-3 * np.max(size, initial=0.0))):
            raise SettingError(
                f"the rule of {flow.name!r} does not repeat after the period {period:.9g}. Give the period "
                "of its drive, such as period=lambda omega: 2 * np.pi / omega."
            )


@functools.lru_cache(maxsize=64)
def _carriers(section: Section) -> tuple[System, System, System]:
    """Return the flow that is integrated, and the two surfaces in place of its rule."""
    flow = section.flow
    bare = replace(flow, observables=(), pairs=())
    if section.guard is None:
        clock = symbol(section.fixed)
        states = (*flow.states, State(section.fixed, 0.0, flow.time.unit))
        rule = (*(e.xreplace({TIME: clock}) for e in flow.rule), sympy.S.One)
        bare = replace(bare, states=states, rule=rule)
    nothing = (sympy.S.Zero,) * (len(bare.states) - 1)
    begins, ends = (replace(bare, rule=(e, *nothing)) for e in (section.begins, section.ends))
    return bare, begins, ends


@dataclass(frozen=True, slots=True)
class SectionKernel:
    """One compiled function of a section.

    Parameters
    ----------
    address, size, directions
        As for a `Kernel`.
    family
        The kernels of the section that it belongs to.
    active
        The parameters by which it differentiates.
    """

    address: int
    size: int
    directions: int
    family: SectionKernels
    active: tuple[str, ...]

    def __call__(self, t: float, x: Array, p: Array, *directions: Array) -> Array:
        """Evaluate once from Python."""
        out = np.empty(self.size)
        z, _, d, k, w = self.family.inputs(self.active, max(self.directions, 1))
        arrays = [np.ascontiguousarray(v, dtype=float) for v in (x, p, *directions)]
        x_at, p_at, *direction_at = (v.ctypes.data for v in arrays)
        z_at, d_at, k_at, w_at = (v.ctypes.data for v in (z, d, k, w))
        call = _prototype(self.directions)(self.address)
        call(float(t), x_at, z_at, p_at, d_at, k_at, w_at, *direction_at, out.ctypes.data)
        return out


@dataclass(frozen=True, slots=True)
class SectionKernels:
    """The kernels of a section; obtained from `kernels_of`."""

    system: Section
    _alive: list[Any] = field(default_factory=list, compare=False, repr=False)

    @property
    def rhs(self) -> SectionKernel:
        """The next point of the section."""
        return self._kernel("rule", self._size, 0, ())

    @property
    def observables(self) -> SectionKernel:
        """The return time, and the state that the section fixes (the clock of a stroboscopic map: 0)."""
        names = self.system.observable_names
        return self._kernel("return_time" if len(names) == 1 else "observables", len(names), 0, ())

    @property
    def fixed_state(self) -> SectionKernel:
        """The state that the section fixes, alone: no flow is integrated for it."""
        return self._kernel("fixed_state", 1, 0, ())

    def jacobian(self, active: tuple[str, ...] = ()) -> SectionKernel:
        """Return the derivatives by states and active parameters, n rows of n + a numbers."""
        return self._kernel("jacobian", self._size * (self._size + len(active)), 0, active)

    def sparse_jacobian(self, active: tuple[str, ...] = ()) -> SparseJacobian:
        """Return the same as a sparse matrix in which no entry is known to be 0."""
        rows, columns = np.indices((self._size, self._size + len(active))).reshape(2, -1)
        kernel = cast("Kernel", self.jacobian(active))
        return with_pattern(kernel, rows, columns, (self._size, self._size + len(active)))

    def derivative(self, order: int, active: tuple[str, ...] = ()) -> SectionKernel:
        """Return the multilinear derivative of order 1 to 3, over states then parameters."""
        if order > 3:
            raise UnsupportedSystemError(
                f"the {self.system.name!r} has derivatives to third order, not to order {order}. Ask the flow's "
                "cycles (dl.find_cycle, dl.continue_cycles) instead."
            )
        return self._kernel(f"derivative_{order}", self._size, order, active)

    def inputs(self, active: tuple[str, ...] = (), order: int = 1) -> Inputs:
        """Return what the kernels that differentiate by these parameters up to an order are given."""
        from dynlab.kernels import section as compiled

        head, settings = _head(self.system, active, order)
        own = inputs_of(self.system.flow)
        n = len(self.system.state_names) + 1
        space = np.zeros(compiled.workspace(n, len(active)))
        space[: len(settings)] = settings
        return own._replace(sizes=head.copy(), workspace=space)

    @property
    def _size(self) -> int:
        return len(self.system.state_names)

    def _kernel(
        self, name: str, size: int, directions: int, active: tuple[str, ...]
    ) -> SectionKernel:
        from dynlab.kernels import section as compiled

        return SectionKernel(getattr(compiled, name).address, size, directions, self, active)


#: Kernels that stand by their address in somebody's integers.
_kept: dict[int, Any] = {}


@functools.lru_cache(maxsize=256)
def _head(
    section: Section, active: tuple[str, ...], order: int
) -> tuple[NDArray[np.int64], tuple[float, ...]]:
    """Return the integers that the kernels of a section are given, and their settings."""
    from dynlab.kernels import section as compiled

    carrier, begins, ends = _carriers(section)
    head = np.zeros(compiled.HEADER, np.int64)
    head[compiled.STATES], head[compiled.ACTIVE] = len(carrier.states), len(active)
    head[compiled.FIXED] = carrier.state_names.index(section.fixed)
    head[compiled.STEPS] = section.method.max_steps
    alive = []
    for place, system in ((compiled.FLOW, carrier), (compiled.LIFT, begins), (compiled.STOP, ends)):
        kernels = kernels_of(system)
        needed = [kernels.rhs, kernels.jacobian(active)]
        needed += [kernels.derivative(k, active) for k in range(2, order + 1)]
        head[place : place + len(needed)] = [kernel.address for kernel in needed]
        alive += needed
    if section.guard is not None:
        kernels = kernels_of(carrier)
        value, rates = kernels.guard((section.guard,)), kernels.guard_and_rate((section.guard,))
        head[compiled.GUARD], head[compiled.DIRECTION] = value.address, section.direction
        head[compiled.TERMINAL], head[compiled.RATES] = 1, rates.address
        alive += [value, rates]
    head[compiled.TANGENTS] = compiled.flow_of_tangents.address
    head[compiled.JETS] = compiled.flow_of_jets_2.address
    head[compiled.JETS + 1] = compiled.flow_of_jets_3.address
    _kept.update((kernel.address, kernel) for kernel in alive)
    return head, (section.method.rtol, max(section.method.atol, 1e-300), section.longest)


@kernels_of.register
def _(system: Section) -> Kernels:
    return cast("Kernels", SectionKernels(system))


@inputs_of.register
def _(system: Section) -> Inputs:
    return SectionKernels(system).inputs()


@functools.cache
def _prototype(directions: int) -> Any:
    """Return the C prototype of a kernel, every array as a plain address."""
    return ctypes.CFUNCTYPE(
        ctypes.c_int64, ctypes.c_double, *([ctypes.c_void_p] * (7 + directions))
    )
