"""System: the definition of a dynamical system, and nothing else."""

from __future__ import annotations

import hashlib
import html
import inspect
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import sympy

from dynlab import store
from dynlab.distributions import drawn
from dynlab.errors import (
    DefinitionError,
    SettingError,
    UnknownNameError,
    UnsupportedSystemError,
)
from dynlab.links import Bound, bind, with_values
from dynlab.names import checked_name, finite
from dynlab.recording import Recording
from dynlab.seeds import seed_of
from dynlab.symbolic import display, indexed, signals
from dynlab.symbolic.additions import called_on_names, event_name, with_node_event, with_reset
from dynlab.symbolic.delays import Lag, lags_of
from dynlab.symbolic.dynamics import Dynamics
from dynlab.symbolic.entry import base_of, place_of_entry
from dynlab.symbolic.events import Event
from dynlab.symbolic.expressions import (
    checked_expression,
    names_in_bodies,
    on_symbols,
)
from dynlab.symbolic.noise import Noise, Reading, additive_noise, noise_of
from dynlab.symbolic.quantities import (
    ContinuousTime,
    DiscreteTime,
    Domain,
    IndexSet,
    Intermediate,
    Observable,
    Parameter,
    State,
)
from dynlab.symbolic.signals import Signal
from dynlab.symbolic.tie import tied
from dynlab.symbolic.tree import TIME, from_tree, symbol, to_tree
from dynlab.symbolic.well_formed import check_system

__all__ = ["System"]


_CONTINUOUS = ContinuousTime()


