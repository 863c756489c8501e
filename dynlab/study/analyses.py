"""What a study may ask: names of public functions, and what each of their settings may hold.

This list is the whole of what a text can call.  ``summary`` gives the numbers that stand in the table of a sweep.
"""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from dynlab.errors import SettingError
from dynlab.study import values
from dynlab.study.values import Kind, Place

__all__ = ["ANALYSES", "Analysis", "function_of", "required"]

Summary = dict[str, float | str]


@dataclass(frozen=True, slots=True)
class Analysis:
    """One function that a study may call.

    Attributes
    ----------
    settings
        What each keyword may hold.
    summary
        The numbers and words that say in short what was found.
    parameters
        Keywords that name a parameter of the model, or several by name.
    states
        Keywords that name states of the model.
    """

    settings: Mapping[str, Kind]
    summary: Callable[[Any], Summary]
    parameters: tuple[str, ...] = ()
    states: tuple[str, ...] = field(default=("start", "within"))


def function_of(name: str) -> Callable[..., Any]:
    """Return the function of that name from the list."""
    import dynlab as dl

    assert name in ANALYSES
    found: Callable[..., Any] = getattr(dl, name)
    return found


def required(name: str) -> tuple[str, ...]:
    """Return the settings that the function cannot do without."""
    parameters = list(inspect.signature(function_of(name)).parameters.values())[1:]
    return tuple(p.name for p in parameters if p.default is inspect.Parameter.empty)


# Settings that are objects


def _ode_method(value: Any, place: Place) -> Any:
    return values.named_object(
        value, place, ("Automatic", "Explicit8", "Radau5", "Taylor"), ("rtol", "atol")
    )


def _sde_method(value: Any, place: Place) -> Any:
    known = ("EulerMaruyama", "Milstein", "StochasticHeun", "SRIW1", "SRA1", "PlatenWeak2")
    return values.named_object(value, place, known, ("step",))


@cache
def _most_cells() -> int:
    return 10_000_000


def _grid(value: Any, place: Place) -> Any:
    """Return a grid for densities: ``{ x = [-3, 3, 600] }``, low, high and the number of cells."""
    import dynlab as dl

    found: dict[str, tuple[float, float, int]] = {}
    for name, item in values.table(value, place).items():
        at = place / name
        if not isinstance(item, list) or len(item) != 3:
            at.refuse(item, "low, high and the number of cells: [-3, 3, 600]")
        low, high = values.pair(item[:2], at)
        found[name] = (low, high, values.count(item[2], at / 2))
    if float(np.prod([float(n) for _, _, n in found.values()])) > _most_cells():
        place.refuse(value, f"at most {_most_cells()} cells")
    return dl.Grid(**found)


def _axes(value: Any, place: Place) -> dict[str, list[float]]:
    """Return the axes of a chart; a tuple would be low, high and a count there."""
    return {name: list(axis) for name, axis in values.axes(value, place).items()}


def _axis(value: Any, place: Place) -> list[float]:
    return list(values.axis(value, place))


# What was found, in short


def _equilibria(found: Any) -> Summary:
    return {"equilibria": float(len(found)), "stable": float(sum(p.is_stable for p in found))}


def _diagram(found: Any) -> Summary:
    labels = Counter(point.label for point in found.points())
    return {"branches": float(len(found)), **{k: float(n) for k, n in sorted(labels.items())}}


def _run(found: Any) -> Summary:
    final = {name: value for name, value in found.final.items() if np.ndim(value) == 0}
    return {**{str(k): float(v) for k, v in final.items()}, "status": str(found.status)}


def _exponent(found: Any) -> Summary:
    return {
        "exponent": found.value, "standard_error": found.standard_error, "verdict": str(found.verdict),
    }  # fmt: skip


def _exponents(found: Any) -> Summary:
    numbered = {f"exponent_{k}": float(v) for k, v in enumerate(found.exponents, start=1)}
    errors = {f"error_{k}": float(v) for k, v in enumerate(found.standard_errors, start=1)}
    try:
        dimension = {"dimension": float(found.kaplan_yorke_dimension)}
    except SettingError:
        dimension = {}  # needs more exponents than were asked for
    return {**numbered, **errors, **dimension, "verdict": str(found.verdict)}


def _cycle(found: Any) -> Summary:
    return {"period": float(found.period), "kind": str(found.kind)}


def _estimate(found: Any) -> Summary:
    return {"value": float(found.value), "standard_error": float(found.standard_error)}


def _counted(found: Any) -> Summary:
    return {"count": float(len(found))}


def _fractions(found: Any) -> Summary:
    return {
        f"fraction_{int(k)}": float(v) for k, v in zip(found.labels, found.fractions, strict=True)
    }


def _density(found: Any) -> Summary:
    means = {f"mean_{n}": float(found.mean(n)) for n in found.system.state_names}
    return {**means, "maxima": float(len(found.maxima)), "error": float(found.error)}


def _ended(found: Any) -> Summary:
    return {"status": str(found.status)}


_START = {"start": values.named_numbers}
_TIMES = {"duration": values.number, "transient": values.number}
_BRANCHES = {
    "vary": values.word, "over": values.pair, "within": values.ranges, "periods": values.counts,
}  # fmt: skip
_CHART = {"vary": _axes, **_START, **_TIMES, "method": _ode_method}
_ORBIT = {**_START, **_TIMES, "method": _ode_method, "seed": values.seed}

#: By name of the public function.
ANALYSES: Mapping[str, Analysis] = {
    "find_equilibria": Analysis({"within": values.ranges}, _equilibria),
    "equilibrium_diagram": Analysis(_BRANCHES, _diagram, ("vary",), ()),
    "bifurcation_diagram": Analysis(_BRANCHES, _diagram, ("vary",), ()),
    "integrate": Analysis({**_START, "duration": values.number, "method": _ode_method}, _run),
    "iterate": Analysis({**_START, "duration": values.count}, _run),
    "simulate": Analysis(
        {**_START, "duration": values.number, "method": _sde_method, "seed": values.seed}, _run
    ),
    "lyapunov_exponent": Analysis(_ORBIT, _exponent),
    "lyapunov_spectrum": Analysis({"count": values.count, **_ORBIT}, _exponents),
    "exponent_chart": Analysis(_CHART, _ended, ("vary",)),
    "period_chart": Analysis(_CHART, _ended, ("vary",)),
    "attractor_chart": Analysis(_CHART, _ended, ("vary",)),
    "orbit_diagram": Analysis(
        {"vary": values.word, "over": _axis, **_START, "transient": values.count,
         "duration": values.count}, _ended, ("vary",),
    ),
    "phase_portrait": Analysis({"within": values.ranges, "duration": values.number}, _ended),
    "find_cycle": Analysis({**_START, "period": values.number}, _cycle),
    "find_periodic_orbits": Analysis({"period": values.count, "within": values.ranges}, _counted),
    "find_attractors": Analysis(
        {"within": values.ranges, "samples": values.count, "seed": values.seed}, _counted
    ),
    "basins": Analysis(
        {"over": values.ranges, "cells": values.named_counts, "at": values.named_numbers, "seed": values.seed},
        _ended, (), ("over", "at"),
    ),
    "basin_fractions": Analysis(
        {"within": values.ranges, "samples": values.count, "seed": values.seed}, _fractions
    ),
    "expansion_entropy": Analysis(
        {"within": values.ranges, "duration": values.number, "samples": values.count, "seed": values.seed},
        _estimate,
    ),
    "stationary_density": Analysis({"grid": _grid}, _density, (), ("grid",)),
}  # fmt: skip
