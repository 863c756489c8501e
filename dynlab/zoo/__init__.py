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
    from networkx import DiGraph

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
    "lorenz96_ring",
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


def lorenz96_ring(size: int) -> DiGraph:
    """Return the ring that ``zoo.lorenz96`` lives on: site i sees i + 1, i - 1 and i - 2.

    Parameters
    ----------
    size
        Number of sites, at least 4.

    Raises
    ------
    SettingError
        If there are fewer sites.

    Examples
    --------
    >>> import dynlab as dl
    >>> weather = dl.zoo.lorenz96.on(dl.zoo.lorenz96_ring(40))
    >>> run = dl.integrate(weather, start={"x": [8.01, *[8.0] * 39]}, duration=5)
    >>> run["x"].shape[1]
    40
    """
    from dynlab.zoo.climate import ring

    return ring(size)


def __getattr__(name: str) -> System:
    system = get(name)
    globals()[name] = system
    return system


def __dir__() -> list[str]:
    return sorted([*__all__, *names()])
