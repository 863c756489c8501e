"""A basis fitted to a system: one family for each state, of a kind that its values allow, with its scale."""

from __future__ import annotations

from typing import Any

from dynlab.errors import SettingError, UnknownNameError
from dynlab.stochastic.bases.basis import Basis
from dynlab.stochastic.bases.fourier import Fourier
from dynlab.stochastic.bases.reach import reach_of
from dynlab.symbolic.quantities import Domain
from dynlab.symbolic.system import System

__all__ = ["fitted_basis"]


def fitted_basis(system: System, basis: Basis) -> Basis:
    """Return the basis with its axes in the order of the states, and scales where none are given.

    Raises
    ------
    UnknownNameError
        If an axis is no state.
    SettingError
        If a state has no axis, or functions that do not suit what values it takes.
    """
    names = system.state_names
    given = dict(zip(basis.names, basis.axes, strict=True))
    for name in given:
        if name not in names:
            raise UnknownNameError(f"state of {system.name!r}", name, names)
    missing = [n for n in names if n not in given]
    if missing:
        raise SettingError(
            f"the basis has no functions for {', '.join(missing)} of {system.name!r}. Give some for each state: "
            f"dl.Basis({', '.join(f'{n}=dl.Hermite(40)' for n in names)})."
        )
    for name, domain in zip(names, system.domains, strict=True):
        _check(system, name, domain, given[name])
    if all(a.is_fitted for a in given.values()):
        return Basis(**{n: given[n] for n in names})
    reach = reach_of(system)
    return Basis(**{n: given[n].fitted(ends) for n, ends in zip(names, reach, strict=True)})


def _check(system: System, name: str, domain: Domain, family: Any) -> None:
    is_angle = domain is Domain.CIRCLE
    if is_angle != isinstance(family, Fourier):
        kind = "an angle" if is_angle else "no angle"
        rather = "dl.Fourier(24)" if is_angle else "dl.Hermite(40) or dl.Sinc(64)"
        raise SettingError(
            f"{name!r} of {system.name!r} is {kind}, and {family!r} is not for that. Give {rather}."
        )
    if domain is Domain.POSITIVE:
        raise SettingError(
            f"{name!r} of {system.name!r} is positive, and {family!r} lives on the whole line. Use cells, "
            f"dl.Grid({name}=(0, 10, 400)), or write the equation of its logarithm."
        )
