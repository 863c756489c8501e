"""bifurcation_diagram: every branch of equilibria and cycles that can be reached, in one call."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab import progress
from dynlab.continuation.branch import Branch
from dynlab.continuation.cycles.branch import CycleBranch
from dynlab.continuation.cycles.follow import continue_cycles
from dynlab.continuation.equilibrium import continue_equilibrium
from dynlab.continuation.methods import ContinuationMethod, PseudoArclength
from dynlab.continuation.picture import draw_branches
from dynlab.continuation.points import (
    BranchPoint,
    Hopf,
    PeriodDoubling,
    Points,
    SpecialPoint,
    Unconfirmed,
    table_of_points,
)
from dynlab.continuation.switch import switch_branch
from dynlab.continuation.trace import checked_range, is_inside
from dynlab.cycles.cycle import Cycle
from dynlab.equilibria.find import find_near, search_equilibria
from dynlab.equilibria.orbits import PeriodicOrbit, checked_period, same_orbit, search_orbits
from dynlab.equilibria.stability import Equilibrium, Point
from dynlab.errors import ComputationError, NotConverged, SettingError, SingularProblem
from dynlab.names import Layout, by_name
from dynlab.result import Provenance, Result
from dynlab.status import Status
from dynlab.symbolic.dynamics import Autonomous, require
from dynlab.symbolic.entry import spelled
from dynlab.symbolic.exposed import exposed
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Diagram", "bifurcation_diagram", "equilibrium_diagram"]

Vector = NDArray[np.float64]
_MOST_BRANCHES = 60
_STARTS = 5
#: Periods of a map that are followed, from the fixed points on, unless others are asked for.
_PERIODS = (1, 2, 4, 8)
#: Cycles of flows: so many doublings are followed one after another, in systems of so many states.
_DOUBLINGS, _MOST_STATES = 3, 60
#: Branch points of cycles that have another branch, and how near two are the same, in the range.
_CROSSINGS, _CROSSING = ("pitchfork", "transcritical"), 1e-5
#: At these parts of the range, if nothing known is stable there, a run looks for an attracting cycle.
_SETTLED_AT = (0.17, 0.5, 0.83)
#: At a period doubling that stable cycles reach no multiplier is larger than this.
_NEARLY_ONE = 1.001
#: Two points of cycles are the same if the extremes of the states agree to this part of their ranges.
_ALIKE = 1e-3


@dataclass(frozen=True, slots=True, init=False, eq=False, repr=False)
class Diagram(Result):
    """Several branches of one system in one parameter, drawn together.

    Parameters
    ----------
    branches
        The branches; all of the same system and parameter.
    provenance
        Where they came from; that of the first branch if left out.
    """

    branches: tuple[Branch | CycleBranch, ...]
    provenance: Provenance

    def __init__(
        self, *branches: Branch | CycleBranch, provenance: Provenance | None = None
    ) -> None:
        if not branches:
            raise SettingError("a diagram needs at least one branch.")
        first = branches[0]
        for other in branches[1:]:
            if other.vary != first.vary or other.system.rule_hash != first.system.rule_hash:
                raise SettingError(
                    f"a diagram holds branches of one system in one parameter; got "
                    f"{first.system.name!r} in {first.vary!r} and {other.system.name!r} in "
                    f"{other.vary!r}. Draw them into one axes instead: other.plot(ax)."
                )
        object.__setattr__(self, "branches", branches)
        object.__setattr__(self, "provenance", provenance or first.provenance)

    @property
    def system(self) -> System:
        """The system."""
        return self.branches[0].system

    @property
    def vary(self) -> str:
        """The varied parameter."""
        return self.branches[0].vary

    @property
    def status(self) -> Status:
        """`Status.OK`, or what went wrong on the first branch where something did."""
        wrong = [b.status for b in self.branches if not b.status.ok]
        return wrong[0] if wrong else Status.OK

    @property
    def equilibria(self) -> tuple[Branch, ...]:
        """The branches of equilibria; of a map those of fixed points and cycles."""
        return tuple(b for b in self.branches if isinstance(b, Branch))

    @property
    def cycles(self) -> tuple[CycleBranch, ...]:
        """The branches of limit cycles of a flow."""
        return tuple(b for b in self.branches if isinstance(b, CycleBranch))

    def __iter__(self) -> Iterator[Branch | CycleBranch]:
        return iter(self.branches)

    def __len__(self) -> int:
        return len(self.branches)

    def points(self, kind: type[SpecialPoint] | None = None) -> Points[Any]:
        """Return the special points of all branches, each once, in order of the parameter."""
        size = np.append(_sizes(self.branches), _span(self.branches))
        kept: list[SpecialPoint] = []
        for branch in self.branches:
            for point in branch.points(kind):
                if not any(_same(point, other, size) for other in kept):
                    kept.append(point)
        return Points(sorted(kept, key=lambda p: (p.value, *p.state)))

    @property
    def unconfirmed(self) -> Points[Unconfirmed]:
        """Changes of stability whose defining equations could not be solved."""
        return Points(p for branch in self.branches for p in branch.unconfirmed)

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return all points of all branches as columns; ``branch`` counts from 0.

        What one kind of branch lacks (a cycle has no single state, an equilibrium no period) is nan.
        """
        tables = [
            b.to_table() | {"branch": np.full(len(b), k)} for k, b in enumerate(self.branches)
        ]
        columns = {name: column.dtype for table in tables for name, column in table.items()}
        return {
            name: np.concatenate([
                table.get(name, np.full(len(b), "" if kind.kind == "U" else np.nan))
                for table, b in zip(tables, self.branches, strict=True)
            ])
            for name, kind in columns.items()
        }  # fmt: skip

    def point_table(self) -> dict[str, NDArray[Any]]:
        """Return the special points with their eigenvalues as columns."""
        return table_of_points(self.points())

    def plot_period(self, ax: Axes | None = None) -> Axes:
        """Draw the periods of the limit cycles against the parameter.

        Raises
        ------
        SettingError
            If the diagram holds no limit cycles.
        """
        if not self.cycles:
            raise SettingError(
                f"the diagram of {self.system.name!r} holds no limit cycles. Follow some with "
                "dl.continue_cycles or dl.bifurcation_diagram."
            )
        for branch in self.cycles:
            ax = branch.plot_period(ax)
        assert ax is not None
        return ax

    def plot(self, ax: Axes | None = None, *, show: str | None = None) -> Axes:
        """Draw one quantity against the parameter: solid where stable, special points labelled.

        Of limit cycles its least and greatest value.

        Parameters
        ----------
        ax
            Axes to draw into; a new figure if left out.
        show
            State or observable to show; the first state if left out.  Of a state with many nodes the
            root of their mean square is drawn, of angles the length of their mean direction;
            ``"x[3]"`` is one node.
        """
        return draw_branches(ax, self.branches, self.points(), show=show)

    def __repr__(self) -> str:
        labels = [p.label for p in self.points()]
        counts = ", ".join(f"{labels.count(k)} {k}" for k in dict.fromkeys(labels))
        doubt = f", {len(self.unconfirmed)} unconfirmed" if self.unconfirmed else ""
        return (
            f"<bifurcation diagram of {self.system.name} in {self.vary}: "
            f"{len(self.branches)} branch{'es' if len(self.branches) > 1 else ''}, "
            f"{sum(map(len, self.branches))} points;\n {counts or 'no special points'}{doubt}>"
        )


