"""first_passage_times: when paths first get beyond a border, from a simulated sample."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import kernels_of
from dynlab.errors import NotConverged, SettingError, UnsupportedSystemError
from dynlab.kernels.convention import EVENT, RUNNING
from dynlab.names import Layout, finite
from dynlab.result import Provenance, Result
from dynlab.seeds import seed_of
from dynlab.solve.guarded import Watch
from dynlab.solve.guards import Guards
from dynlab.solve.paths import Paths
from dynlab.solve.stochastic_methods import SdeMethod
from dynlab.solve.threads import on_threads
from dynlab.status import Status
from dynlab.stochastic.generator.borders import borders_of
from dynlab.stochastic.records.survival import Survival, restricted_mean, survival_of
from dynlab.symbolic.dynamics import Continuous, Stochastic, require
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import symbol

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["FirstPassageTimes", "first_passage_times"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

#: The sample is made in about so many pieces.
PIECES = 64


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FirstPassageTimes(Result):
    """When paths first got beyond a border; made by `first_passage_times`.

    Attributes
    ----------
    system
        The system.
    beyond
        The borders.
    duration
        How long each path was watched at most.
    times
        When each path passed, or until when it was watched without passing; see `passed`.
    exits
        By which border each path passed, as a place in `borders`; -1 if it did not.
    states
        The states where each path ended.
    statuses
        How each path ended, as numbers of `Status`; those that passed with EVENT.
    provenance
        Where it came from.
    """

    system: System
    beyond: Mapping[str, Any]
    duration: float
    times: Array
    exits: Integers
    states: Array
    statuses: Integers
    provenance: Provenance

    @property
    def passed(self) -> NDArray[np.bool_]:
        """Which paths passed."""
        return np.asarray(self.exits >= 0)

    @property
    def censored(self) -> int:
        """How many paths had not passed when they were last seen."""
        return int(np.count_nonzero(~self.passed))

    @property
    def borders(self) -> tuple[str, ...]:
        """The borders in words, such as ``"x = 1"``."""
        return tuple(f"{name} = {value:g}" for name, value in _walls(self.beyond))

    @property
    def status(self) -> Status:
        """OK if every path passed, CENSORED if not all did, else why paths could not go on."""
        others = self.statuses[~self.passed]
        if (others == Status.STOPPED).any() or len(self) < self.provenance.settings["size"]:
            return Status.STOPPED
        failed = others[others != Status.OK]
        if failed.size:
            return Status(Counter(failed.tolist()).most_common(1)[0][0])
        return Status.CENSORED if others.size else Status.OK

    @property
    def mean(self) -> float:
        """The mean passage time.

        Raises
        ------
        NotConverged
            If not all paths passed: the mean over those that did is too short.
        """
        self._require_all()
        return float(self.times.mean())

    @property
    def standard_error(self) -> float:
        """One standard deviation of the mean; not known of less than two paths.

        Raises
        ------
        NotConverged
            If not all paths passed.
        """
        self._require_all()
        return float(self.times.std(ddof=1) / math.sqrt(len(self))) if len(self) > 1 else math.inf

    @property
    def restricted_mean(self) -> float:
        """The mean of the times cut off at the duration: a lower bound of the mean, whoever passed."""
        return restricted_mean(self.times, self.passed, self.duration)[0]

    @property
    def restricted_error(self) -> float:
        """Standard error of the restricted mean."""
        return restricted_mean(self.times, self.passed, self.duration)[1]

    @property
    def rate(self) -> float:
        """Passages per time watched.

        One over the mean if all passed.  If not, it estimates one over the mean where survival falls exponentially, and
        else the mean rate over the times watched.
        """
        return float(np.count_nonzero(self.passed) / self.times.sum())

    @property
    def rate_error(self) -> float:
        """Standard error of the rate, a ratio of two sums over paths; infinite if no path passed."""
        if not self.passed.any():
            return math.inf
        apart = self.passed - self.rate * self.times
        return float(np.sqrt(np.sum(apart**2)) / self.times.sum())

    @property
    def survival(self) -> Survival:
        """The share of paths that has not passed, in time, with its 95 % band."""
        return survival_of(self.times, self.passed)

    def share(self, border: str) -> tuple[float, float]:
        """Return which share of those that passed did so by a border, and the standard error.

        Raises
        ------
        SettingError
            If there is no such border, or no path passed.
        """
        if border not in self.borders or not self.passed.any():
            raise SettingError(
                f"{border!r} is no border by which a path passed. Known: {', '.join(self.borders)}; "
                f"{np.count_nonzero(self.passed)} paths passed."
            )
        number = np.count_nonzero(self.passed)
        share = float(np.count_nonzero(self.exits == self.borders.index(border)) / number)
        return share, math.sqrt(share * (1 - share) / number)

    def __getitem__(self, name: str) -> Array:
        """Return a state where each path ended."""
        return np.asarray(self.states[:, Layout.of(self.system).state(name)])

    def __len__(self) -> int:
        return len(self.times)

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return one row for each path: until when it was watched, by which border it passed, and its last state."""
        named = np.array(["", *self.borders])[self.exits + 1]
        table = {"time": self.times, "passed": self.passed, "border": named}
        return table | {
            f"end_{name}": self.states[:, k] for k, name in enumerate(self.system.state_names)
        }

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the share that has not passed against time, with its 95 % band."""
        from dynlab import plotting

        found = self.survival
        return plotting.draw_survival(
            ax, np.append(found.t, found.until),
            *(np.append(part, part[-1]) for part in (found.share, found.low, found.high)),
            time_label=plotting.label("t", self.system.time.unit),
        )  # fmt: skip

    def __repr__(self) -> str:
        if self.censored or not len(self):
            low = f"mean at least {self.restricted_mean:.6g}({self.restricted_error:.1g})"
            what = f"{self.censored} of {len(self)} paths had not passed by t = {self.duration:g}; {low}"
        else:
            what = f"mean {self.mean:.6g}, standard error {self.standard_error:.2g}"
        return (
            f"<first passage of {self.system.name} beyond {dict(self.beyond)}: {len(self)} paths\n"
            f" {what}; {self.status}>"
        )

    def _require_all(self) -> None:
        if self.censored or not len(self):
            raise NotConverged(
                f"{self.censored} of {len(self)} paths had not passed {', '.join(self.borders)} when they were last seen, "
                f"so the mean time is not known; it is at least {self.restricted_mean:.6g}. Give a duration longer than "
                f"{self.duration:g}, or take restricted_mean, rate or survival, which count those paths as well.",
                status=self.status,
                partial=self,
            )


def first_passage_times(  # noqa: PLR0913  (what, from where to where, how long, how, how many, what is drawn)
    system: System,
    *,
    start: Mapping[str, float] | None = None,
    beyond: Mapping[str, Any],
    duration: float,
    method: SdeMethod,
    size: int,
    seed: int | np.random.Generator | None = None,
) -> FirstPassageTimes:
    r"""Return when paths of a flow with noise first pass a border, as a sample.

    Whether a path passed between the ends of a step is drawn from the Brownian bridge between them, so the mean has an error
    of the first order of the step.  Looking at the ends alone would find passages too late, by a term of order one half:

    .. math:: P(\text{passed} \mid x_0, x_1) = \exp\left(-\frac{2 (b - x_0)(b - x_1)}{\sigma^2 h}\right)

    Parameters
    ----------
    system
        A flow with noise, of scalar states.  Its events happen as in `dynlab.simulate`.
    start
        States at t = 0, by name; those not given start from the system's defaults.
    beyond
        A border for some states or observables: ``{"x": 0}`` is passed from the side of the start, ``{"x": (-1, 1)}``
        is an interval to leave.
    duration
        How long a path is watched at most, in the system's unit of time.  Paths that have not passed by then are counted
        as such: the result refuses a mean, and has a survival curve, a rate and the mean of the times cut off.
    method
        Method and step, such as ``dl.SRA1(step=0.01)``.
    size
        How many paths.
    seed
        A whole number, a numpy Generator, or None for a fresh seed.  The numbers are the same for any number of threads.

    Returns
    -------
    FirstPassageTimes
        The sample, its mean with standard error, survival, and which border came first.  If stopped it holds what was done.

    Raises
    ------
    SettingError
        If there is no border, the start lies on it or beyond, or a number cannot be used.
    UnknownNameError
        If a name is no state or observable.
    UnsupportedSystemError
        If the system has no noise, or is a network.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def decay(x=0.0):
    ...     return {x: -x}
    >>> noisy = decay.with_noise(x=1.0)
    >>> found = dl.first_passage_times(noisy, beyond={"x": (-1, 1)}, duration=100, size=10_000,
    ...                                method=dl.ExactLinear(step=0.05), seed=1)
    >>> exact = dl.escape_time(noisy, start={"x": 0}, beyond={"x": (-1, 1)}).value     # 1.4452
    >>> bool(abs(found.mean - exact) < 4 * found.standard_error)
    True

    References
    ----------
    1. Mannella 1999, Phys. Lett. A 254, 257.
    2. Gobet 2000, Stoch. Proc. Appl. 87, 167 (the order).
    3. Kaplan and Meier 1958, J. Am. Stat. Assoc. 53, 457 (survival).
    """
    began = perf_counter()
    require(system, Continuous, Stochastic)
    if system.is_indexed:
        raise UnsupportedSystemError(
            f"{system.name!r} is a network; first passages are of systems of scalar states. Make the border an event of its nodes, "
            "with a refractory= longer than the run, and take the first times of each node from dl.simulate."
        )
    span, number = finite(duration, "duration"), finite(size, "size")
    if span <= 0 or number < 1 or number != int(number):
        raise SettingError(
            f"duration is {span:g} and size {size!r}; give a positive time and a positive whole number of paths."
        )
    chosen, begin = seed_of(seed), Layout.of(system).pack(start, system.start_values)
    guards, levels = _guards(system, beyond, begin)
    paths = Paths.of(system, method, np.array([span]), chosen, Guards.of(system, (), ()))
    paths = paths._replace(watch=Watch.of(system, guards, chosen, levels), lanes=None)
    count, n = int(number), len(begin)
    times, states, exits = np.zeros(count), np.tile(begin, (count, 1)), np.full(count, -1)
    statuses = np.full(count, RUNNING, np.int64)
    each = -(-count // PIECES)
    row = inputs_of(system).parameters

    def work(first: int) -> None:
        own = slice(first, min(first + each, count))
        members = own.stop - first
        found = paths.guarded(
            np.tile(begin, (members, 1)), np.tile(row, (members, 1)), first, room=0
        )
        times[own], states[own] = found.ended, found.last
        exits[own] = np.where(found.status == EVENT, found.ended_by, -1)
        statuses[own] = np.where(found.status == RUNNING, Status.STOPPED, found.status)

    on_threads(
        [lambda first=first: work(first) for first in range(0, count, each)],  # type: ignore[misc]
        lambda: float(np.count_nonzero(statuses != RUNNING)), float(count), "first_passage_times",
    )  # fmt: skip
    # A path that was stopped counts for as long as it was watched; one that had not begun does not.
    begun = (statuses != RUNNING) & ((statuses != Status.STOPPED) | (times > 0))
    settings: dict[str, Any] = {"start": dict(zip(system.state_names, begin.tolist(), strict=True))}
    settings |= {"duration": span, "method": method, "size": count}
    whole = int(chosen.text) if chosen.text.isdigit() else None
    settings |= {"generator": chosen.text} if whole is None else {}
    return FirstPassageTimes(
        system=system, beyond=dict(beyond), duration=span, times=times[begun], exits=exits[begun],
        states=states[begun].reshape(-1, n), statuses=statuses[begun],
        provenance=Provenance("first_passage_times", system, settings, seed=whole, seconds=perf_counter() - began),
    )  # fmt: skip


def _walls(beyond: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Return the borders one by one."""
    found: list[tuple[str, float]] = []
    for name, value in beyond.items():
        ends = value if isinstance(value, tuple | list) else (value,)
        found += [(name, float(end)) for end in ends]
    return found


