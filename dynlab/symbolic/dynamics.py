"""The abstract face that every analysis accepts, and what an analysis may ask of it."""

from __future__ import annotations

import abc
from collections.abc import Callable
from dataclasses import dataclass

from dynlab.errors import UnsupportedSystemError

__all__ = ["Autonomous", "Continuous", "Discrete", "Dynamics", "Need", "require"]


class Dynamics(abc.ABC):
    """States, parameters and time of something that moves; a System, or a section of one."""

    __slots__ = ()

    @property
    @abc.abstractmethod
    def state_names(self) -> tuple[str, ...]:
        """Names of the states in order."""

    @property
    @abc.abstractmethod
    def parameter_names(self) -> tuple[str, ...]:
        """Names of the parameters in order."""

    @property
    @abc.abstractmethod
    def is_discrete(self) -> bool:
        """Whether time runs in steps."""

    @property
    @abc.abstractmethod
    def is_autonomous(self) -> bool:
        """Whether the rule is free of the time."""


@dataclass(frozen=True, slots=True)
class Need:
    """A property that an analysis needs, and what to say when it is missing."""

    holds: Callable[[Dynamics], bool]
    refusal: str


Continuous = Need(
    lambda system: not system.is_discrete,
    "it is a map, and this analysis needs a flow. For maps use dl.iterate and dl.find_equilibria",
)
Discrete = Need(
    lambda system: system.is_discrete,
    "it is a flow, and this analysis needs a map. For flows use dl.integrate",
)
Autonomous = Need(
    lambda system: system.is_autonomous,
    "its rule depends on the time dl.t, so it has no equilibria. Make the phase a state with "
    ".with_phase, stop the time with .frozen(at=...), or integrate it with dl.integrate",
)


def require(system: Dynamics, *needs: Need) -> None:
    """Raise UnsupportedSystemError, naming the part in the way, unless all needs are met."""
    if not isinstance(system, Dynamics):
        raise UnsupportedSystemError(
            f"expected a system, got {type(system).__name__}. Define one with @dl.flow or "
            "@dl.iterated_map, or take one from dl.zoo."
        )
    _ = system.state_names  # raises if the system is a rule for networks that is not bound to one
    for need in needs:
        if not need.holds(system):
            name = getattr(system, "name", "the system")
            raise UnsupportedSystemError(f"{name!r} cannot be used here: {need.refusal}.")
