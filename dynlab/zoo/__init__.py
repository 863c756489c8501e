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
    from dynlab.zoo.patterns import FiringPattern

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
    """Return the twenty firing patterns of Izhikevich's cell, in the order of his figure.

    Each is a cell with its input current; ``pattern.system`` and ``pattern.duration`` go to
    `dynlab.integrate`.

    Examples
    --------
    >>> import dynlab as dl
    >>> burst = dl.zoo.firing_patterns()[3]
    >>> burst.name, burst.system["d"]
    ('phasic bursting', 0.05)
    >>> run = dl.integrate(burst.system, duration=burst.duration)
    >>> len(dl.spike_train(run)) > 2
    True
    """
    from dynlab.zoo.patterns import patterns

    return patterns()


def __getattr__(name: str) -> System:
    system = get(name)
    globals()[name] = system
    return system


def __dir__() -> list[str]:
    return sorted([*__all__, *names()])
