"""The quantities that a system is made of: states, parameters, observables, and the time."""

from __future__ import annotations

import enum
from dataclasses import dataclass

import sympy

__all__ = [
    "ContinuousTime",
    "DiscreteTime",
    "Domain",
    "IndexSet",
    "Intermediate",
    "Observable",
    "Parameter",
    "State",
]


class Domain(enum.Enum):
    """Where a state lives."""

    LINE = "line"
    CIRCLE = "circle"
    POSITIVE = "positive"


@dataclass(frozen=True, slots=True)
class IndexSet:
    """A set of nodes over which a quantity is indexed; two of them make a quantity per link."""

    name: str = "node"


@dataclass(frozen=True, slots=True)
class State:
    """A state variable: its name, default start, unit label, domain and index sets."""

    name: str
    start: float = 0.0
    unit: str = ""
    domain: Domain = Domain.LINE
    shape: tuple[IndexSet, ...] = ()


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter: its name, value, unit label and index sets.

    Or, with `entry`, the number that stands for one entry of an indexed parameter, ``"omega[3]"``.
    """

    name: str
    value: float
    unit: str = ""
    shape: tuple[IndexSet, ...] = ()
    entry: str = ""

    @property
    def called(self) -> str:
        """What it is called outside the rule: its name, or the entry that it stands for."""
        return self.entry or self.name


@dataclass(frozen=True, slots=True)
class Observable:
    """A named function of the state, recorded along trajectories and branches."""

    name: str
    expression: sympy.Expr
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Intermediate:
    """A quantity computed once per node of a set before the equations; see `dynlab.each`."""

    name: str
    shape: tuple[IndexSet, ...]
    expression: sympy.Expr


@dataclass(frozen=True, slots=True)
class ContinuousTime:
    """Time of a flow, with its unit label."""

    unit: str = ""


@dataclass(frozen=True, slots=True)
class DiscreteTime:
    """Time of a map, counted in steps."""

    unit: str = "step"
