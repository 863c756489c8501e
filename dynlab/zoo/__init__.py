"""Well-known systems, ready to use, and what is known about them.

>>> from dynlab import zoo
>>> zoo.lorenz(rho=20.0)["rho"]
20.0
>>> [fact.value for fact in zoo.facts("lorenz") if fact.what == "pitchfork"]
[1.0]

A model loads when it is first named.  `catalogue` lists them all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynlab.zoo.catalogue import Catalogue, Entry, Fact, catalogue, facts, get, names

if TYPE_CHECKING:
    from dynlab.symbolic.system import System
    from dynlab.zoo.firing_patterns import FiringPattern

__all__ = [
    "Catalogue",
    "Entry",
    "Fact",
    "catalogue",
    "facts",
    "firing_patterns",
    "get",
    "names",
]


def firing_patterns() -> tuple[FiringPattern, ...]:
    """Return the twenty firing patterns of Izhikevich's cell; see `FiringPattern`.

    Each is a cell with its input current; ``pattern.system`` and ``pattern.duration`` go to
    `dynlab.integrate`.
    """
    from dynlab.zoo import firing_patterns as module

    return module.firing_patterns()


def __getattr__(name: str) -> System:
    system = get(name)
    globals()[name] = system
    return system


def __dir__() -> list[str]:
    return sorted([*__all__, *names()])