def _same(a: SpecialPoint, b: SpecialPoint, size: Vector) -> bool:
    """Whether two points of one kind are the same, to a millionth of what the diagram spans.

    Of a cycle any of its points will do.
    """
    if (a.orbit is None) != (b.orbit is None):
        return False
    if a.orbit is not None and b.orbit is not None:
        near = type(a) is type(b) and abs(a.value - b.value) <= 1e-6 * size[-1]
        return near and _alike(a.orbit, b.orbit)
    period = _period(a)
    if type(a) is not type(b) or period != _period(b) or abs(a.value - b.value) > 1e-6 * size[-1]:
        return False
    return same_orbit(a.system, a.state, b.state, period, size[:-1]) <= 1e-6


def _alike(a: Cycle, b: Cycle) -> bool:
    """Whether two cycles at one parameter value are the same, whatever their phases."""
    ends = [np.array([c.extremes(name) for name in c.system.state_names]) for c in (a, b)]
    size = np.maximum(np.ptp(ends[0], axis=1), 1e-12)[:, None]
    return bool(
        np.all(np.abs(ends[0] - ends[1]) <= _ALIKE * size) and abs(a.period / b.period - 1) < 0.05
    )


def _period(point: Point) -> int:
    """Return how many steps a cycle of a map takes; 1 for all that is none."""
    return int(getattr(point, "period", 1)) if point.system.is_discrete else 1


