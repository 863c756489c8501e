"""The past of a system with delays before a run begins, as polynomials.

What a run reads of its past are steps, polynomials of degree 7; so is the history that it is given.  A function of the time is
interpolated at the zeros of Chebyshev's polynomial of degree 8 in each of as many pieces as it takes.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import AccuracyWarning, SettingError
from dynlab.kernels.run import POWERS
from dynlab.names import Layout
from dynlab.solve.trajectory import Steps, Trajectory
from dynlab.symbolic.system import System

__all__ = ["History", "interpolated", "past_of"]

Array = NDArray[np.float64]
History = Mapping[str, Callable[[float], float]] | Trajectory

#: Interpolation errors of a history, relative to its size; pieces at most.
EXACT, MOST_PIECES = 1e-12, 4096
#: A trajectory may be shorter than the longest delay by this part of it, for rounding.
ROUNDING = 1e-12
#: Zeros of Chebyshev's polynomial between 0 and 1, the matrix from values there to Chebyshev's coefficients, that from
#: these to powers, and places between the zeros.  In two steps, as each by itself loses nothing to rounding.
_ANGLES = np.pi * (np.arange(POWERS) + 0.5) / POWERS
_POINTS = 0.5 + 0.5 * np.cos(_ANGLES)
_TO_CHEBYSHEV = (
    np.cos(np.outer(np.arange(POWERS), _ANGLES))
    * np.where(np.arange(POWERS), 2.0, 1.0)[:, None]
    / POWERS
)
_TO_POWERS = np.array([
    np.pad(np.polynomial.Chebyshev.basis(k, domain=[0, 1]).convert(kind=np.polynomial.Polynomial).coef, (0, POWERS - 1 - k))
    for k in range(POWERS)
]).T  # fmt: skip
_BETWEEN = np.concatenate([[0.0], 0.5 * (_POINTS[1:] + _POINTS[:-1]), [1.0]])


def past_of(
    system: System,
    start: Mapping[str, float] | Sequence[float] | None,
    history: History | None,
    longest: float,
) -> tuple[Steps, Array]:
    """Return the past of a run that begins at 0, over the longest delay, and the state at 0.

    Raises
    ------
    SettingError
        If a history is no function or trajectory of the system's states, or too short.
    UnknownNameError
        If it names a state that does not exist.
    """
    layout = Layout.of(system)
    if isinstance(history, Trajectory):
        past, end = _of_trajectory(system, history, longest)
        return past, end if start is None else layout.pack(start, tuple(end.tolist()))
    values = np.array(layout.pack(start, system.start_values))
    given = {} if history is None else history
    if not isinstance(given, Mapping) or not all(callable(f) for f in given.values()):
        raise SettingError(
            f"history is {history!r:.60}. Give a function of the time for each state, history={{"
            f"{system.declared[0]!r}: lambda t: 1 + t}}, or a trajectory; states left out were at their start."
        )
    functions = [(layout.state(name), name, function) for name, function in given.items()]
    begun = getattr(start, "start", start)
    named = () if begun is None else tuple(begun) if isinstance(begun, Mapping) else system.declared
    for place, name, function in functions:
        if name not in named:
            values[place] = _value(function, 0.0, name)

    def state_at(t: float) -> Array:
        state = values.copy()
        for place, name, function in functions:
            state[place] = _value(function, t, name)
        return state

    return interpolated(state_at, longest, 0.0), values


def _value(function: Callable[[float], float], t: float, name: str) -> float:
    try:
        value = float(function(t))
    except (TypeError, ValueError) as error:
        raise SettingError(
            f"the history of {name!r} at t = {t:g} is no number ({error}). Give a function of the time, a float, that "
            "returns a number."
        ) from error
    if not np.isfinite(value):
        raise SettingError(
            f"the history of {name!r} at t = {t:g} is {value}. It must be finite over the longest delay."
        )
    return value


def interpolated(state_at: Callable[[float], Array], longest: float, end: float) -> Steps:
    """Return polynomials for a function over the longest delay before an end."""
    begin = end - longest if longest else end - 1.0
    pending, size = [(begin, end)], 0.0
    done: list[tuple[float, float, Array, float]] = []
    while pending:
        low, high = pending.pop()
        values = np.array([state_at(low + s * (high - low)) for s in _POINTS])
        coefficients = _TO_POWERS @ (_TO_CHEBYSHEV @ values)
        between = np.vander(_BETWEEN, POWERS, increasing=True) @ coefficients
        missed = np.abs(between - np.array([state_at(low + s * (high - low)) for s in _BETWEEN]))
        size = max(size, float(np.abs(values).max()))
        if missed.max(initial=0.0) <= EXACT * size or len(done) + len(pending) >= MOST_PIECES:
            done.append((low, high - low, coefficients, float(missed.max(initial=0.0))))
            continue
        middle = 0.5 * (low + high)
        pending += [(middle, high), (low, middle)]
    done.sort(key=lambda piece: piece[0])
    if max(piece[3] for piece in done) > 1e3 * EXACT * max(size, 1e-300):
        warnings.warn(
            f"the history is known to {max(piece[3] for piece in done):.1g} only, with {len(done)} pieces: it jumps or "
            "bends, or moves very fast. Smooth it, or begin the run earlier.",
            AccuracyWarning,
            stacklevel=4,
        )
    return Steps(*(np.array([piece[k] for piece in done]) for k in range(3)))


def _of_trajectory(system: System, run: Trajectory, longest: float) -> tuple[Steps, Array]:
    """Return the end of a trajectory as the past of a run that begins at 0."""
    steps, end = run.steps, float(run.end[0])
    if run.system.state_names != system.state_names:
        raise SettingError(
            f"the history is a trajectory of {run.system.name!r}, whose states {', '.join(run.system.state_names)} are "
            f"not those of {system.name!r}. Give a trajectory of the same states."
        )
    if (
        steps is None
        or not len(steps.starts)
        or steps.sizes[0] < 0
        or steps.coefficients.shape[1] > POWERS
    ):
        raise SettingError(
            "the history is a trajectory without its steps: it kept only the times given with at=, ran backwards, or by a "
            "method of another kind. Run it forwards without at= and method=."
        )
    if end - float(steps.starts[0]) < longest * (1 - ROUNDING):
        raise SettingError(
            f"the history is a trajectory over {end - float(steps.starts[0]):g}, and the longest delay of {system.name!r} is "
            f"{longest:g}. Give a longer one."
        )
    first = max(int(np.searchsorted(steps.starts, end - longest, side="right")) - 1, 0)
    missing = POWERS - steps.coefficients.shape[1]
    coefficients = np.pad(steps.coefficients[first:], ((0, 0), (0, missing), (0, 0)))
    return Steps(steps.starts[first:] - end, steps.sizes[first:].copy(), coefficients), run.end[
        1:
    ].copy()
