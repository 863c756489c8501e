"""Trajectory: what a run leaves behind, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import kernels_of
from dynlab.errors import SettingError, UnknownNameError, UnsupportedSystemError
from dynlab.kernels import dense
from dynlab.names import Layout
from dynlab.result import Provenance, Result
from dynlab.status import Status
from dynlab.symbolic.hamiltonian import ENERGY
from dynlab.symbolic.quantities import Domain
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Events", "NodeEvents", "Occurrences", "Steps", "Trajectory"]

Array = NDArray[np.float64]

#: A drawn curve has at least about so many points.
SMOOTH = 2000
#: No more numbers than this are computed to draw one: of a large network the steps themselves.
MOST_DRAWN = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """The steps of a run as polynomials: ``x(start + s size) = sum_j coefficients[j] s^j``."""

    starts: Array
    sizes: Array
    coefficients: Array

    @property
    def degrees(self) -> NDArray[np.int64]:
        """Degree of each polynomial: 7 as a rule where the step was explicit, 4 where it was implicit; the order of a series."""
        used = (self.coefficients != 0).any(axis=2)
        powers: NDArray[np.int64] = np.where(used, np.arange(used.shape[1]), 0)
        return np.asarray(powers.max(axis=1, initial=0), np.int64)

    def __call__(self, times: Array) -> Array:
        """Return the states at times inside the steps."""
        out = np.empty((len(times), self.coefficients.shape[2]))
        dense.evaluate(self.starts, self.sizes, self.coefficients, times, out)
        return out


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Occurrences:
    """When a crossing or event happened, and the states there: ``spikes.times``, ``spikes["v"]``.

    Where an event set the state anew these are the states before; ``spikes.after["v"]`` are those
    after.
    """

    times: Array
    values: Array
    states: tuple[str, ...]
    new_values: Array | None = None

    @property
    def before(self) -> Occurrences:
        """The same times with the states before them, which are those that it answers with."""
        return Occurrences(self.times, self.values, self.states)

    @property
    def after(self) -> Occurrences:
        """The same times with the states after them; the same states where nothing was set anew."""
        values = self.values if self.new_values is None else self.new_values
        return Occurrences(self.times, values, self.states)

    @property
    def accumulation(self) -> float:
        """Where times accumulate, if their intervals shrink geometrically; nan if they do not.

        Aitken's extrapolation of the last three times.
        """
        if len(self.times) < 3:
            return np.nan
        first, second, third = self.times[-3:]
        before, last = second - first, third - second
        return float(third + last * last / (before - last)) if abs(last) < abs(before) else np.nan

    def __getitem__(self, name: str) -> Array:
        if name == "t":
            return self.times
        if name not in self.states:
            raise UnknownNameError("state", name, self.states)
        return self.values[:, self.states.index(name)]

    def only(self, keep: NDArray[np.bool_]) -> Occurrences:
        """Return some of them."""
        new = None if self.new_values is None else self.new_values[keep]
        return Occurrences(self.times[keep], self.values[keep], self.states, new)

    def __len__(self) -> int:
        return len(self.times)

    def __repr__(self) -> str:
        span = f" from t = {self.times[0]:.6g} to {self.times[-1]:.6g}" if len(self) else ""
        return f"<{len(self)} crossings{span}>"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class NodeEvents:
    """When the nodes of a network had an event: times in order, and which node each time.

    ``run.events["spike[3]"]`` are those of one node; `trains` has the times of each.

    Attributes
    ----------
    times
        When.
    nodes
        Which node it was.
    count
        How many nodes there are.
    """

    times: Array
    nodes: NDArray[np.int64]
    count: int

    def of(self, node: int) -> Array:
        """Return the times of one node.

        Raises
        ------
        UnknownNameError
            If there is no such node.
        """
        if not 0 <= node < self.count:
            raise UnknownNameError("node", str(node), [str(k) for k in range(self.count)])
        return np.asarray(self.times[self.nodes == node])

    @property
    def trains(self) -> dict[str, Array]:
        """The times of every node, by its number: what `dynlab.draw_raster` draws."""
        order = np.argsort(self.nodes, kind="stable")
        ends = np.cumsum(np.bincount(self.nodes, minlength=self.count))
        rows = np.split(self.times[order], ends[:-1]) if self.count else []
        return {str(node): times for node, times in enumerate(rows)}

    def only(self, keep: NDArray[np.bool_]) -> NodeEvents:
        """Return some of them."""
        return NodeEvents(self.times[keep], self.nodes[keep], self.count)

    def __len__(self) -> int:
        return len(self.times)

    def __repr__(self) -> str:
        return f"<{len(self)} events of {len(np.unique(self.nodes))} nodes out of {self.count}>"


class Events(dict[str, Occurrences | NodeEvents]):
    """Crossings by name; a name that is not there is answered with those that are."""

    def __missing__(self, name: str) -> Occurrences | NodeEvents:
        base, _, rest = str(name).partition("[")
        found = self.get(base)
        if isinstance(found, NodeEvents) and rest.endswith("]") and rest[:-1].isdecimal():
            found.of(int(rest[:-1]))
            return found.only(found.nodes == int(rest[:-1]))
        raise UnknownNameError("crossing of this trajectory", name, self)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Trajectory(Result):
    """States along a run, by name.

    Attributes
    ----------
    system
        The system that ran.
    t
        Times: the ends of the steps, or those asked for with ``at=``.  Where an event set the state
        anew the time is there twice, with the state before and after.
    values
        States at these times, one column per state; ``trajectory["v"]`` is one of them.
    steps
        The polynomials between the times; None if only given times were kept.
    events
        Crossings by name: ``trajectory.events["spike"].times``; of the nodes of a network as
        `NodeEvents`.
    end
        Where the run ended: time, then the states.  See `final`.
    status
        How it ended.
    provenance
        Where it came from.
    """

    system: System
    t: Array
    values: Array
    steps: Steps | None
    events: Mapping[str, Any]
    end: Array
    status: Status
    provenance: Provenance

    def __post_init__(self) -> None:
        object.__setattr__(self, "events", Events(self.events))

    def __getitem__(self, name: str) -> Array:
        """Return a state, an observable or the time ``"t"`` along the trajectory.

        On a network a name such as ``theta`` gives time x node, ``theta[3]`` one node.
        """
        system = self.system
        if name == "t":
            return self.t
        place = system.place_of(name)
        if place is not None:
            return self.values[:, place]
        if name in system.observable_names:
            return self._observed(self.t, self.values)[:, system.observable_names.index(name)]
        known = ("t", *system.state_names, *system.observable_names)
        raise UnknownNameError(f"quantity of this trajectory of {system.name!r}", name, known)

    @property
    def final(self) -> dict[str, Any]:
        """The states where the run ended, by name; `start` of a run that continues it."""
        return Layout.of(self.system).unpack(self.end[1:].tolist())

    @property
    def energy_error(self) -> float:
        """Largest change of the energy H over the times of the trajectory, relative to H at its start.

        Where H begins at exactly 0 it is the change itself.

        Raises
        ------
        UnsupportedSystemError
            If the system was not defined by an energy, or its energy depends on the time.
        """
        system = self.system
        if not (system.pairs and system.is_autonomous):
            why = "depends on the time" if system.pairs else "does not exist"
            raise UnsupportedSystemError(
                f"the energy of {system.name!r} {why}, so nothing is conserved. Define an autonomous "
                "system with @dl.hamiltonian."
            )
        energy = self[ENERGY]
        if not len(energy):
            return 0.0
        change = float(np.abs(energy - energy[0]).max())
        return change / abs(float(energy[0])) if energy[0] else change

    def at(self, times: ArrayLike) -> Trajectory:
        """Return the trajectory at other times, by the polynomials of the steps (degree 7, or 4).

        Raises
        ------
        SettingError
            If a time is outside the run, or lies between the times of a run that kept only those
            given with ``at=`` (or of a map).
        """
        wanted = np.atleast_1d(np.asarray(times, dtype=float)).ravel()
        self._check_inside(wanted)
        if self.steps is not None and len(self.steps.starts):
            values = self.steps(wanted)
            values[wanted == self.end[0]] = self.end[1:]
        else:
            values = self.values[self._kept(wanted)]
        return replace(self, t=wanted, values=values, steps=None)

    def after(self, t: float) -> Trajectory:
        """Return the part of the trajectory from a time on, without its beginning."""
        self._check_inside(np.array([float(t)]))
        sign = self._sign
        later = sign * (self.t - t) > 0
        events = {
            name: found.only(keep)
            for name, found in self.events.items()
            for keep in [sign * (found.times - t) >= 0]
        }
        if self.steps is None or not len(self.steps.starts):
            keep = later | (self.t == t)
            return replace(self, t=self.t[keep], values=self.values[keep], events=events)
        first = self.at([t])
        begins = max(int(np.sum(sign * (self.steps.starts - t) <= 0)) - 1, 0)
        return replace(
            self,
            t=np.append(first.t, self.t[later]),
            values=np.vstack([first.values, self.values[later]]),
            steps=Steps(
                self.steps.starts[begins:],
                self.steps.sizes[begins:],
                self.steps.coefficients[begins:],
            ),
            events=events,
        )

    def to_table(self) -> dict[str, Array]:
        """Return time, states and observables as columns."""
        table = {"t": self.t}
        table |= dict(zip(self.system.state_names, self.values.T, strict=True))
        observed = self._observed(self.t, self.values)
        return table | dict(zip(self.system.observable_names, observed.T, strict=True))

    def plot(self, ax: Axes | None = None, *, show: Sequence[str] | None = None) -> Axes:
        """Draw quantities against time, with lines where crossings happened, thin ones at jumps.

        Parameters
        ----------
        ax
            Axes for everything; None makes a figure with a panel for each scale.
        show
            Names of states and observables; all states if None.  On a network ``"theta"`` is drawn for
            all nodes in one panel, as lines for up to twelve and as an image of time and node for more;
            ``"theta[3]"`` is one node.
        """
        from dynlab import plotting

        fine = self._smooth()
        names = self.system.declared if show is None else tuple(show)
        labels = {name: plotting.label(name, self.system.unit_of(name)) for name in names}
        ax = plotting.draw_series(
            ax,
            fine.t,
            {labels[name]: fine[name] for name in names},
            time_label=plotting.label("t", self.system.time.unit),
            angles=[labels[name] for name in names if self._is_angle(name)],
            rows={labels[name]: self._row(name) for name in names},
        )
        for name, found in self.events.items():
            if isinstance(found, Occurrences) and len(found) and found.new_values is None:
                plotting.draw_events(ax, found.times, plotting.label(name))
        return ax

    def portrait(self, ax: Axes | None = None, *, x: str, y: str) -> Axes:
        """Draw one quantity against another: an orbit of a flow, the points of a map."""
        from dynlab import plotting

        fine = self._smooth()
        for name in (x, y):
            if fine[name].ndim == 2:
                raise SettingError(
                    f"{name!r} of {self.system.name!r} has a value for each of {fine[name].shape[1]} "
                    f"{self._row(name)}s. A portrait shows one: {fine._first_of(name)!r}."
                )
        labels = [plotting.label(name, self.system.unit_of(name)) for name in (x, y)]
        if ax is None:
            ax = plotting.new_axes(xlabel=labels[0], ylabel=labels[1])
        across, up = plotting.lift_pen(fine.t, fine._drawn(x), fine._drawn(y))
        if self.system.is_discrete:
            return plotting.draw_iterates(ax, across, up)
        plotting.draw_orbit(ax, across, up)
        # The heads point along the flow, also where the run went backwards.
        along = slice(None, None, int(self._sign))
        return plotting.draw_direction(ax, across[along], up[along])

    def __repr__(self) -> str:
        declared = self.system.declared
        names = ", ".join(map(self._counted, declared[:6])) + (", ..." if len(declared) > 6 else "")
        ends = f"t = {self.t[0]:g} ... {self.t[-1]:g}, " if len(self.t) else ""
        found = "; ".join(f"{len(e)} of {name}" for name, e in self.events.items())
        method = str(self.provenance.settings.get("method", "iterated"))
        taken = self.provenance.settings.get("steps", {})
        if len(taken) > 1:
            method += ": " + " and ".join(f"{n} {kind}" for kind, n in taken.items()) + " steps"
        if self.system.pairs and self.system.is_autonomous:
            found = f"energy error {self.energy_error:.2g}" + (f"; {found}" if found else "")
        return (
            f"<Trajectory of {self.system.name}: {ends}{len(self.t)} points of {names}\n"
            f" {self.status} at t = {self.end[0]:.10g}; {method}{'; ' + found if found else ''}>"
        )

    @property
    def _sign(self) -> float:
        return -1.0 if len(self.t) and self.end[0] < self.t[0] else 1.0

    def _check_inside(self, times: Array) -> None:
        begin = self.t[0] if len(self.t) else self.end[0]
        low, high = sorted((float(begin), float(self.end[0])))
        outside = times[~((times >= low) & (times <= high))]
        if outside.size:
            raise SettingError(
                f"the time {outside[0]:g} is not in this trajectory of {self.system.name!r}, which "
                f"runs from {begin:g} to {self.end[0]:g} ({self.status}). Choose a time inside, "
                "or integrate longer."
            )

    def _kept(self, times: Array) -> NDArray[np.intp]:
        """Return where the times stand among those kept."""
        place = {float(t): row for row, t in enumerate(self.t)}
        missing = [float(t) for t in times if float(t) not in place]
        if missing:
            why = (
                "a map has states at whole steps only"
                if self.system.is_discrete
                else "it kept only the times given with at="
            )
            raise SettingError(
                f"the time {missing[0]:g} is not among the {len(self.t)} times of this trajectory of "
                f"{self.system.name!r}: {why}. Run again without at=, or with this time in it."
            )
        return np.array([place[float(t)] for t in times], dtype=np.intp)

    def _observed(self, times: Array, values: Array) -> Array:
        """Return the observables, one column each."""
        count = len(self.system.observable_names)
        out = np.empty((len(times), count))
        if count:
            kernel = kernels_of(self.system).observables
            states = np.ascontiguousarray(values)
            inputs = inputs_of(self.system)
            dense.call_each(kernel.address, np.ascontiguousarray(times), states, *inputs, out)
        return out

    def _smooth(self) -> Trajectory:
        """Return the trajectory with long steps filled in, for drawing.

        Both sides of a jump stay as they are: the time is there twice.
        """
        wanted = min(SMOOTH, MOST_DRAWN // max(self.values.shape[1], 1))
        if self.steps is None or not 1 < len(self.t) < wanted:
            return self
        parts, lengths = -(-wanted // (len(self.t) - 1)), np.diff(self.t)
        times = self.t[:-1, None] + lengths[:, None] * np.arange(parts) / parts
        values = self.steps(times.ravel()).reshape(*times.shape, -1)
        values[:, 0] = self.values[:-1]
        kept = (np.arange(parts) == 0) | (lengths != 0)[:, None]
        t = np.append(times[kept], self.t[-1])
        return replace(self, t=t, values=np.vstack([values[kept], self.values[-1]]), steps=None)

    def _drawn(self, name: str) -> Array:
        """Return a quantity, angles within one turn."""
        if self._is_angle(name):
            from dynlab.plotting import wrap_for_drawing

            return wrap_for_drawing(self[name])
        return self[name]

    def _is_angle(self, name: str) -> bool:
        return any(
            state.domain is Domain.CIRCLE
            and name in (state.name, f"{state.name}[{name.partition('[')[2]}")
            for state in self.system.states
        )

    def _row(self, name: str) -> str:
        """Return what one number of an indexed state is called: a node, of a set if it has a name."""
        shape = self.system.shapes.get(name, ("node",))
        return "link" if len(shape) == 2 else shape[0] if shape[0] == "node" else f"{shape[0]} node"

    def _counted(self, name: str) -> str:
        """Return a state with the number of its nodes."""
        place = self.system.place_of(name)
        if not isinstance(place, slice):
            return name
        return f"{name} ({place.stop - place.start} {self._row(name)}s)"

    def _first_of(self, name: str) -> str:
        first: int = self.system.blocks[name].start
        return self.system.state_names[first]