def _span(branches: Sequence[Branch | CycleBranch]) -> float:
    values = np.concatenate([branch.values for branch in branches])
    return float(np.ptp(values)) or 1.0


def equilibrium_diagram(  # noqa: PLR0913  (what, over what, how, and from where to go on)
    system: System,
    *,
    vary: str,
    over: tuple[float, float],
    within: Mapping[str, tuple[float, float]] | None = None,
    method: ContinuationMethod | None = None,
    periods: Sequence[int] | None = None,
    resume: Diagram | None = None,
) -> Diagram:
    """Find and follow every branch of equilibria that can be reached over a parameter range.

    Equilibria are searched at several values of the parameter; each that lies on no branch yet is
    followed both ways, and every branch point is left along its other branch.  Of a map the fixed
    points and cycles are followed, and period doublings are left along the doubled cycle.

    Parameters
    ----------
    system
        A flow or map whose rule does not depend on time.
    vary
        The parameter to vary; on a network also one entry, ``"omega[3]"`` or ``"W[2, 1]"``.
    over
        Its range.
    within
        Ranges of states (also used to search for starts) or observables; branches end where one is
        left.
    method
        `PseudoArclength` (default) or `NaturalParameter`.
    periods
        For a map: the periods of the cycles to search for and follow.  If left out, fixed points and
        the cycles up to period 8 that arise from them by doubling.
    resume
        A diagram of the same call that was stopped: its finished branches are kept.

    Returns
    -------
    Diagram
        All branches, with every special point once.

    Raises
    ------
    NotConverged
        If no equilibrium was found anywhere in the range.
    SettingError, UnknownNameError, UnsupportedSystemError
        As for `continue_equilibrium`.

    Examples
    --------
    >>> import dynlab as dl
    >>> diagram = dl.equilibrium_diagram(dl.zoo.lorenz, vary="rho", over=(0, 30))
    >>> [(p.label, round(p["rho"], 6)) for p in diagram.points()]
    [('BP', 1.0), ('HB', 24.736842), ('HB', 24.736842)]
    """
    began = time.perf_counter()
    require(system, Autonomous)
    sought, followed = _checked_periods(system, periods)
    vary = spelled(vary)
    system = exposed(system, vary)
    Layout.of(system).parameter(vary)
    low, high = checked_range(vary, over)
    method = method or PseudoArclength()
    walk: dict[str, Any] = {"over": (low, high), "within": within, "method": method}
    branches: list[Branch] = []
    pending: list[BranchPoint | PeriodDoubling] = []

    def add(branch: Branch) -> None:
        branches.append(branch)
        # At a degenerate crossing every state is an equilibrium: there is no branch to follow.
        pending.extend(p for p in branch.points(BranchPoint) if p.kind != "degenerate")
        doublings = (
            p for p in branch.points(PeriodDoubling)
            if p.period == branch.period and p.coefficient != 0
        )  # fmt: skip
        pending.extend(p for p in doublings if 2 * p.period in followed)

    def is_done() -> bool:
        stopped = bool(branches) and branches[-1].status is Status.STOPPED
        return stopped or len(branches) >= _MOST_BRANCHES

    for branch in _finished(resume, system, (vary, low, high)):
        if isinstance(branch, Branch):
            add(branch)
    for period in sought:
        for start in _starts(system, period, (vary, low, high), within):
            while pending and not is_done():
                point = pending.pop(0)
                if not _is_known(branches, point):
                    add(switch_branch(point, **walk))
            if is_done():
                break
            if not _on_any(branches, start, vary):
                add(continue_equilibrium(start, vary=vary, **walk))
        while pending and not is_done():
            point = pending.pop(0)
            if not _is_known(branches, point):
                add(switch_branch(point, **walk))
    if not branches and sought != (1,):
        raise NotConverged(
            f"no cycle of {system.name!r} of period {' or '.join(map(str, sought))} was found for "
            f"{vary} in ({low:g}, {high:g}). Give ranges of the states in within=, or other periods=.",
            status=Status.NOT_CONVERGED,
        )
    if not branches:
        if any(p.continuum for p in search_equilibria(system(**{vary: high}), within={})):
            raise SingularProblem(
                f"the equilibria of {system.name!r} are not isolated: they form lines or surfaces, "
                "as with a conserved quantity. Eliminate a state by it and try again.",
                status=Status.SINGULAR,
            )
        raise NotConverged(
            f"no equilibrium of {system.name!r} was found for {vary} in ({low:g}, {high:g}). "
            "Give ranges of the states in within=, or another default start.",
            status=Status.NOT_CONVERGED,
        )
    progress.tick(1, 1, f"{system.name}: {len(branches)} branches")
    settings = {"vary": vary, "over": (low, high), "method": method}
    provenance = Provenance(
        "equilibrium_diagram", system, settings, seconds=time.perf_counter() - began
    )
    return Diagram(*branches, provenance=provenance)