@dataclass(frozen=True, slots=True)
class System(Dynamics):
    """A dynamical system: named states and parameters and one expression per state.

    Systems are made by `dynlab.flow` and `dynlab.iterated_map`, never changed, equal when their
    rules, declarations, parts and values are equal, and small to pickle.

    Parameters
    ----------
    name
        What the system is called in messages and titles.
    states, parameters
        The declarations, in order.
    rule
        One expression per state: its rate of change, or its next value for a map.
    time
        `ContinuousTime` or `DiscreteTime`.
    observables
        Named functions of the state.
    events
        Where the flow is interrupted and the state set anew; see `with_event`.
    reference
        Where the equations stand in print.
    intermediates
        Quantities per node that the equations of a network are written in.
    bound
        The network that a rule with indices is bound to; None for a rule without.
    signals
        Inputs that are data, and their recordings; see `with_signal`.
    pairs
        Coordinates, each with its momentum, if the rule was derived from an energy; see
        `dynlab.hamiltonian`.
    noise
        What drives the states at random; see `with_noise`.

    Raises
    ------
    DefinitionError
        If a name is not valid or used twice, a state has no equation, an expression holds
        something foreign, or a value is not a finite number.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def decay(x=1.0, *, rate=2.0):
    ...     return {x: -rate * x}
    >>> decay(rate=3.0)["rate"]
    3.0
    >>> decay
    <flow decay: x' = -rate*x; rate = 2>
    """

    name: str = field(compare=False)
    states: tuple[State, ...]
    parameters: tuple[Parameter, ...]
    rule: tuple[sympy.Expr, ...]
    time: ContinuousTime | DiscreteTime = _CONTINUOUS
    observables: tuple[Observable, ...] = ()
    events: tuple[Event, ...] = ()
    reference: str = field(default="", compare=False)
    intermediates: tuple[Intermediate, ...] = ()
    bound: Bound | None = None
    signals: tuple[Signal, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    noise: Noise | None = None

    def __post_init__(self) -> None:
        check_system(self)

    @property
    def declared(self) -> tuple[str, ...]:
        """Names of the states as declared; on a network each may stand for many numbers."""
        return tuple(state.name for state in self.states)

    @property
    def state_names(self) -> tuple[str, ...]:
        """Names of the numbers that make up the state, in order: ``x``, or ``theta[0]``, ..."""
        if not self.is_indexed:
            return self.declared
        return _coordinates(self.states, self._network)

    @property
    def quantities(self) -> tuple[State | Parameter, ...]:
        """States and parameters, as declared."""
        found: list[State | Parameter] = [*self.states]
        return (*found, *self.parameters)

    @property
    def shapes(self) -> dict[str, tuple[str, ...]]:
        """The index sets of every indexed quantity, by name."""
        shapes = {q.name: tuple(s.name for s in q.shape) for q in self.quantities}
        shapes |= {m.name: tuple(s.name for s in m.shape) for m in self.intermediates}
        return {name: shape for name, shape in shapes.items() if shape}

    @property
    def is_indexed(self) -> bool:
        """Whether any quantity is per node or per link."""
        return any(q.shape for q in self.quantities)

    @property
    def blocks(self) -> dict[str, slice]:
        """Where the numbers of each declared state stand in the state vector."""
        if not self.is_indexed:
            return {name: slice(k, k + 1) for k, name in enumerate(self.declared)}
        return _blocks(self.states, self._network)

    def place_of(self, name: str) -> int | slice | None:
        """Return where a state stands in the state vector: a place, or a range for all its nodes.

        ``theta[3]`` and a state that is one number have a place; None if there is no such state.
        """
        if name in self.declared:
            block = self.blocks[name]
            return block if self._state(name).shape else block.start
        return self.state_names.index(name) if name in self.state_names else None

    def _state(self, name: str) -> State:
        return next(s for s in self.states if s.name == name)

    @property
    def domains(self) -> tuple[Domain, ...]:
        """Where each number of the state lives, in the order of `state_names`."""
        return tuple(
            s.domain for s in self.states for _ in range(*self.blocks[s.name].indices(1 << 62))
        )

    @property
    def _network(self) -> Bound:
        if self.bound is None:
            raise UnsupportedSystemError(
                f"{self.name!r} is a rule for networks and not bound to one yet. Bind it: "
                f"{self.name}.on(graph), .on(matrix), .on(dl.AllToAll(100))."
            )
        return self.bound

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Names of the parameters that are one number, in order."""
        return tuple(parameter.called for parameter in self.parameters if not parameter.shape)

    @property
    def names_in_rule(self) -> dict[str, str]:
        """What each parameter that is one number is called in the rule, in order.

        Its own name, unless it stands for one entry of an indexed parameter.
        """
        return {p.called: p.name for p in self.parameters if not p.shape}

    @property
    def observable_names(self) -> tuple[str, ...]:
        """Names of the observables in order."""
        return tuple(observable.name for observable in self.observables)

    @property
    def signal_names(self) -> tuple[str, ...]:
        """Names of the signals in order."""
        return tuple(signal.name for signal in self.signals)

    @property
    def start_values(self) -> tuple[float, ...]:
        """Default start of each state, in the order of `state_names`."""
        if not self.is_indexed:
            return tuple(state.start for state in self.states)
        return tuple(
            float(v) for s in self.states
            for v in (self._values(s, s.start) if s.shape else (s.start,))
        )  # fmt: skip

    @property
    def parameter_values(self) -> tuple[float, ...]:
        """Value of each parameter that is one number, in order."""
        return tuple(p.value for p in self.parameters if not p.shape)

    def _values(self, quantity: State | Parameter, default: float) -> Any:
        """Return the numbers of a quantity; one for each node or link where it has indices."""
        if not quantity.shape:
            return default
        shape = tuple(i.name for i in quantity.shape)
        values = self._network.values_of(quantity.name, shape, default)
        entries = [p for p in self.parameters if base_of(p.entry) == quantity.name]
        if entries:
            values = values.copy()
            for p in entries:
                values[place_of_entry(p.entry, self.shapes, self._network)] = p.value
        return values

    @property
    def is_discrete(self) -> bool:
        return isinstance(self.time, DiscreteTime)

    @property
    def is_autonomous(self) -> bool:
        layers = self.noise.layers if self.noise else ()
        amplitudes = (e for layer in layers for e in layer.amplitudes)
        return not any(e.has(TIME) for e in (*self.rule, *amplitudes))

    @property
    def is_stochastic(self) -> bool:
        return self.noise is not None

    @property
    def is_delayed(self) -> bool:
        return bool(self.delays)

    @property
    def delays(self) -> tuple[Lag, ...]:
        """The states of the past that the equations ask for, each with its delay, in one order."""
        return lags_of(self.rule)

    def __getitem__(self, name: str) -> Any:
        """Return the value of a parameter, or the default start of a state.

        On a bound network, a quantity per node or link gives an array, and ``system["omega[3]"]`` one
        entry of it.
        """
        for state in self.states:
            if state.name == name:
                return self._values(state, state.start) if self.bound else state.start
        for parameter in self.parameters:
            if parameter.called == name:
                return self._values(parameter, parameter.value) if self.bound else parameter.value
        if self.bound is not None and base_of(name) in self.shapes:
            return float(self[base_of(name)][place_of_entry(name, self.shapes, self.bound)])
        known = tuple(p.called for p in self.parameters) + self.declared
        raise UnknownNameError(f"parameter or state of {self.name!r}", name, known)

    def unit_of(self, name: str) -> str:
        """Return the unit label of a state, parameter, observable, or the time ``"t"``."""
        units = {"t": self.time.unit}
        units |= {s.name: s.unit for s in self.states}
        units |= {p.name: p.unit for p in self.parameters}
        units |= {o.name: o.unit for o in self.observables}
        units |= {s.name: s.unit for s in self.signals}
        base = name.partition("[")[0] if self.is_indexed else name
        if base not in units:
            raise UnknownNameError(f"quantity of {self.name!r}", name, units)
        return units[base]

    def __call__(self, **values: Any) -> System:
        """Return the same system with other parameter values; nothing is compiled again.

        On a bound network a parameter per node or link also takes an array.
        """
        known = tuple(p.called for p in self.parameters)
        for name in values:
            if name in self.declared:
                raise UnknownNameError(
                    f"parameter of {self.name!r} (it is a state; use with_start, or start=)",
                    name, known,
                )  # fmt: skip
            if name in self.signal_names:
                raise UnknownNameError(
                    f"parameter of {self.name!r} (it is a signal; use with_signal)", name, known
                )
            if name not in known:
                raise UnknownNameError(f"parameter of {self.name!r}", name, known)
        plain, per_node = self._split(values)
        bound = self._rebound(per_node)
        for p in self.parameters:
            if p.entry and p.entry not in plain and base_of(p.entry) in values and bound:
                place = place_of_entry(p.entry, self.shapes, bound)
                plain[p.entry] = _entry_of(values[base_of(p.entry)], bound, base_of(p.entry), place)
        changed = tuple(
            replace(p, value=finite(plain[p.called], f"{p.called!r}")) if p.called in plain else p
            for p in self.parameters
        )
        return replace(self, parameters=changed, bound=bound)

    def with_start(self, **values: Any) -> System:
        """Return the same system with other default starts."""
        for name in values:
            if name not in self.declared:
                raise UnknownNameError(f"state of {self.name!r}", name, self.declared)
        plain, per_node = self._split(values)
        changed = tuple(
            replace(s, start=finite(plain[s.name], f"start of {s.name!r}"))
            if s.name in plain
            else s
            for s in self.states
        )
        return replace(self, states=changed, bound=self._rebound(per_node))

    def _split(self, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Tell values that are one number for all from values per node or link."""
        indexed_names = self.shapes
        per_node = {
            n: v for n, v in values.items()
            if n in indexed_names and (hasattr(v, "__len__") or (self.bound and n in self.bound.values))
        }  # fmt: skip
        return {n: v for n, v in values.items() if n not in per_node}, per_node

    def _rebound(self, per_node: Mapping[str, Any]) -> Bound | None:
        return with_values(self, per_node, {}) if per_node else self.bound

    def on(self, network: Any, *, links: Mapping[str, Any] | None = None) -> System:
        """Bind a rule for networks to a network: sizes, links and weights.

        Parameters
        ----------
        network
            A networkx graph (an edge u -> v becomes ``A[v, u]``; edge attribute ``weight`` or the
            parameter's own name gives the weights), a square matrix (``A[i, j]`` from j to i; numpy or
            scipy.sparse), `dynlab.AllToAll`, a number of nodes where there are no links, or the size
            of each node set by name.
        links
            With sizes: for each quantity per link a matrix, graph or `dynlab.AllToAll`, by its name.

        Returns
        -------
        System
            The same rule, bound; nothing is compiled again.

        Raises
        ------
        SettingError
            If sizes and links do not fit, or a weight is not finite.

        Examples
        --------
        >>> import numpy as np, dynlab as dl
        >>> pair = dl.zoo.consensus.on(np.array([[0.0, 1.0], [1.0, 0.0]]))
        >>> pair.state_names
        ('x[0]', 'x[1]')
        """
        return replace(self, bound=bind(self, network, links))

    def draw(self, *, seed: Any = None, **distributions: Any) -> System:
        """Give each node or link its own value of a parameter or start, from a distribution.

        Parameters
        ----------
        seed
            A whole number, a numpy generator, or None for a new one; kept in ``bound.draws``.
            Each quantity has its own stream, so drawing one more changes none of the others.
        **distributions
            A distribution for each parameter or state per node or link: `dynlab.Gaussian`,
            `dynlab.Lorentzian`, `dynlab.Uniform`, `dynlab.LogNormal`, or a frozen distribution of
            scipy.stats; `dynlab.Quantiles` of one lays its values out evenly.

        Raises
        ------
        SettingError
            If the system is not bound, or something given is no distribution.
        UnknownNameError
            If a name has no value per node or link.

        Examples
        --------
        >>> import dynlab as dl
        >>> swarm = dl.zoo.kuramoto.on(dl.AllToAll(100)).draw(omega=dl.Gaussian(0, 1), seed=1)
        >>> swarm["omega"].shape
        (100,)
        """
        chosen = seed_of(seed)
        known = tuple(q.name for q in self.quantities if q.shape)
        values, words = {}, {}
        for name, distribution in distributions.items():
            if name not in known:
                raise UnknownNameError(f"quantity per node or link of {self.name!r}", name, known)
            count = self._network.count(self.shapes[name])
            stream = chosen.stream(*name.encode())
            values[name] = drawn(distribution, count, stream)
            words[name] = f"{distribution}, seed {chosen.text}"
        return replace(self, bound=with_values(self, values, words))

    def tie(self, **expressions: str) -> System:
        """Return the system with parameters replaced by expressions of other parameters.

        A tie that is the bare name of a new parameter declares it: it takes the value and unit of
        the parameter it replaces.

        Examples
        --------
        >>> import dynlab as dl
        >>> tied = dl.zoo.roessler.tie(a="g", b="g")
        >>> tied
        <flow roessler: x' = -y - z; y' = g*y + x; z' = g + z*(-c + x); g = 0.2, c = 5.7>
        """
        return tied(self, expressions)

    def with_observable(self, **functions: Callable[..., Any]) -> System:
        """Return the system with named functions of the state, recorded wherever it goes.

        Each function takes states, parameters or earlier observables by the names of its
        arguments.

        Examples
        --------
        >>> import dynlab as dl
        >>> ring = dl.zoo.van_der_pol.with_observable(energy=lambda x, y: (x**2 + y**2) / 2)
        >>> ring.observable_names
        ('energy',)
        """
        system = self
        for name, function in functions.items():
            added = Observable(checked_name(name, "observable"), system.expression_of(function))
            system = replace(system, observables=(*system.observables, added))
        return system

    def with_event(
        self,
        *,
        when: Callable[..., Any],
        direction: int = 0,
        name: str | None = None,
        refractory: Callable[..., Any] | None = None,
        held: Sequence[str] | None = None,
        deliver: Callable[..., Mapping[Any, Any]] | None = None,
    ) -> Callable[[Callable[..., Mapping[Any, Any]]], System]:
        """Decorate a function that says what happens to the state when a guard passes zero.

        The positional arguments of the function are states; its keyword-only ones are new
        parameters with their values, or parameters that the system has.  It returns
        ``{state: new value}``, all from the values before; states left out stay as they are.  The new
        system has the function's name and docstring.  Several events are several decorators.

        Parameters
        ----------
        when
            The guard, ``lambda v: v - 30``: a function of states, parameters, observables and t.
        direction
            +1 if the guard must rise through zero, -1 if it must fall, 0 for both.
        name
            What to call the event, ``trajectory.events[name]``; ``"event"``, ``"event_2"``, ... if
            None.
        refractory
            Time after the event, ``lambda tref: tref``, during which the guard is deaf and the held
            states stand still.
        held
            The states that stand still during that time; those that the reset sets if None.
        deliver
            On a network, where guard and reset are those of each node i: what a node j that fires does
            over its links, at that moment: ``lambda g, w: {g[i]: g[i] + w[i, j]}``.

        Raises
        ------
        DefinitionError
            If the system is a map, the guard depends on no state, a state or parameter does not
            exist, or a new value is no expression.

        Examples
        --------
        >>> import dynlab as dl
        >>> @dl.flow
        ... def falling(x=1.0, v=0.0, *, g=9.81):
        ...     return {x: v, v: -g}
        >>> @falling.with_event(when=lambda x: x, direction=-1, name="bounce")
        ... def ball(x, v, *, e=0.9):
        ...     return {v: -e * v}
        >>> run = dl.integrate(ball, duration=1)
        >>> run.events["bounce"].times.round(6)
        array([0.451524])
        """

        def add(function: Callable[..., Mapping[Any, Any]]) -> System:
            if self.is_indexed:
                event = Event(
                    event_name(self) if name is None else checked_name(name, "event"),
                    sympy.S.Zero, direction,
                )  # fmt: skip
                return with_node_event(self, function, event, when, refractory, held, deliver)
            system, new = with_reset(self, function)
            pause = None if refractory is None else system.expression_of(refractory)
            still = tuple(s for s, _ in new) if held is None else tuple(map(str, held))
            guard = system.expression_of(when)
            called = event_name(self) if name is None else checked_name(name, "event")
            stay = still if pause is not None or held is not None else ()
            event = Event(called, guard, direction, new, pause, stay)
            return replace(system, events=(*self.events, event))

        return add

    def with_switch(self, **surfaces: Callable[..., Any]) -> System:
        """Return the system with named surfaces at which a run begins anew: events without a reset.

        Where the rule jumps, as at Coulomb friction or a relay, no step then spans the jump, and the
        method keeps its order.  The passages are recorded in ``trajectory.events``.

        Examples
        --------
        >>> import dynlab as dl
        >>> @dl.flow
        ... def bang_bang(x=1.0, v=0.0):
        ...     return {x: v, v: -dl.sign(x)}
        >>> exact = bang_bang.with_switch(middle=lambda x: x)
        >>> run = dl.integrate(exact, duration=6)
        >>> run.events["middle"].times.round(6)
        array([1.414214, 4.242641])
        """
        system = self
        for name, surface in surfaces.items():
            event = Event(checked_name(name, "event"), system.expression_of(surface))
            system = replace(system, events=(*system.events, event))
        return system

    def with_noise(self, reading: Reading | None = None, /, **amplitudes: float) -> Any:
        """Return the system with noise: ``dX = f dt + sigma dW`` with a constant amplitude sigma per state.

        The amplitudes are standard deviations per square root of time: ``with_noise(x=0.4)`` adds to x
        within a time h a Gaussian number of variance ``0.4**2 * h``.  The diffusion coefficient of the
        Fokker-Planck equation is ``D = sigma**2 / 2``.  Different states, and different nodes, have
        independent noises.

        Of a map it is ``x' = f(x) + sigma xi`` with independent Gaussian numbers xi of variance 1, new in each step.

        With a reading instead, ``@system.with_noise(dl.Ito)`` decorates a function that says how the
        amplitudes depend on the state.  Its positional arguments are states; its keyword-only ones are new
        parameters with their values, or parameters that the system has.  It returns ``{state:
        amplitude}``; states left out have no noise.  ``{x: [a, b]}`` are several independent sources, and
        `dynlab.sources` names those that states share.

        Parameters
        ----------
        reading
            ``dl.Ito``, ``dl.Stratonovich`` or ``dl.HanggiKlimontovich``: whether a varying amplitude is
            taken at the beginning of dt, in its middle or at its end.  What a method needs is converted from
            it symbolically.
        **amplitudes
            The constant amplitude sigma of each state.

        Returns
        -------
        System
            The stochastic system, or with a reading what makes one of a function.  Run it with
            `dynlab.simulate` or `dynlab.ensemble`.

        Raises
        ------
        DefinitionError
            If there is noise already, nothing is given, or an amplitude is no expression of states and
            parameters.
        UnknownNameError
            If a name is not a state.
        UnsupportedSystemError
            If the system is a map and the reading another than Ito's.

        Examples
        --------
        >>> import dynlab as dl
        >>> @dl.flow
        ... def growth(x=1.0, *, mu=0.1):
        ...     return {x: mu * x}
        >>> @growth.with_noise(dl.Stratonovich)
        ... def noisy(x, *, s=0.5):
        ...     return {x: s * x}
        >>> noisy
        <flow noisy: dx = (mu*x) dt + (s*x) o dW_1; mu = 0.1, s = 0.5>
        >>> growth.with_noise(x=0.4).is_stochastic
        True

        References
        ----------
        Gardiner, Handbook of Stochastic Methods, section 4.3.
        """
        _check_may_have_noise(self, reading, amplitudes)
        if reading is None:
            for name in amplitudes:
                if name not in self.declared:
                    raise UnknownNameError(f"state of {self.name!r}", name, self.declared)
            return replace(self, noise=additive_noise(self, amplitudes))

        def add(function: Callable[..., Mapping[Any, Any]]) -> System:
            extended, found = called_on_names(self, function, "noise")

            def check(value: Any, where: str) -> sympy.Expr:
                return checked_expression(value, extended, where)

            return replace(extended, noise=noise_of(extended, found, reading, check))

        return add

    def without_noise(self) -> System:
        """Return the deterministic system that the noise was added to.

        Examples
        --------
        >>> import dynlab as dl
        >>> dl.zoo.lorenz.with_noise(x=0.1).without_noise() == dl.zoo.lorenz
        True
        """
        return replace(self, noise=None)

    @property
    def event_names(self) -> tuple[str, ...]:
        """Names of the events in order."""
        return tuple(event.name for event in self.events)

    def expression_of(self, function: Callable[..., Any]) -> sympy.Expr:
        """Turn ``lambda v, I: v - I`` over named quantities into a checked expression."""
        if not callable(function):
            raise DefinitionError(
                f"{function!r} is not a function of quantities of {self.name!r}. "
                f"Write for example: lambda {self.declared[0]}: {self.declared[0]} - 1."
            )
        named = names_in_bodies(self)
        named |= {o.name: o.expression for o in self.observables}
        named["t"] = TIME
        arguments = list(inspect.signature(function).parameters)
        for argument in arguments:
            if argument not in named:
                what = f"quantity of {self.name!r} (argument of a function given by you)"
                raise UnknownNameError(what, argument, named)
        value = on_symbols(
            lambda: function(*(named[a] for a in arguments)),
            f"the body of a function given for {self.name!r}",
            arguments,
        )
        checked = checked_expression(value, self, f"a function of {', '.join(arguments)}")
        if lags_of((checked,)):
            raise UnsupportedSystemError(
                f"a function given for {self.name!r} asks for a state of the past. dl.delayed stands in the "
                "equations alone."
            )
        loose = indexed.free_indices(checked)
        if loose:
            raise DefinitionError(
                f"a function given for {self.name!r} depends on the index {min(loose)}; it must be one "
                "number. Take dl.Sum or dl.Mean over the nodes."
            )
        return checked

    def with_signal(self, **recordings: Recording) -> System:
        """Return the same system with recordings for its signals; nothing is compiled again.

        Examples
        --------
        >>> import dynlab as dl
        >>> @dl.flow
        ... def filtered(v=0.0, *, tau=1.0, drive: dl.Signal):
        ...     return {v: (drive - v) / tau}
        >>> driven = filtered.with_signal(drive=dl.Recording([0, 1, 2], [0, 1, 0]))
        >>> dl.integrate(driven, duration=2).status.ok
        True
        """
        for name, recording in recordings.items():
            if name not in self.signal_names:
                raise UnknownNameError(f"signal of {self.name!r}", name, self.signal_names)
            if not isinstance(recording, Recording):
                raise SettingError(
                    f"the signal {name!r} of {self.name!r} is given {recording!r:.60}. Give a recording: "
                    f"{name}=dl.Recording(times, values)."
                )
        return replace(self, signals=tuple(
            replace(s, recording=recordings.get(s.name, s.recording)) for s in self.signals
        ))  # fmt: skip

    def frozen(self, *, at: float, time: str = "t0") -> System:
        """Return the autonomous system with time and signals standing still at a moment.

        Each signal becomes a parameter of its name, with its value at that moment.  If the equations
        hold ``dl.t`` as well, the moment itself becomes a parameter, so that a diagram in it
        follows the equilibria through time.

        Parameters
        ----------
        at
            The moment.
        time
            What the parameter is called that stands for ``dl.t``.

        Examples
        --------
        >>> import dynlab as dl
        >>> @dl.flow
        ... def warming(x=1.0, *, speed=0.1):
        ...     return {x: speed * dl.t + x - x**3}
        >>> dl.find_equilibria(warming.frozen(at=0), within={"x": (-2, 2)})[0]["x"]
        -1.0
        """
        moment = finite(at, "at")
        still = [
            Parameter(s.name, signals.value_at(s, moment, self.name), s.unit) for s in self.signals
        ]
        constants = {s.name: symbol(s.name) for s in self.signals}
        _refuse_noise(self, "frozen")
        observed = tuple(o.expression for o in self.observables)
        each = tuple(m.expression for m in self.intermediates)
        everything = signals.at_moment((*self.rule, *observed, *each), constants)
        if any(e.has(TIME) for e in everything):
            still.append(Parameter(checked_name(time, "parameter"), moment, self.time.unit))
            everything = signals.with_time(everything, symbol(still[-1].name))
        return self._rewritten(everything, parameters=(*self.parameters, *still), signals=())

    def with_phase(self, **frequency: str) -> System:
        """Return the autonomous system in which a periodic drive is a state of its own.

        ``with_phase(theta="omega")`` adds the angle theta with ``theta' = omega``, and puts
        ``theta / omega`` in the place of the time, in the events as well.

        Examples
        --------
        >>> import dynlab as dl
        >>> @dl.flow
        ... def driven(x=1.0, v=0.0, *, omega=1.2, F=0.3):
        ...     return {x: v, v: x - x**3 - 0.25 * v + F * dl.cos(omega * dl.t)}
        >>> driven.with_phase(theta="omega")
        <flow driven: x' = v; v' = F*cos(theta) - 0.25*v - x**3 + x; theta' = omega; omega = 1.2, F = 0.3>
        """
        if len(frequency) != 1:
            raise DefinitionError(
                f"with_phase of {self.name!r} takes one phase and its frequency: theta='omega'."
            )
        (phase, omega), *_ = frequency.items()
        if omega not in self.parameter_names:
            raise UnknownNameError(f"parameter of {self.name!r}", omega, self.parameter_names)
        _refuse_noise(self, "with_phase")
        observed = tuple(o.expression for o in self.observables)
        each = tuple(m.expression for m in self.intermediates)
        turning = symbol(checked_name(phase, "state")) / symbol(omega)
        everything = signals.with_time((*self.rule, *observed, *each), turning)
        n = len(self.rule)
        everything = (*everything[:n], symbol(omega), *everything[n:])
        added = State(phase, 0.0, "", Domain.CIRCLE)
        events = tuple(e.mapped(lambda g: signals.with_time((g,), turning)[0]) for e in self.events)
        return self._rewritten(everything, states=(*self.states, added), pairs=(), events=events)

    def _rewritten(self, everything: tuple[sympy.Expr, ...], **changed: Any) -> System:
        """Return the system with other expressions: the rule, then observables, then intermediates."""
        n, m = len(changed.get("states", self.states)), len(self.observables)
        rule, observed, each = everything[:n], everything[n : n + m], everything[n + m :]
        parts = zip(self.observables, observed, strict=True)
        between = zip(self.intermediates, each, strict=True)
        return replace(
            self,
            rule=rule,
            observables=tuple(replace(o, expression=e) for o, e in parts),
            intermediates=tuple(replace(i, expression=e) for i, e in between),
            **changed,
        )

    @property
    def rule_hash(self) -> str:
        """Hash of the rule and of the names in it, without any values; keys the compiled code."""
        return _rule_hash(
            tuple((q.name, *(i.name for i in q.shape)) for q in self.states),
            tuple((q.name, *(i.name for i in q.shape)) for q in self.parameters),
            tuple((q.name, q.shape[0].name, q.expression) for q in self.intermediates),
            self.rule,
            self.signal_names,
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the definition to a ``.npz`` file that `dynlab.load` reads back."""
        return store.write(path, self)

    def __stored__(self) -> dict[str, Any]:
        """Return the definition as plain JSON data."""
        return {
            "name": self.name,
            "states": [
                [s.name, s.start, s.unit, s.domain.value, [[i.name, "node"] for i in s.shape]]
                for s in self.states
            ],
            "parameters": [
                [
                    p.name,
                    p.value,
                    p.unit,
                    [[i.name, "node"] for i in p.shape],
                    *([p.entry] * bool(p.entry)),
                ]
                for p in self.parameters
            ],
            "rule": [to_tree(expression) for expression in self.rule],
            "time": ["discrete" if self.is_discrete else "continuous", self.time.unit],
            "observables": [[o.name, to_tree(o.expression), o.unit] for o in self.observables],
            "events": [event.__stored__() for event in self.events],
            "reference": self.reference,
            "intermediates": [
                [m.name, [i.name for i in m.shape], to_tree(m.expression)]
                for m in self.intermediates
            ],
            "signals": [[s.name, s.value, s.unit] for s in self.signals],
            "pairs": [list(pair) for pair in self.pairs],
            **({"noise": self.noise.__stored__()} if self.noise else {}),
        }

    def __stored_arrays__(self) -> dict[str, Any]:
        """Return the network, if any, as named arrays."""
        found = {} if self.bound is None else self.bound.to_arrays()
        return found | signals.to_arrays(self.signals)

    @classmethod
    def __restored__(
        cls, data: Mapping[str, Any], arrays: Mapping[str, Any] | None = None
    ) -> System:
        """Rebuild a definition from what `__stored__` gave; every part is checked again."""
        network = signals.other_arrays(arrays or {})
        kind, unit = data["time"]
        if kind not in ("discrete", "continuous"):
            raise DefinitionError(f"the time of a stored system is {kind!r}; it cannot be read.")
        time = DiscreteTime(str(unit)) if kind == "discrete" else ContinuousTime(str(unit))
        return cls(
            name=str(data["name"]),
            states=tuple(
                State(n, float(s), u, Domain(d), tuple(IndexSet(i[0]) for i in shape))
                for n, s, u, d, shape in data["states"]
            ),
            parameters=tuple(
                Parameter(n, float(v), u, tuple(IndexSet(i[0]) for i in shape), *map(str, entry))
                for n, v, u, shape, *entry in data["parameters"]
            ),
            rule=tuple(from_tree(tree) for tree in data["rule"]),
            time=time,
            observables=tuple(Observable(n, from_tree(e), u) for n, e, u in data["observables"]),
            events=tuple(Event.__restored__(event) for event in data.get("events", ())),
            reference=str(data["reference"]),
            intermediates=tuple(
                Intermediate(n, tuple(IndexSet(i) for i in shape), from_tree(tree))
                for n, shape, tree in data.get("intermediates", ())
            ),
            bound=Bound.from_arrays(network) if network else None,
            signals=signals.from_arrays(data.get("signals", ()), arrays or {}),
            pairs=tuple((str(q), str(p)) for q, p in data.get("pairs", ())),
            noise=Noise.__restored__(data["noise"]) if data.get("noise") else None,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle, (json.dumps(self.__stored__()), self.__stored_arrays__())

    def __repr__(self) -> str:
        kind, mark = ("map", "' = ") if self.is_discrete else ("flow", "' = ")
        rule = "; ".join(f"{n}{mark}{e}" for n, e in zip(self.declared, self.rule, strict=True))
        rule = "; ".join(display.stochastic_lines(self)) if self.noise else rule
        values = ", ".join(f"{p.called} = {p.value:g}" for p in self.parameters)
        rule = "; ".join([rule, *map(str, self.events)])
        rule = rule if len(rule) <= 100 else rule[:97] + "..."
        return f"<{kind} {self.name}: {rule}{'; ' + values if values else ''}>"

    def _repr_latex_(self) -> str:
        if self.noise:
            return display.stochastic_equations(self)
        return display.equations(self.declared, self.rule, self.events, discrete=self.is_discrete)

    def _repr_html_(self) -> str:
        rows = [(p.name, p.value, p.unit) for p in self.parameters]
        rows += [(f"{s.name} (start)", s.start, s.unit) for s in self.states]
        kind = "map" if self.is_discrete else "flow"
        caption = html.escape(self.reference.split("\n")[0])
        return (
            f"<b>{html.escape(self.name)}</b> ({kind}) <i>{caption}</i>"
            f"<div>{html.escape(self._repr_latex_(), quote=False)}</div>"
            f"{display.table(rows)}"
        )


def _unpickle(text: str, arrays: Mapping[str, Any]) -> System:
    return System.__restored__(json.loads(text), arrays)


@cache
def _coordinates(states: tuple[State, ...], bound: Bound) -> tuple[str, ...]:
    names: list[str] = []
    for state in states:
        if not state.shape:
            names.append(state.name)
        elif len(state.shape) == 1:
            names += [f"{state.name}[{i}]" for i in range(bound.sizes[state.shape[0].name])]
        else:
            links = bound.between(*(i.name for i in state.shape))
            pairs = zip(links.targets, links.sources, strict=True)
            names += [f"{state.name}[{i}, {j}]" for i, j in pairs]
    return tuple(names)


@cache
def _blocks(states: tuple[State, ...], bound: Bound) -> dict[str, slice]:
    found, place = {}, 0
    for state in states:
        count = bound.count(tuple(i.name for i in state.shape))
        found[state.name] = slice(place, place + count)
        place += count
    return found


def _entry_of(value: Any, bound: Bound, name: str, place: int) -> Any:
    """Return one entry of a value that is given for all nodes or links."""
    return bound.values[name][place] if name in bound.values else value


@cache
def _rule_hash(
    states: tuple[tuple[str, ...], ...],
    parameters: tuple[tuple[str, ...], ...],
    intermediates: tuple[tuple[str, str, sympy.Expr], ...],
    rule: tuple[sympy.Expr, ...],
    signals: tuple[str, ...],
) -> str:
    between = [[name, over, to_tree(e)] for name, over, e in intermediates]
    data = [states, parameters, between, [to_tree(e) for e in rule], *signals]
    return hashlib.sha256(json.dumps(data).encode()).hexdigest()


def _check_may_have_noise(system: System, reading: Any, amplitudes: Mapping[str, Any]) -> None:
    if system.is_discrete and isinstance(reading, Reading) and reading is not Reading.ITO:
        raise UnsupportedSystemError(
            f"{system.name!r} is a map: its noise is added after a step with the amplitude before it, and there is no other "
            "reading. Give dl.Ito."
        )
    if system.noise is not None:
        raise DefinitionError(
            f"{system.name!r} has noise already. Take {system.name}.without_noise() first, and give all "
            "amplitudes at once; several sources of a state are {x: [a, b]}."
        )
    if (reading is None) == (not amplitudes):
        raise DefinitionError(
            f"with_noise of {system.name!r} takes either constant amplitudes, with_noise(x=0.4), or a reading, "
            "@system.with_noise(dl.Ito) above def name(x, *, s=0.5): return {x: s * x}."
        )
    if reading is not None and not isinstance(reading, Reading):
        raise DefinitionError(
            f"with_noise of {system.name!r} is given {reading!r:.60}, which is no reading. Give dl.Ito, "
            "dl.Stratonovich or dl.HanggiKlimontovich: @system.with_noise(dl.Ito)."
        )


def _refuse_noise(system: System, what: str) -> None:
    if system.noise is not None:
        raise UnsupportedSystemError(
            f"{what} of {system.name!r}: it has noise, which this would lose. Change the system before the "
            "noise is added: system.without_noise()."
        )
