"""Break times: when the right-hand side jumps because of the time alone.

A step across a jump loses the order of the method.  Where an equation decides on the time, as in
``dl.where(dl.t > 10, I, 0)`` or ``dl.floor(dl.t / period)``, the times are solved for beforehand, and
a run stops there and begins anew.  Found are conditions and arguments of floor, sign, heaviside,
abs, min and max that are affine in the time, also piecewise, as ``dl.mod(dl.t, T) < 1``.  Decisions
on states are the business of `dynlab.System.with_switch`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy.core.relational import Relational

from dynlab.symbolic.system import System
from dynlab.symbolic.tree import TIME, symbol

__all__ = ["break_times"]

Array = NDArray[np.float64]
#: More jumps than this in a run are left to the step control.
MOST_BREAKS = 1_000_000
#: A recording with more samples than this in a run is left to the step control, too.
MOST_KINKS = 1_000
#: Times that differ by fewer units of rounding are the same.
ROUNDING = 64
_JUMPS = (sympy.Heaviside, sympy.sign, sympy.Abs)


def break_times(system: System, begin: float, end: float) -> Array:
    """Return the times between two times at which the right-hand side jumps, in the order of the run.

    The beginning is among them if the right-hand side jumps there; the end is as well.
    """
    low, high = min(begin, end), max(begin, end)
    found: list[float] = []
    decisions, floors = _decisions(system.rule)
    if decisions or floors:
        values = dict(
            zip(map(symbol, system.names_in_rule.values()), system.parameter_values, strict=True)
        )
        found = _times([e.xreplace(values) for e in decisions],
                       [e.xreplace(values) for e in floors], low, high)  # fmt: skip
    found += _kinks(system, low, high)
    times = _apart(np.sort(np.array(found, dtype=float)))
    return times if end >= begin else times[::-1]


def _kinks(system: System, low: float, high: float) -> list[float]:
    """Return where recorded signals jump or bend, unless they do so all the time."""
    found: list[float] = []
    for signal in system.signals:
        if signal.recording is not None:
            times = signal.recording.kinks(low, high)
            found += times.tolist() if len(times) <= MOST_KINKS else []
    return found


@cache
def _decisions(
    rule: tuple[sympy.Expr, ...],
) -> tuple[tuple[sympy.Expr, ...], tuple[sympy.Expr, ...]]:
    """Return what is compared with zero, and what is rounded down; only what depends on the time."""
    timed = [e for e in rule if e.has(TIME)]
    zeros = dict.fromkeys(d for e in timed for d in _compared(e) if d.has(TIME))
    floors = dict.fromkeys(f.args[0] for e in timed for f in e.atoms(sympy.floor) if f.has(TIME))
    return tuple(zeros), tuple(floors)


def _compared(expression: sympy.Expr) -> Iterator[sympy.Expr]:
    for relation in expression.atoms(Relational):
        yield relation.lhs - relation.rhs
    for jump in expression.atoms(*_JUMPS):
        yield jump.args[0]
    for choice in expression.atoms(sympy.Max, sympy.Min):
        first, *others = choice.args
        yield from (first - other for other in others)


def _times(
    decisions: list[sympy.Expr], floors: list[sympy.Expr], low: float, high: float
) -> list[float]:
    """Return all times at which one of the decisions changes."""
    steps: list[float] = []
    for argument in floors:
        slope, offset = _affine(argument)
        ends = sorted((slope * low + offset, slope * high + offset))
        if slope and ends[1] - ends[0] < MOST_BREAKS:
            whole = np.arange(np.ceil(ends[0] - 1e-9), np.floor(ends[1] + 1e-9) + 1)
            steps += list((whole - offset) / slope)
    inner = _apart(np.sort(np.array(steps)))
    edges = np.concatenate([[low], inner[(inner > low) & (inner < high)], [high]])
    found = list(inner)
    for decision in decisions:
        if decision.has(sympy.floor):
            found += _on_pieces(decision, edges)
        else:
            slope, offset = _affine(decision)
            found += [-offset / slope] if slope else []
    # A jump that is at an end but for rounding is at the end.
    slack = ROUNDING * np.spacing(max(abs(low), abs(high)))
    return [min(max(t, low), high) for t in found if low - slack <= t <= high + slack]


def _affine(expression: sympy.Expr) -> tuple[float, float]:
    """Return slope and offset of an expression affine in the time alone; slope 0 for any other."""
    slope = sympy.diff(expression, TIME)
    if not slope.is_number:
        return 0.0, 0.0
    offset = expression.xreplace({TIME: sympy.S.Zero})
    if not offset.is_number:
        return 0.0, 0.0
    return float(slope), float(offset)


def _on_pieces(decision: sympy.Expr, edges: Array) -> list[float]:
    """Return the zeros of a decision that is affine in the time between the edges, not across them."""
    middles = (edges[1:] + edges[:-1]) / 2
    rounded: dict[sympy.Symbol, Array] = {}
    while inner := [f for f in decision.atoms(sympy.floor) if not f.args[0].has(sympy.floor)]:
        for f in inner:
            argument = f.args[0]
            if argument.free_symbols - {TIME, *rounded}:
                return []
            values = sympy.lambdify([TIME, *rounded], argument)(middles, *rounded.values())
            named = sympy.Dummy(real=True)
            rounded[named] = np.floor(values) * np.ones_like(middles)
            decision = decision.xreplace({f: named})
    slope = sympy.diff(decision, TIME)
    if slope.free_symbols - set(rounded) or decision.free_symbols - {TIME, *rounded}:
        return []
    both = sympy.lambdify([*rounded], [slope, decision.xreplace({TIME: sympy.S.Zero})])
    slopes, offsets = (value * np.ones_like(middles) for value in both(*rounded.values()))
    with np.errstate(divide="ignore", invalid="ignore"):
        zeros = -offsets / slopes
    return [float(t) for t in zeros[(zeros >= edges[:-1]) & (zeros <= edges[1:])]]


def _apart(times: Array) -> Array:
    """Return sorted times without those that differ from the one before by rounding alone."""
    if len(times) < 2:
        return times
    keep = np.diff(times, prepend=-np.inf) > ROUNDING * np.spacing(np.abs(times))
    return times[keep]