def bifurcation_diagram(  # noqa: PLR0913  (what, over what, how, and from where to go on)
    system: System,
    *,
    vary: str,
    over: tuple[float, float],
    within: Mapping[str, tuple[float, float]] | None = None,
    method: ContinuationMethod | None = None,
    periods: Sequence[int] | None = None,
    resume: Diagram | None = None,
) -> Diagram:
    """Find and follow every branch of equilibria and of limit cycles that can be reached.

    The equilibria are those of `equilibrium_diagram`.  The limit cycles that are born at their Hopf
    points are followed to wherever they end, and from the period doublings where they lose stability the
    cycles of two, four and eight times the period.  Where nothing that was found is stable, a run looks
    for an attracting cycle.  (Doublings of cycles that are unstable on both sides are located only, and
    in systems of more than 60 states cycles are not followed here; use
    `continue_cycles`.)

    Of a system with events the equilibria are those of the flow, also where a guard keeps the system away from
    them.  So at three places of the range a run looks for an attracting cycle unless one is known there, and
    that is followed as far as its events stay the same; cycles beyond such an end are found only if a run
    meets them, and those of a network whose nodes have events are not.

    Parameters
    ----------
    system, vary, over, within, method, periods, resume
        As for `equilibrium_diagram`; ``method`` is for the equilibria.

    Returns
    -------
    Diagram
        All branches, with every special point once.  ``provenance.settings["not followed"]`` says from
        which points no cycles could be followed, and why.

    Raises
    ------
    NotConverged, SettingError, UnknownNameError, UnsupportedSystemError
        As for `equilibrium_diagram`.

    Examples
    --------
    >>> import dynlab as dl
    >>> diagram = dl.bifurcation_diagram(dl.zoo.fitzhugh_nagumo, vary="I", over=(0, 2))
    >>> [(p.label, round(p["I"], 6)) for p in diagram.points()]
    [('LPC', 0.324179), ('HB', 0.331281), ('HB', 1.418719), ('LPC', 1.425821)]
    >>> cascade = dl.bifurcation_diagram(dl.zoo.logistic, vary="r", over=(2, 4))
    >>> [round(p["r"], 6) for p in cascade.points(dl.PeriodDoubling)]
    [3.0, 3.44949, 3.54409, 3.564407]
    """
    began = time.perf_counter()
    found = equilibrium_diagram(
        system, vary=vary, over=over, within=within, method=method, periods=periods, resume=resume
    )
    kept = () if resume is None else tuple(b for b in resume.cycles if _is_finished(b))
    cycles, failed = _reached_cycles(found, checked_range(vary, over), kept)
    given = found.provenance
    settings = given.settings | ({"not followed": failed} if failed else {})
    provenance = Provenance(
        "bifurcation_diagram", given.system, settings, seconds=time.perf_counter() - began
    )
    return Diagram(*found.branches, *cycles, provenance=provenance)


