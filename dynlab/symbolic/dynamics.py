"""The abstract face that every analysis accepts, and what an analysis may ask of it."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from dynlab.errors import UnsupportedSystemError

__all__ = [
    "Autonomous",
    "Continuous",
    "Delayed",
    "Discrete",
    "Dynamics",
    "Need",
    "Stochastic",
    "refuse_delays",
    "require",
]


class Dynamics(abc.ABC):
    """States, parameters and time of something that moves; a System, or a section of one."""

    __slots__ = ()

    name: str

    @property
    @abc.abstractmethod
    def state_names(self) -> tuple[str, ...]:
        """Names of the states in order."""

    @property
    @abc.abstractmethod
    def start_values(self) -> tuple[float, ...]:
        """Default start of each state, in order."""

    @property
    @abc.abstractmethod
    def domains(self) -> tuple[Any, ...]:
        """Where each state lives, in order."""

    @property
    @abc.abstractmethod
    def parameter_names(self) -> tuple[str, ...]:
        """Names of the parameters in order."""

    @property
    @abc.abstractmethod
    def parameter_values(self) -> tuple[float, ...]:
        """Value of each parameter, in order."""

    @property
    @abc.abstractmethod
    def observable_names(self) -> tuple[str, ...]:
        """Names of the observables in order."""

    @property
    @abc.abstractmethod
    def is_discrete(self) -> bool:
        """Whether time runs in steps."""

    @property
    @abc.abstractmethod
    def is_autonomous(self) -> bool:
        """Whether the rule is free of the time."""

    @property
    @abc.abstractmethod
    def is_stochastic(self) -> bool:
        """Whether noise drives the states."""

    @property
    @abc.abstractmethod
    def is_delayed(self) -> bool:
        """Whether the rule asks for states of the past."""

    @property
    @abc.abstractmethod
    def is_indexed(self) -> bool:
        """Whether a state or parameter is per node or per link of a network."""

    @property
    @abc.abstractmethod
    def blocks(self) -> Mapping[str, slice]:
        """Where the numbers of each declared state stand in the state vector."""

    @property
    @abc.abstractmethod
    def shapes(self) -> Mapping[str, tuple[str, ...]]:
        """The index sets of every quantity that has some, by name."""

    @abc.abstractmethod
    def place_of(self, name: str) -> int | slice | None:
        """Return where a state stands in the state vector; None if there is no such state."""

    @abc.abstractmethod
    def unit_of(self, name: str) -> str:
        """Return the unit label of a quantity, or of the time ``"t"``."""

    @abc.abstractmethod
    def __getitem__(self, name: str) -> Any:
        """Return the value of a parameter, or the default start of a state."""

    @abc.abstractmethod
    def __call__(self, **values: Any) -> Self:
        """Return the same with other parameter values."""


@dataclass(frozen=True, slots=True)
class Need:
    """A property that an analysis needs, and what to say when it is missing."""

    holds: Callable[[Dynamics], bool]
    refusal: str


Continuous = Need(
    lambda system: not system.is_discrete,
    "it is a map, and this analysis needs a flow. For maps use dl.iterate and dl.find_equilibria, with noise dl.simulate and "
    "dl.linear_map_noise",
)
Discrete = Need(
    lambda system: system.is_discrete,
    "it is a flow, and this analysis needs a map. Make one with dl.poincare_map or dl.stroboscopic_map, or "
    "use dl.integrate for the flow",
)
Autonomous = Need(
    lambda system: system.is_autonomous,
    "its rule depends on the time dl.t, so one state goes different ways at different times, and it has no "
    "equilibria. Make the phase a state with "
    ".with_phase, stop the time with .frozen(at=...), or integrate it with dl.integrate",
)


Stochastic = Need(
    lambda system: system.is_stochastic,
    "it has no noise. Add some with .with_noise(x=0.4), or use dl.integrate",
)

#: Not a property, but leave for one: whoever names it knows what to do with delays.
Delayed = Need(lambda system: True, "")


def require(system: Dynamics, *needs: Need) -> None:
    """Raise UnsupportedSystemError, naming the part in the way, unless all needs are met.

    Noise is refused unless `Stochastic` is among the needs, and delays unless `Delayed` is.
    """
    if not isinstance(system, Dynamics):
        raise UnsupportedSystemError(
            f"expected a system, got {type(system).__name__}. Define one with @dl.flow or "
            "@dl.iterated_map, or take one from dl.zoo."
        )
    _ = system.state_names  # raises if the system is a rule for networks that is not bound to one
    if system.is_stochastic and Stochastic not in needs:
        raise UnsupportedSystemError(
            f"{system.name!r} cannot be used here: it has noise, and this needs a deterministic system. Run "
            "it with dl.simulate or dl.ensemble, or take its drift: system.without_noise()."
        )
    if Delayed not in needs:
        refuse_delays(system)
    for need in needs:
        if not need.holds(system):
            name = getattr(system, "name", "the system")
            raise UnsupportedSystemError(f"{name!r} cannot be used here: {need.refusal}.")


def refuse_delays(system: Dynamics) -> None:
    """Raise UnsupportedSystemError if the rule asks for states of the past."""
    if system.is_delayed:
        raise UnsupportedSystemError(
            f"{system.name!r} cannot be used here: it has delays, so its state is a piece of history and this analysis "
            "needs one of finitely many numbers. Use dl.integrate, dl.lyapunov_spectrum(count=...), dl.find_equilibria "
            "or dl.characteristic_roots, which know delays."
        )
