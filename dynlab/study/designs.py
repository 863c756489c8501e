"""Which points a sweep of a study has, beside a grid: parameters that vary together, points over a box, repetitions.

::

    [[sweep.design]]
    kind = "sobol"
    within = { rho = [20, 200], sigma = { name = "Gaussian", mean = 10, deviation = 1 } }
    count = 64
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dynlab.errors import DynlabError, TextError
from dynlab.study import values
from dynlab.study.values import Kind, Place
from dynlab.sweep.axis import Design, Replicates, Zipped
from dynlab.sweep.designs import Halton, LatinHypercube, RandomPoints, Sobol

__all__ = ["Laid", "designs"]

_DISTRIBUTIONS = ("Gaussian", "LogNormal", "Lorentzian", "Uniform")
_THEIR_SETTINGS = ("mean", "deviation", "centre", "width", "low", "high")


@dataclass(frozen=True, slots=True)
class Laid:
    """A design of a study.

    Attributes
    ----------
    kind
        What it is called in the text.
    names
        The parameters that it varies, none for repetitions.
    count
        How many points it has.
    design
        What `dynlab.Sweep` takes.
    place
        Where it stands in the text.
    """

    kind: str
    names: tuple[str, ...]
    count: int
    design: Design
    place: Place = field(repr=False, compare=False)


def designs(value: Any, place: Place, *, most: int) -> tuple[Laid, ...]:
    """Return the designs of a study; none may have more points than that."""
    if not isinstance(value, list):
        place.refuse(value, "[[sweep.design]], with two brackets on each side")
    return tuple(_laid(item, place / k, most) for k, item in enumerate(value))


def _laid(value: Any, place: Place, most: int) -> Laid:
    data = values.table(value, place)
    if "kind" not in data:
        raise TextError(f'{place}: {place.key} has no kind; write kind = "sobol".')
    kind = values.choice(*_KINDS)(data["kind"], place / "kind")
    make, keys, needed = _KINDS[kind]
    values.table(data, place, ("kind", *keys))
    for key in needed:
        if key not in data:
            raise TextError(
                f"{place}: a design of kind {kind!r} needs {key!r}. Add a line: {key} = ..."
            )
    found = {k: keys[k](v, place / k) for k, v in data.items() if k != "kind"}
    names = tuple(found.get("within") or found.get("values") or ())
    count = found["count"] if "count" in found else len(next(iter(found["values"].values())))
    if count > most:
        (place / "count").refuse(count, f"at most {most} points")
    try:
        design = make(found)
    except DynlabError as error:
        raise TextError(f"{place}: {place.key}: {error}") from None
    return Laid(kind, names, count, design, place)


def _spread(value: Any, place: Place) -> Any:
    """Return a range, or a distribution such as ``{ name = "Gaussian", mean = 0, deviation = 1 }``."""
    if isinstance(value, dict):
        return values.named_object(value, place, _DISTRIBUTIONS, _THEIR_SETTINGS)
    return values.pair(value, place)


def _box(value: Any, place: Place) -> dict[str, Any]:
    found = {name: _spread(item, place / name) for name, item in values.table(value, place).items()}
    if not found:
        place.refuse(value, "ranges by name: { a = [0, 1] }")
    return found


_BOX: Mapping[str, Kind] = {"within": _box, "count": values.count, "seed": values.seed}
_Made = tuple[Callable[[dict[str, Any]], Design], Mapping[str, Kind], tuple[str, ...]]

#: How it is made, what its keys may hold, and which it cannot do without.
_KINDS: Mapping[str, _Made] = {
    "zipped": (lambda found: Zipped(**found["values"]), {"values": values.axes}, ("values",)),
    "replicates": (lambda found: Replicates(**found), {"count": values.count}, ("count",)),
    "random": (lambda found: RandomPoints(**found), _BOX, ("within", "count")),
    "sobol": (lambda found: Sobol(**found), _BOX, ("within", "count")),
    "halton": (lambda found: Halton(**found), _BOX, ("within", "count")),
    "latin_hypercube": (lambda found: LatinHypercube(**found), _BOX, ("within", "count")),
}  # fmt: skip
