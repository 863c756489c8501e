"""Crossing: where a function of the state passes through zero along a trajectory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dynlab.errors import SettingError
from dynlab.names import checked_name

__all__ = ["Crossing", "together"]


@dataclass(frozen=True, slots=True)
class Crossing:
    """A named zero crossing, to be recorded by `dynlab.integrate` or to stop it.

    Parameters
    ----------
    name
        What to call it: ``trajectory.events[name]``.
    when
        Function whose zeros count.  Its arguments are names of states, parameters, observables or
        ``t``: ``lambda V: V + 20``.
    direction
        +1 if it must rise through zero as the run goes, -1 if it must fall, 0 for both.

    Raises
    ------
    SettingError
        If `when` is not a function or the direction is none of the three.

    Examples
    --------
    >>> import dynlab as dl
    >>> spike = dl.Crossing("spike", lambda v: v - 1, direction=+1)
    >>> run = dl.integrate(dl.zoo.fitzhugh_nagumo(I=0.5), duration=200, record=spike)
    >>> len(run.events["spike"].times) > 3
    True
    """

    name: str
    when: Callable[..., Any]
    direction: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", checked_name(self.name, "crossing"))
        if not callable(self.when):
            raise SettingError(
                f"when of the crossing {self.name!r} is {self.when!r}, not a function. "
                "Write for example when=lambda v: v - 1."
            )
        if isinstance(self.direction, bool) or self.direction not in (-1, 0, 1):
            raise SettingError(
                f"direction of the crossing {self.name!r} is {self.direction!r}. Give +1 (rising), "
                "-1 (falling) or 0 (both)."
            )


def together(crossings: Crossing | Sequence[Crossing]) -> tuple[Crossing, ...]:
    """Return one or several crossings as a tuple."""
    found: tuple[Any, ...] = (crossings,)
    if isinstance(crossings, Sequence) and not isinstance(crossings, str):
        found = tuple(crossings)
    for crossing in found:
        if not isinstance(crossing, Crossing):
            raise SettingError(
                f"record and until take dl.Crossing objects, not {crossing!r}. Write for example "
                'dl.Crossing("spike", lambda v: v - 1, direction=+1).'
            )
    return found
