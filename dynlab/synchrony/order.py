"""How far oscillators agree: order parameters, local order on a graph, frequencies and who is locked.

    Z_m = mean over j of exp(i m theta_j) = r_m exp(i psi_m)

m = 1 is Kuramoto's order parameter; higher moments see clusters (m groups, evenly placed, have ``r_m = 1``
and ``r_1 = 0``).  The local order of a node is ``|mean of exp(i theta)|`` over the nodes that act on it.  The effective
frequency of an oscillator is its phase gained over the time taken; oscillators are locked if their phases keep within
a turn of each other, which the frequencies then follow as ``1 / duration``.

References
----------
1. Kuramoto 1975, Lecture Notes in Physics 39, 420.
2. Daido 1992, Prog. Theor. Phys. 88, 1213: moments.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import SettingError
from dynlab.names import finite
from dynlab.result import Provenance, Result
from dynlab.solve.trajectory import Trajectory

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "EffectiveFrequencies",
    "OrderParameter",
    "effective_frequencies",
    "local_order",
    "moment_of",
    "order_parameter",
]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OrderParameter(Result):
    """Order along a trajectory.

    Attributes
    ----------
    t
        Times.
    r
        How far the phases agree, between 0 and 1.
    psi
        The phase of the field, unwrapped.
    moment
        Which moment.
    unit
        Of time.
    provenance
        Where it came from.
    """

    t: Array
    r: Array
    psi: Array
    moment: int
    unit: str
    provenance: Provenance

    @property
    def mean(self) -> float:
        """The mean of r over the time of the trajectory."""
        if len(self.t) == 1:
            return float(self.r[0])
        return float(np.trapezoid(self.r, self.t) / (self.t[-1] - self.t[0]))

    def to_table(self) -> dict[str, Array]:
        """Return time, order and phase as columns."""
        return {"t": self.t, "r": self.r, "psi": self.psi}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the order against time."""
        from dynlab.plotting import draw_order_in_time, label

        return draw_order_in_time(ax, self.t, self.r, time_label=label("t", self.unit))

    def __repr__(self) -> str:
        return (
            f"<Order parameter, moment {self.moment}, at {len(self.t)} times;\n"
            f" mean r = {self.mean:.6g}, at the end {self.r[-1]:.6g}>"
        )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class EffectiveFrequencies(Result):
    """How fast each oscillator turns, and which are locked to each other.

    Attributes
    ----------
    frequencies
        Phase gained over the time taken, for each oscillator; radians per unit of time.
    clusters
        The number of the locked cluster of each oscillator, the largest first; -1 for those that lock to none.
    natural
        The natural frequencies, where the system has a parameter per node that was named; else None.
    duration
        The time taken.
    provenance
        Where it came from.
    """

    frequencies: Array
    clusters: Integers
    natural: Array | None
    duration: float
    provenance: Provenance

    @property
    def plateaus(self) -> Array:
        """The mean frequency of each cluster, the largest cluster first."""
        count = int(self.clusters.max(initial=-1)) + 1
        return np.array([self.frequencies[self.clusters == k].mean() for k in range(count)])

    @property
    def sizes(self) -> Integers:
        """How many oscillators each cluster has."""
        return np.bincount(self.clusters[self.clusters >= 0]).astype(np.int64)

    @property
    def locked_share(self) -> float:
        """The share of the oscillators that are in the largest cluster."""
        sizes = self.sizes
        return float(sizes[0] / len(self.clusters)) if sizes.size else 0.0

    def to_table(self) -> dict[str, Array]:
        """Return frequency and cluster of each oscillator as columns."""
        table = {"frequency": self.frequencies, "cluster": self.clusters.astype(float)}
        return table if self.natural is None else {"natural": self.natural, **table}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw effective against natural frequencies (or the oscillators' numbers)."""
        from dynlab.plotting import draw_plateaus

        number = np.arange(float(len(self.frequencies)))
        across = number if self.natural is None else self.natural
        label = "oscillator" if self.natural is None else r"natural frequency $\omega$"
        return draw_plateaus(ax, across, self.frequencies, self.clusters, xlabel=label)

    def __repr__(self) -> str:
        return (
            f"<Effective frequencies of {len(self.frequencies)} oscillators over {self.duration:g};\n"
            f" {len(self.sizes)} locked clusters, the largest of {self.locked_share:.0%}>"
        )


def order_parameter(trajectory: Trajectory, name: str, *, moment: int = 1) -> OrderParameter:
    """Return how far the phases of a network agree along a trajectory: ``r exp(i psi)``, the mean of ``exp(i theta)``.

    Parameters
    ----------
    trajectory
        A run of a network.
    name
        The phases: a state or observable with one value for each node, in radians.
    moment
        m in ``exp(i m theta)``; 2 sees two opposite groups as order.

    Returns
    -------
    OrderParameter
        r and psi at the times of the trajectory.

    Raises
    ------
    UnknownNameError
        If there is no such quantity.
    SettingError
        If it has one value only, or the moment is no positive whole number.

    Examples
    --------
    >>> import dynlab as dl
    >>> swarm = dl.zoo.kuramoto.on(dl.AllToAll(3))(omega=[0.0, 0.0, 0.0], K=1.0)
    >>> run = dl.integrate(swarm, start={"theta": [0.0, 1.0, 2.0]}, duration=50)
    >>> order = dl.order_parameter(run, "theta")
    >>> round(float(order.r[0]), 6), round(float(order.r[-1]), 6)  # (1 + 2 cos 1) / 3
    (0.693535, 1.0)

    References
    ----------
    1. Kuramoto 1975, Lecture Notes in Physics 39, 420.
    2. Daido 1992, Prog. Theor. Phys. 88, 1213.
    """
    began = perf_counter()
    phases = _phases(trajectory, name)
    m = _positive(moment)
    z = moment_of(phases, m)
    settings = {"name": name, "moment": m}
    return OrderParameter(
        trajectory.t, np.abs(z), np.unwrap(np.angle(z)), m, trajectory.system.time.unit or "",
        Provenance("order_parameter", trajectory.system, settings, seconds=perf_counter() - began),
    )  # fmt: skip


def local_order(trajectory: Trajectory, name: str) -> Array:
    """Return the order among the nodes that act on each node: times x nodes.

    ``|sum_j A_ij exp(i theta_j)| / sum_j |A_ij|`` over the links into i, without their weights; nan for a node without
    links.

    Parameters
    ----------
    trajectory, name
        As in `order_parameter`; the network has links.

    Raises
    ------
    SettingError
        If the network has no links: all nodes then see the same, `order_parameter`.

    Examples
    --------
    >>> import dynlab as dl, networkx as nx, numpy as np
    >>> ring = dl.zoo.kuramoto_on_graph.on(nx.cycle_graph(8))
    >>> twisted = {"theta": 2 * np.pi * np.arange(8) / 8}
    >>> run = dl.integrate(ring, start=twisted, duration=1, at=[0])
    >>> dl.local_order(run, "theta")[0].round(6)[:2]
    array([0.707107, 0.707107])
    """
    phases = _phases(trajectory, name)
    bound = trajectory.system.bound
    over = trajectory.system.shapes[name.partition("[")[0]][0]
    found = [a for a in bound.links if (a.target, a.source) == (over, over)] if bound else []
    if not found:
        raise SettingError(
            f"{trajectory.system.name!r} has no links, so every node sees all others. Use "
            "dl.order_parameter, or a system with weights per link, bound to a graph."
        )
    links = found[0]
    degree = np.diff(links.first).astype(float)
    out = np.empty(phases.shape)
    for row, theta in enumerate(phases):
        z = np.append(0, np.cumsum(np.exp(1j * theta)[links.sources]))
        with np.errstate(invalid="ignore"):
            out[row] = np.abs(z[links.first[1:]] - z[links.first[:-1]]) / degree
    return np.where(degree > 0, out, np.nan)


def effective_frequencies(
    trajectory: Trajectory, name: str, *, transient: float = 0.0, natural: str | None = None
) -> EffectiveFrequencies:
    """Return how fast each oscillator turns on average, and which are locked to each other.

    Neighbours in effective frequency are taken as locked if the phase between them changes by less than half a
    turn over all the time that is left after the transient.  Oscillators that drift past each other more slowly than
    that are taken as locked, too: run longer to tell them apart.

    Parameters
    ----------
    trajectory, name
        As in `order_parameter`.
    transient
        Time at the beginning that is left out.
    natural
        The parameter per node with the natural frequencies, for pictures.

    Returns
    -------
    EffectiveFrequencies
        Frequencies, clusters, plateaus.

    Raises
    ------
    SettingError
        If no time is left.

    Examples
    --------
    >>> import dynlab as dl
    >>> swarm = dl.zoo.kuramoto.on(dl.AllToAll(3))(omega=[-0.1, 0.1, 5.0], K=1.0)
    >>> run = dl.integrate(swarm, duration=200)
    >>> dl.effective_frequencies(run, "theta", transient=50).sizes
    array([2])
    """
    began = perf_counter()
    phases, t = _phases(trajectory, name), trajectory.t
    skip = finite(transient, "transient")
    kept = np.abs(t - t[0]) >= skip if len(t) else np.zeros(0, bool)
    if kept.sum() < 2 or t[kept][-1] == t[kept][0]:
        raise SettingError(
            f"transient is {skip:g}, which leaves fewer than two times of the trajectory. Give a shorter "
            "transient or run longer."
        )
    t, phases = t[kept], phases[kept]
    duration = float(t[-1] - t[0])
    rate = (phases[-1] - phases[0]) / duration
    order = np.argsort(rate, kind="stable")
    relative = np.diff(phases[:, order], axis=1)
    is_bound = np.ptp(relative, axis=0) < np.pi
    clusters = np.empty(len(rate), np.int64)
    clusters[order] = _numbered(np.append(0, np.cumsum(~is_bound)))
    values = None if natural is None else np.asarray(trajectory.system[natural], float)
    settings = {"name": name, "transient": skip}
    return EffectiveFrequencies(
        rate, clusters, values, abs(duration),
        Provenance("effective_frequencies", trajectory.system, settings, seconds=perf_counter() - began),
    )  # fmt: skip


def moment_of(phases: Array, moment: int = 1) -> NDArray[np.complex128]:
    """Return the mean of ``exp(i m theta)`` over the last axis."""
    m = float(moment)
    real, imaginary = np.cos(m * phases).mean(axis=-1), np.sin(m * phases).mean(axis=-1)
    return np.asarray(real + 1j * imaginary)


def _numbered(groups: Integers) -> Integers:
    """Return groups numbered by size, the largest 0; -1 for those of one."""
    sizes = np.bincount(groups)
    rank = np.empty(len(sizes), np.int64)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    return np.where(sizes[groups] > 1, rank[groups], -1)


def _phases(trajectory: Trajectory, name: str) -> Array:
    values = np.asarray(trajectory[name], float)
    if values.ndim != 2:
        raise SettingError(
            f"{name!r} of {trajectory.system.name!r} has one value and not one for each node. Give the name "
            "of the phases of a network, such as 'theta'."
        )
    return values


def _positive(moment: Any) -> int:
    m = finite(moment, "moment")
    if m < 1 or m != int(m):
        raise SettingError(f"moment is {moment!r}; give a positive whole number.")
    return int(m)