def _guards(system: System, beyond: Mapping[str, Any], begin: Array) -> tuple[Guards, Array]:
    """Return guards that end a path at the borders, before the events of the system, and their levels."""
    borders_of(system, beyond, names=(*system.state_names, *system.observable_names))
    observed = {o.name: o.expression for o in system.observables}
    walls = _walls(beyond)
    quantities = [observed.get(name, symbol(name)) for name, _ in walls]
    now = kernels_of(system).expressions(quantities)(0.0, begin, inputs_of(system).parameters)
    directions = []
    for (name, value), here in zip(walls, now, strict=True):
        if not abs(here - value) > 0:
            raise SettingError(
                f"{name!r} starts at {here:g}, on the border {value:g} or nowhere. Start on this side of it."
            )
        directions.append(1 if here < value else -1)
    for (name, value), (other, next_value), side, next_side in zip(
        walls, walls[1:], directions, directions[1:], strict=False
    ):
        if name == other and side == next_side:
            here = now[walls.index((name, value))]
            raise SettingError(
                f"{name!r} starts at {here:g}, which is not between {value:g} and {next_value:g}. Start on this side of the border."
            )
    base = Guards.of(system, (), ())
    guards = Guards(
        tuple(f"{name} = {value:g}" for name, value in walls) + base.names,
        base.states,
        (*quantities, *base.expressions),
        np.concatenate([np.array(directions, np.int64), base.directions]),
        0,
        len(walls),
    )
    levels = [value for _, value in walls] + [0.0] * len(base.names)
    return guards, np.array(levels)
