"""@hamiltonian: an energy becomes a flow, and the flow remembers what is a coordinate and what a momentum.

``H(q, p)`` gives ``q' = dH/dp`` and ``p' = -dH/dq`` (Hamilton 1835, Phil. Trans. R. Soc. 125, 95).
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, overload

import sympy

from dynlab.errors import DefinitionError, UnsupportedSystemError
from dynlab.symbolic.define import flow
from dynlab.symbolic.derivatives import jacobian
from dynlab.symbolic.expressions import check_expression
from dynlab.symbolic.quantities import Observable
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import TIME, symbol

__all__ = ["ENERGY", "Parts", "hamiltonian", "parts_of"]

Energy = Callable[..., Any]

#: What the observable that holds H is called.
ENERGY = "energy"


@overload
def hamiltonian(function: Energy) -> System: ...
@overload
def hamiltonian(
    *,
    pairs: Mapping[str, str] | None = None,
    time: str = "",
    units: Mapping[str, str] | None = None,
) -> Callable[[Energy], System]: ...
def hamiltonian(
    function: Energy | None = None,
    *,
    pairs: Mapping[str, str] | None = None,
    time: str = "",
    units: Mapping[str, str] | None = None,
) -> Any:
    """Define a flow by its energy: a function from coordinates, momenta and parameters to H.

    The positional arguments are the coordinates and then their momenta, in the same order; the
    keyword-only arguments are parameters.  The body runs once, on symbols, and returns one
    expression, from which ``q' = dH/dp`` and ``p' = -dH/dq`` are derived.

    Parameters
    ----------
    function
        The function to define the system by.
    pairs
        The momentum of each coordinate by name, if the positional arguments stand in another order.
    time
        Unit label of time.
    units
        Unit labels of states and parameters, by name.

    Returns
    -------
    System
        A flow with the observable ``energy``.  It runs with every method; where H is a sum of a
        function of the momenta and one of the coordinates, also with the symplectic ones, such as
        `dynlab.BlanesMoan4`, and else with `dynlab.Gauss8`.

    Raises
    ------
    DefinitionError
        If a coordinate has no momentum, or the function returns something else than an expression.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.hamiltonian
    ... def henon_heiles(x=0.0, y=0.1, px=0.5, py=0.0, *, lam=1.0):
    ...     return (px**2 + py**2 + x**2 + y**2) / 2 + lam * (x**2 * y - y**3 / 3)
    >>> henon_heiles.pairs
    (('x', 'px'), ('y', 'py'))
    >>> run = dl.integrate(henon_heiles, duration=1000, method=dl.KahanLi8(step=0.2))
    >>> run.energy_error < 1e-8
    True
    """
    if function is None:
        return lambda f: _define(f, pairs, time, units)
    return _define(function, pairs, time, units)


def _define(
    function: Energy,
    pairs: Mapping[str, str] | None,
    time: str,
    units: Mapping[str, str] | None,
) -> System:
    name = getattr(function, "__name__", "system")
    if not callable(function):
        raise DefinitionError(
            f"a Hamiltonian system is defined by a function, not by {function!r}. Write: "
            "@dl.hamiltonian above def name(q=1.0, p=0.0): return p**2 / 2 + q**2 / 2."
        )
    paired = _paired(function, pairs, name)
    found: list[sympy.Expr] = []

    @functools.wraps(function)
    def rule(*states: sympy.Symbol, **parameters: sympy.Expr) -> dict[sympy.Symbol, sympy.Expr]:
        _refuse_indexed((*states, *parameters.values()), name)
        given = function(*states, **parameters)
        if isinstance(given, Mapping):
            raise DefinitionError(
                f"{name!r} returns a dict; under @dl.hamiltonian return the energy alone, as one "
                "expression. The equations follow from it. For equations use @dl.flow."
            )
        symbols = [s for s in (*states, *parameters.values()) if isinstance(s, sympy.Symbol)]
        known = tuple(s.name for s in symbols)
        energy = check_expression(given, known, f"the energy of {name!r}")
        found.append(energy)
        named = {s.name: s for s in states}
        rates = dict(zip(named, jacobian((energy,), tuple(named)), strict=True))
        velocities = {named[q]: rates[p] for q, p in paired}
        return velocities | {named[p]: -rates[q] for q, p in paired}

    system = flow(time=time, units=units)(rule)
    observable = Observable(ENERGY, found[-1])
    return replace(system, pairs=paired, observables=(observable, *system.observables))


def _paired(
    function: Energy, pairs: Mapping[str, str] | None, name: str
) -> tuple[tuple[str, str], ...]:
    """Return coordinates and momenta by name; every state is one or the other, once."""
    states = [
        a.name
        for a in inspect.signature(function).parameters.values()
        if a.kind in (a.POSITIONAL_ONLY, a.POSITIONAL_OR_KEYWORD)
    ]
    if pairs is None:
        half = len(states) // 2
        if not states or len(states) % 2:
            raise DefinitionError(
                f"{name!r} has {len(states)} positional arguments ({', '.join(states)}); every "
                "coordinate needs a momentum. Write the coordinates and then the momenta: "
                "def f(x=1.0, y=0.0, px=0.0, py=1.0)."
            )
        return tuple(zip(states[:half], states[half:], strict=True))
    if not isinstance(pairs, Mapping):
        raise DefinitionError(
            f"pairs of {name!r} is {pairs!r}; give the momentum of each coordinate by name, such "
            "as pairs={'x': 'px'}."
        )
    named = [*pairs.keys(), *pairs.values()]
    if sorted(named) != sorted(states):
        odd = sorted({s for s in states if named.count(s) != 1} | (set(named) - set(states)))
        raise DefinitionError(
            f"pairs of {name!r} must name each state once, as a coordinate or as a momentum; look "
            f"at {', '.join(odd)}. The states are {', '.join(states)}."
        )
    return tuple(pairs.items())


def _refuse_indexed(quantities: tuple[Any, ...], name: str) -> None:
    for quantity in quantities:
        if not isinstance(quantity, sympy.Expr):
            raise UnsupportedSystemError(
                f"{quantity} of {name!r} has an index; the energy of a network cannot be differentiated "
                "yet. Write its equations with @dl.flow, or one coordinate and momentum per particle."
            )


class Parts:
    """The two parts of a separable energy ``H = T(p) + V(q, t)``: velocities dT/dp and forces -dV/dq."""

    __slots__ = ("coordinates", "forces", "momenta", "velocities")

    def __init__(self, system: System) -> None:
        rule = dict(zip(system.state_names, system.rule, strict=True))
        self.coordinates = tuple(q for q, _ in system.pairs)
        self.momenta = tuple(p for _, p in system.pairs)
        self.velocities = tuple(rule[q] for q in self.coordinates)
        self.forces = tuple(rule[p] for p in self.momenta)


def parts_of(system: System) -> Parts:
    """Return the parts of a separable energy.

    Raises
    ------
    UnsupportedSystemError
        If the system has no energy, or a term of it holds a momentum together with a coordinate or
        the time.
    """
    if not system.pairs:
        raise UnsupportedSystemError(
            f"{system.name!r} has no energy, which a symplectic method needs: it was not defined by "
            "one. Define it with @dl.hamiltonian, or use dl.Explicit8()."
        )
    parts = Parts(system)
    still = {TIME, *(symbol(q) for q in parts.coordinates)}
    moving = {symbol(p) for p in parts.momenta}
    mixed = any(_depends(v, still) for v in parts.velocities)
    mixed = mixed or any(_depends(f, moving) for f in parts.forces)
    if mixed:
        raise UnsupportedSystemError(
            f"the energy of {system.name!r} is not T(p) + V(q): the term {_mixed_term(system)} holds "
            "momenta together with coordinates or the time, so kicks and drifts cannot be done one "
            "after the other. Use dl.Gauss8(step=...), which is symplectic for any energy."
        )
    return parts


def _depends(expression: sympy.Expr, symbols: set[sympy.Symbol]) -> bool:
    """Whether an expression really depends on one of the symbols, or only looks as if it did."""
    return any(
        sympy.expand(jacobian((expression,), (s.name,))[0]).equals(0) is not True
        for s in sorted(expression.free_symbols & symbols, key=str)
    )


def _mixed_term(system: System) -> sympy.Expr:
    energy = next(o.expression for o in system.observables if o.name == ENERGY)
    momenta = {symbol(p) for _, p in system.pairs}
    others = {TIME, *(symbol(q) for q, _ in system.pairs)}
    for term in sympy.Add.make_args(sympy.expand(energy)):
        if term.free_symbols & momenta and term.free_symbols & others:
            return term
    return energy
