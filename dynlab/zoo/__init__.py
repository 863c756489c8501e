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

__all__ = ["Catalogue", "Entry", "Fact", "catalogue", "facts", "get", "names"]


def __getattr__(name: str) -> System:
    system = get(name)
    globals()[name] = system
    return system


def __dir__() -> list[str]:
    return sorted([*__all__, *names()])