def _is_finished(branch: Branch | CycleBranch) -> bool:
    return all(end.status is not Status.STOPPED for end in branch.ends)


def _finished(
    diagram: Diagram | None, system: System, over: tuple[str, float, float]
) -> Iterator[Branch | CycleBranch]:
    """Yield the branches of a stopped diagram that need not be followed again."""
    if diagram is None:
        return
    vary, low, high = over
    held = {vary: low}
    if not isinstance(diagram, Diagram) or diagram.vary != vary or (
        diagram.system(**held) != system(**held)
        or tuple(diagram.provenance.settings.get("over", ())) != (low, high)
    ):  # fmt: skip
        raise SettingError(
            f"resume= is no diagram of {system.name!r} with these parameter values in {vary!r} over "
            f"({low:g}, {high:g}). Give the one that was stopped, or leave it out."
        )
    yield from (branch for branch in diagram if _is_finished(branch))


def _reached_cycles(
    diagram: Diagram, over: tuple[float, float], kept: tuple[CycleBranch, ...]
) -> tuple[list[CycleBranch], tuple[str, ...]]:
    """Follow the limit cycles from all Hopf points, and the doubled ones from these."""
    system = diagram.system
    hopfs = diagram.points(Hopf)
    if system.is_discrete:
        return [], ()
    if len(system.state_names) > _MOST_STATES:
        return [], (f"the cycles from {len(hopfs)} Hopf points: {len(system.state_names)} states",)
    branches: list[CycleBranch] = []
    failed: list[str] = []
    pending: list[tuple[SpecialPoint, int]] = [(h, 0) for h in hopfs if h.omega > 0]

    def add(branch: CycleBranch, doublings: int) -> None:
        branches.append(branch)
        if doublings < _DOUBLINGS:
            doubled = (p for p in branch.points(PeriodDoubling) if _loses_stability(p))
            pending.extend((p, doublings + 1) for p in doubled)
        crossed = (p for p in branch.points(BranchPoint) if p.kind in _CROSSINGS)
        pending.extend((p, doublings) for p in crossed)

    def follow(point: Point, doublings: int) -> bool:
        """Follow the cycles from a point; return whether to go on."""
        try:
            branch = continue_cycles(point, vary=diagram.vary, over=over)
        except ComputationError as error:
            failed.append(f"from {point!r}: {error}")
            return True
        add(branch, doublings)
        return branch.status is not Status.STOPPED and len(branches) < _MOST_BRANCHES

    for branch in kept:
        add(branch, _doublings_before(branch, kept))
    going_on = True
    for share in (None, *_SETTLED_AT):
        if share is not None and going_on:
            value = over[0] + share * (over[1] - over[0])
            if not _something_attracts(diagram, branches, value):
                # Loads all of integration, which few diagrams need.
                from dynlab.cycles.find import attracting_cycle

                cycle = attracting_cycle(system(**{diagram.vary: value}))
                going_on = cycle is None or follow(cycle, 0)
        while pending and going_on:
            point, doublings = pending.pop(0)
            known = _passed_twice if isinstance(point, BranchPoint) else _ends_a_cycle_branch
            if not known(branches, point):
                going_on = follow(point, doublings)
    return branches, tuple(failed)


