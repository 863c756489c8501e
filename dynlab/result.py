"""What every result can do, and where it came from."""

from __future__ import annotations

import abc
import functools
import os
import platform
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from dynlab import store
from dynlab.errors import DefinitionError, DynlabError, MissingExtraError
from dynlab.notebook import card, grid, listed

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes

    from dynlab.seeds import Seed

__all__ = ["Provenance", "Result", "attributes_of", "unit_of"]


@functools.cache
def _installed() -> dict[str, str]:
    """Return the versions that a result depends on."""
    found = {"python": platform.python_version()}
    for package in ("dynlab", "numpy", "scipy", "sympy", "numba"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "unknown"
    return found


def _versions() -> dict[str, str]:
    return dict(_installed())


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a result came from: what was called, on which system, how, and how long it took."""

    function: str
    system: Any
    settings: dict[str, Any] = field(default_factory=dict)
    seed: int | None = None
    seconds: float = 0.0
    versions: dict[str, str] = field(default_factory=_versions)

    @classmethod
    def of_chance(
        cls, function: str, system: Any, settings: dict[str, Any], *, seed: Seed, began: float
    ) -> Provenance:
        """Return where a result of random numbers came from: its seed, or the state of a generator in the settings."""
        whole = int(seed.text) if seed.text.isdigit() else None
        more = {} if whole is not None else {"generator": seed.text}
        return cls(function, system, settings | more, seed=whole, seconds=perf_counter() - began)


class Result(abc.ABC):
    """The face that all results share; each is a frozen dataclass in the file of its function."""

    __slots__ = ()

    @abc.abstractmethod
    def to_table(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return the data as named columns of equal length."""

    @abc.abstractmethod
    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the result and return the axes."""

    def to_dataframe(self) -> pd.DataFrame:
        """Return the table as a pandas DataFrame, with where it came from in ``.attrs`` (extra ``tables``)."""
        try:
            import pandas as pd
        except ImportError:
            raise MissingExtraError("pandas", "tables", "to_dataframe()") from None
        frame = pd.DataFrame(self.to_table())
        frame.attrs = attributes_of(self)
        return frame

    def to_xarray(self) -> xr.Dataset:
        """Return the table as an xarray Dataset over its first column, with units and origin (extra ``tables``)."""
        try:
            import xarray as xr
        except ImportError:
            raise MissingExtraError("xarray", "tables", "to_xarray()") from None
        table = self.to_table()
        first, *rest = table
        data = {name: (first, table[name], unit_of(self, name)) for name in rest}
        coordinate = (first, table[first], unit_of(self, first))
        return xr.Dataset(data, {first: coordinate}, attributes_of(self))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the result to a ``.npz`` file that `dynlab.load` reads back."""
        return store.write(path, self)

    def _repr_html_(self) -> str:
        folded = {"table": _first_rows(self), "where it came from": listed(attributes_of(self))}
        return card(type(self).__name__, repr(self), folded)


def attributes_of(result: Result) -> dict[str, str | float]:
    """Return where a result came from, as attributes of a table that others read."""
    made: Provenance | None = getattr(result, "provenance", None)
    status = getattr(result, "status", None)
    found: dict[str, str | float] = {} if status is None else {"status": str(status)}
    if made is None:
        return found
    found |= {"made_by": f"dynlab {made.function}", "seconds": made.seconds}
    if made.system is not None:
        found |= {"model": str(getattr(made.system, "name", made.system))}
        reference = " ".join(str(getattr(made.system, "reference", "")).split())
        found |= {"reference": reference} if reference else {}
        found |= _parameters(made.system)
    found |= {"seed": str(made.seed)} if made.seed is not None else {}
    found |= {f"setting_{name}": str(value) for name, value in made.settings.items()}
    return found | {f"version_{name}": number for name, number in made.versions.items()}


def _parameters(system: Any) -> dict[str, str | float]:
    names = getattr(system, "parameter_names", ())
    values = getattr(system, "parameter_values", ()) if len(names) <= _MOST_PARAMETERS else ()
    return {f"parameter_{n}": float(v) for n, v in zip(names, values, strict=False)}


#: A network has a parameter for each node; those are in the file of the result.
_MOST_PARAMETERS = 50
_ROWS, _COLUMNS = 6, 10


def unit_of(result: Result, name: str) -> dict[str, str]:
    """Return the unit of a column as its attribute; nothing if it has none."""
    made: Provenance | None = getattr(result, "provenance", None)
    if made is None or not hasattr(made.system, "unit_of"):
        return {}
    try:
        unit = made.system.unit_of(name)
    except DefinitionError:
        return {}  # a column of the method, such as a status
    return {"units": unit} if unit else {}


def _first_rows(result: Result) -> str:
    """Return the first rows of the table for a notebook; empty if it has none."""
    try:
        table = result.to_table()
    except DynlabError:
        return ""
    shown = list(table)[:_COLUMNS]
    columns = [[_short(v) for v in table[name][:_ROWS]] for name in shown]
    more = len(next(iter(table.values()), ())) > _ROWS
    rows = [*zip(*columns, strict=True), *([["..."] * len(shown)] if more else [])]
    return grid(shown, rows)


def _short(value: Any) -> str:
    return str(value) if isinstance(value, str) else f"{value:.6g}"
