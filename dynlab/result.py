"""What every result can do, and where it came from."""

from __future__ import annotations

import abc
import functools
import html
import os
import platform
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynlab import store
from dynlab.errors import MissingExtraError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes

__all__ = ["Provenance", "Result"]


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
        """Return the table as a pandas DataFrame (extra ``tables``)."""
        try:
            import pandas as pd
        except ImportError:
            raise MissingExtraError("pandas", "tables", "to_dataframe()") from None
        return pd.DataFrame(self.to_table())

    def to_xarray(self) -> xr.Dataset:
        """Return the table as an xarray Dataset over its first column (extra ``tables``)."""
        try:
            import xarray as xr
        except ImportError:
            raise MissingExtraError("xarray", "tables", "to_xarray()") from None
        table = self.to_table()
        first, *rest = table
        return xr.Dataset({name: (first, table[name]) for name in rest}, {first: table[first]})

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the result to a ``.npz`` file that `dynlab.load` reads back."""
        return store.write(path, self)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"