def _doublings_before(branch: CycleBranch, others: Sequence[CycleBranch]) -> int:
    """Return how often the period had doubled where a branch begins."""
    if all(end.status is not Status.SHORTER_CYCLE for end in branch.ends):
        return 0
    shortest = min(float(np.min(other.periods)) for other in others)
    return max(1, round(float(np.log2(float(np.min(branch.periods)) / shortest))))


def _something_attracts(diagram: Diagram, cycles: list[CycleBranch], value: float) -> bool:
    """Whether a branch already followed is stable at a value of the parameter."""
    # With events an equilibrium may stand where the system never is.
    rests = () if diagram.system.events else diagram.equilibria
    every: tuple[Branch | CycleBranch, ...] = (*rests, *cycles)
    for branch in every:
        before, after = branch.values[:-1] - value, branch.values[1:] - value
        crossed = np.flatnonzero(before * after <= 0)
        if np.any(branch.unstable[crossed] == 0):
            return True
    return False


def _passed_twice(branches: list[CycleBranch], point: SpecialPoint) -> bool:
    """Whether two branches already followed pass through a branch point."""
    span = _span(branches)
    passing = [
        any(
            abs(p.value - point.value) <= _CROSSING * span and _alike(p.orbit, point.orbit)
            for p in branch.points(BranchPoint)
            if p.orbit is not None and point.orbit is not None
        )
        for branch in branches
    ]
    return sum(passing) > 1


def _loses_stability(point: PeriodDoubling) -> bool:
    """Whether the cycle is stable on one side of its period doubling."""
    return int(np.sum(np.abs(point.eigenvalues) > _NEARLY_ONE)) == 0


def _ends_a_cycle_branch(branches: list[CycleBranch], point: SpecialPoint) -> bool:
    """Whether a branch already followed ends (or began) at a Hopf point or a period doubling."""
    for branch in branches:
        span = float(np.ptp(branch.values)) or 1.0
        wanted = Status.AT_HOPF_POINT if point.orbit is None else Status.SHORTER_CYCLE
        for end, position in zip(branch.ends, (0, -1), strict=True):
            if end.status is not wanted or abs(end.value - point.value) > 1e-5 * span:
                continue
            orbit = branch.orbit(position)
            if point.orbit is not None:
                turns = orbit.period / point.orbit.period
                if abs(turns - 2.0) < 0.05:
                    return True
                continue
            middle = np.mean(orbit.profile[:-1], axis=0)
            # The last cycle before the Hopf point is small, so its middle is next to the equilibrium.
            reach = np.ptp(orbit.profile, axis=0) + 1e-3 * np.ptp(branch.profiles, axis=0)
            if np.all(np.abs(middle - point.state) <= reach + 1e-9):
                return True
    return False


