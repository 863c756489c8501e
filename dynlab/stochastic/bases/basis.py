"""Basis: the functions a density is expanded in, one family for each state."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import SettingError, UnknownNameError
from dynlab.stochastic.bases.fourier import Fourier
from dynlab.stochastic.bases.hermite import Hermite
from dynlab.stochastic.bases.sinc import Sinc
from dynlab.stochastic.generator.grid import Grid, Periodic

__all__ = ["Basis"]

Array = NDArray[np.float64]
Family = Hermite | Fourier | Sinc

#: Coefficients beyond these do not fit, factorised, into the memory of a laptop.
MOST = 30_000


@dataclass(frozen=True, slots=True, init=False)
class Basis:
    """Products of functions along each state, in which a density is expanded instead of cut into cells.

    It is passed where a `dynlab.Grid` is: to `stationary_density`, `generator_spectrum` and `evolve_density`.  The
    error falls exponentially with the number of functions, where the density is smooth and falls fast, and the
    direction of noise does not matter; in exchange a density can come out negative where it is small, and nothing
    can be absorbed.

    Parameters
    ----------
    axes
        For each state its functions: ``x=dl.Hermite(40)``, ``phase=dl.Fourier(24)``, ``x=dl.Sinc(64)``.

    Raises
    ------
    SettingError
        If there is no axis, one is no family of functions, or there are too many coefficients.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def particle(x=0.0, v=0.0, *, g=0.5):
    ...     return {x: v, v: x - x**3 - g * v}
    >>> kramers = particle.with_noise(v=0.5)                       # temperature 0.25
    >>> functions = dl.Basis(x=dl.Hermite(30), v=dl.Hermite(20))
    >>> round(dl.generator_spectrum(kramers, grid=functions, count=2).gap, 5)
    0.15032
    """

    names: tuple[str, ...]
    axes: tuple[Family, ...]

    def __init__(self, **axes: Family) -> None:
        if not axes:
            raise SettingError(
                "A basis needs an axis. Give one for each state: dl.Basis(x=dl.Hermite(40))."
            )
        for name, family in axes.items():
            if not isinstance(family, Hermite | Fourier | Sinc):
                raise SettingError(
                    f"the functions of {name!r} are {family!r}. Give {name}=dl.Hermite(40), dl.Fourier(24) or "
                    "dl.Sinc(64)."
                )
        object.__setattr__(self, "names", tuple(axes))
        object.__setattr__(self, "axes", tuple(axes.values()))
        if self.size > MOST:
            raise SettingError(
                f"{self!r} has {self.size} coefficients, more than {MOST}. Give fewer functions along each state."
            )

    @property
    def size(self) -> int:
        """How many coefficients an expansion has."""
        return prod(2 * a.count + 1 if isinstance(a, Fourier) else a.count for a in self.axes)

    @property
    def cells(self) -> Grid:
        """Cells that resolve products of the functions: where densities are drawn and integrated."""
        extents = dict(zip(self.names, (a.extent for a in self.axes), strict=True))
        periodic = {
            n: Periodic()
            for n, a in zip(self.names, self.axes, strict=True)
            if isinstance(a, Fourier)
        }
        return Grid(**extents).with_walls(**periodic)

    def only(self, *names: str) -> Basis:
        """Return the functions of some of the states, in the order of this basis."""
        for name in names:
            if name not in self.names:
                raise UnknownNameError("axis of the basis", name, self.names)
        return Basis(**{n: a for n, a in zip(self.names, self.axes, strict=True) if n in names})

    def __stored__(self) -> Any:
        return [
            [name, type(a).__name__, *_settings(a)]
            for name, a in zip(self.names, self.axes, strict=True)
        ]

    @classmethod
    def __restored__(cls, value: Any, extra: Any = None) -> Basis:
        """Return a basis that was stored."""
        return cls(**{name: _family(kind, settings) for name, kind, *settings in value})

    def __repr__(self) -> str:
        return (
            f"Basis({', '.join(f'{n}={a!r}' for n, a in zip(self.names, self.axes, strict=True))})"
        )


def _settings(family: Family) -> list[Any]:
    if isinstance(family, Hermite):
        return [family.count, family.centre, family.width]
    if isinstance(family, Sinc):
        return [family.count, None if family.between is None else list(family.between)]
    return [family.count]


def _family(kind: str, settings: Any) -> Family:
    if kind == "Hermite":
        return Hermite(settings[0], centre=settings[1], width=settings[2])
    if kind == "Sinc":
        return Sinc(settings[0], between=settings[1])
    return Fourier(settings[0])