def _checked_periods(
    system: System, periods: Sequence[int] | None
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the periods to search for and those to follow, in order; for a flow (1,)."""
    if not system.is_discrete:
        if periods is None:
            return (1,), (1,)
        raise SettingError(
            f"periods= is for maps; {system.name!r} is a flow, whose equilibria have none. Leave it out."
        )
    if periods is None:
        return (1,), _PERIODS
    if not np.iterable(periods) or not list(periods):
        raise SettingError(
            f"periods is {periods!r}; give the periods to follow, such as (1, 2, 4)."
        )
    given = tuple(sorted({checked_period(n) for n in periods}))
    return given, given


def _starts(
    system: System, period: int, over: tuple[str, float, float],
    within: Mapping[str, tuple[float, float]] | None,
) -> Iterator[Equilibrium | PeriodicOrbit]:  # fmt: skip
    """Yield isolated equilibria, from the default start and from searches over the range.

    Or cycles of a map of the period.
    """
    vary, low, high = over
    states = {k: v for k, v in by_name(within, "within").items() if system.place_of(k) is not None}
    own = system[vary]
    if low <= own <= high and period == 1:
        near = find_near(system)
        if near is not None and _inside(near, states) and _is_regular(near):
            yield near
    # Both ends, and between them slightly off the round values, where models like to be degenerate.
    shares = np.concatenate([[0.0, 1.0], (np.arange(_STARTS) + 0.5) / _STARTS + 0.013])
    for k, value in enumerate(np.minimum(low + (high - low) * shares, high)):
        progress.tick(k, len(shares), f"searching at {vary} = {value:.4g}")
        there = system(**{vary: float(value)})
        search = search_orbits if system.is_discrete else _search_equilibria
        for found in search(there, period, states):
            if _inside(found, states) and _is_regular(found):
                yield found


def _search_equilibria(
    system: System, _: int, within: Mapping[str, tuple[float, float]]
) -> list[Equilibrium]:
    return search_equilibria(system, within)


def _inside(point: Point, states: Mapping[str, tuple[float, float]]) -> bool:
    ranges = [(v, ends) for name, ends in states.items() for v in np.atleast_1d(point[name])]
    return all(is_inside(value, low, high) for value, (low, high) in ranges)


def _is_regular(point: Equilibrium | PeriodicOrbit) -> bool:
    """Whether the point can start a branch: isolated, and no eigenvalue zero (multiplier 1)."""
    isolated = not isinstance(point, Equilibrium) or point.continuum == 0
    if point.system.is_discrete:
        return isolated and bool(np.min(np.abs(point.eigenvalues - 1.0)) > 1e-8)
    size = np.abs(point.eigenvalues)
    return isolated and bool(np.min(size) > 1e-8 * np.max(size))


def _sizes(branches: Sequence[Branch | CycleBranch]) -> Vector:
    """Return the size that each state reaches on any branch; 1 for one that is always 0."""
    every = [b.states if isinstance(b, Branch) else b.profiles for b in branches]
    size = np.max([np.abs(states).max(axis=0) for states in every], axis=0)
    tiny = size <= 1e-9 * np.max(size, initial=0.0)
    return np.where(
        tiny, max(float(np.max(size, initial=0.0)), 1e-9) if np.any(size) else 1.0, size
    )


def _on_any(branches: list[Branch], point: Point, vary: str) -> bool:
    """Whether an equilibrium lies on one of the branches, or any point of a cycle does."""
    scale = np.maximum(_sizes(branches), np.abs(point.state)) if branches else point.state
    period = _period(point)
    for branch in branches:
        if branch.period != period:
            continue
        for other in branch.at(**{vary: point[vary]}):
            if same_orbit(point.system, other.state, point.state, period, scale) < 1e-5:
                return True
    return False


def _is_known(branches: list[Branch], point: BranchPoint | PeriodDoubling) -> bool:
    """Whether the branch that leaves from a point has been followed already."""
    if isinstance(point, BranchPoint):
        return _leaves_along_known(branches, point)
    size = np.append(_sizes(branches), _span(branches))
    return any(
        _same(point, end, size)
        for branch in branches if branch.period == 2 * point.period
        for end in branch.points(PeriodDoubling) if end.period == point.period
    )  # fmt: skip


def _leaves_along_known(branches: list[Branch], point: BranchPoint) -> bool:
    """Whether the second direction at a branch point is that of a branch already followed."""
    branches = [branch for branch in branches if branch.period == point.period]
    scale = np.append(_sizes(branches), _span(branches))
    for branch in branches:
        unknowns = np.column_stack([branch.states, branch.values])
        here = np.append(point.state, point.value) / scale
        near = np.linalg.norm(unknowns / scale - here, axis=1)
        closest = int(np.argmin(near))
        if near[closest] > 1e-5:
            continue
        tangents = point.tangents / scale
        tangents /= np.linalg.norm(tangents, axis=1)[:, None]
        for step in (-1, 1):
            k = closest + step
            if 0 <= k < len(unknowns):
                chord = unknowns[k] / scale - here
                old, new = np.abs(tangents @ chord) / np.linalg.norm(chord)
                if new > max(old, 0.9):
                    return True
    return False
