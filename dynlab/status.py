"""How a computation ended, what that means, and what to try."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["Status"]


class Status(IntEnum):
    """How a computation ended.

    Compiled kernels return these numbers (`dynlab.kernels.convention` repeats the few that
    they use; a test holds the two lists together).

    Examples
    --------
    >>> from dynlab import Status
    >>> Status.DIVERGED.ok
    False
    >>> Status.DIVERGED.advice
    'look at the last values; shorten the duration or change the start'
    """

    OK = 0
    RUNNING = 1
    STOPPED = 2
    EVENT = 3
    DIVERGED = 10
    LEFT_DOMAIN = 11
    STEP_TOO_SMALL = 12
    NOT_CONVERGED = 13
    SINGULAR = 14
    TOO_MANY_STEPS = 15
    ACCUMULATION = 16
    SLIDING = 17
    NO_RETURN = 18
    PARAMETER_BOUND = 20
    STATE_BOUND = 21
    CLOSED_LOOP = 22
    FOLD_IN_PARAMETER = 23
    SHORTER_CYCLE = 24
    AT_HOPF_POINT = 25
    PERIOD_BOUND = 26
    HOMOCLINIC = 27
    HETEROCLINIC = 28
    SADDLE_NODE_CIRCLE = 29
    NOT_HYPERBOLIC = 30
    AT_BOGDANOV_TAKENS = 31
    ABSORBED = 32
    GRAZING = 33
    EVENTS_CHANGE = 34
    NO_SCALING_RANGE = 40
    UNDECIDED = 41
    CYCLE_OF_TWO = 42
    SWEEP_LIMIT = 43
    CENSORED = 44
    UNRESOLVED = 45

    @property
    def meaning(self) -> str:
        """One sentence: what happened."""
        return _TEXT[self][0]

    @property
    def advice(self) -> str:
        """What to try; empty when nothing is wrong."""
        return _TEXT[self][1]

    @property
    def ok(self) -> bool:
        """Whether the computation did all that was asked."""
        return self in _COMPLETE

    def __str__(self) -> str:
        return self.name.lower().replace("_", " ")


_TEXT: dict[Status, tuple[str, str]] = {
    Status.OK: ("everything asked for was computed", ""),
    Status.RUNNING: ("the computation has not ended", ""),
    Status.STOPPED: (
        "stopped on request; the result holds everything computed until then",
        "continue from the last point",
    ),
    Status.EVENT: ("a terminal event was reached", ""),
    Status.DIVERGED: (
        "the state grew beyond all bounds",
        "look at the last values; shorten the duration or change the start",
    ),
    Status.LEFT_DOMAIN: (
        "the right-hand side is not defined at the next point (a root, logarithm or "
        "denominator left its domain)",
        "start elsewhere, stop at an event before that point, or rewrite the equation",
    ),
    Status.STEP_TOO_SMALL: (
        "the step size fell below what floating point resolves",
        "loosen the tolerances, or look for a discontinuity in the right-hand side",
    ),
    Status.NOT_CONVERGED: (
        "Newton's iteration did not reach its tolerance, even with the smallest step",
        "start closer, or look whether the right-hand side is smooth there",
    ),
    Status.SINGULAR: (
        "a linear system was singular",
        "the problem is degenerate there; vary a second parameter or perturb the system",
    ),
    Status.TOO_MANY_STEPS: (
        "the largest number of steps was reached",
        "raise max_steps or max_points in the method, or loosen its tolerances",
    ),
    Status.ACCUMULATION: (
        "the events follow each other ever faster and accumulate in a finite time (Zeno)",
        "read the time with run.events[name].accumulation and start there with the state at rest",
    ),
    Status.SLIDING: (
        "the flow pushes onto a switching surface from both sides, so it would slide along it",
        "write the motion on the surface as a rule of its own, or smooth the jump (dl.tanh)",
    ),
    Status.NO_RETURN: (
        "the flow did not come back to the section within the longest time given",
        "raise longest=, start elsewhere, or place the section where the motion passes",
    ),
    Status.PARAMETER_BOUND: ("the end of the parameter range was reached", ""),
    Status.STATE_BOUND: ("a state or observable left the range given in within", ""),
    Status.CLOSED_LOOP: ("the branch closed on itself", ""),
    Status.FOLD_IN_PARAMETER: (
        "the branch turns back in the parameter, which natural continuation cannot follow",
        "use dl.PseudoArclength(), the default method",
    ),
    Status.SHORTER_CYCLE: ("the cycle shrinks onto one of shorter period", ""),
    Status.AT_HOPF_POINT: ("the cycle shrinks onto an equilibrium at a Hopf point", ""),
    Status.PERIOD_BOUND: ("the period reached the bound given by longest=", ""),
    Status.HOMOCLINIC: ("the period grows without bound towards a homoclinic orbit", ""),
    Status.HETEROCLINIC: ("the period grows without bound towards a heteroclinic cycle", ""),
    Status.SADDLE_NODE_CIRCLE: (
        "the period grows without bound towards a saddle-node on an invariant circle (SNIC)",
        "",
    ),
    Status.NOT_HYPERBOLIC: (
        "an eigenvalue of the equilibrium that the orbit connects reached the imaginary axis",
        "",
    ),
    Status.ABSORBED: (
        "rounding put the orbit exactly onto an unstable cycle, where it stays",
        "use what was computed before; average over several starts",
    ),
    Status.AT_BOGDANOV_TAKENS: ("the orbit shrinks onto a Bogdanov-Takens point", ""),
    Status.GRAZING: (
        "the cycle only touches the guard of an event, and beyond that its events are others",
        "",
    ),
    Status.EVENTS_CHANGE: ("the events along the cycle, or their order, change", ""),
    Status.NO_SCALING_RANGE: (
        "the curve is straight over no range that is long enough, so it has no slope to report",
        "look at the curve with plot(); take a longer series, one with less noise, or fewer coordinates",
    ),
    Status.UNDECIDED: (
        "the data do not tell",
        "take a longer series, or sample it more coarsely",
    ),
    Status.CYCLE_OF_TWO: ("the state alternates between two patterns of spins", ""),
    Status.SWEEP_LIMIT: (
        "spins were still turning after the largest number of sweeps",
        "raise sweeps=; with weights that are not symmetric there may be no rest",
    ),
    Status.CENSORED: (
        "some paths had not passed when their time ended",
        "give a longer duration, or take restricted_mean, rate or survival, which count those paths as well",
    ),
    Status.UNRESOLVED: (
        "fewer functions give another answer, so the expansion is too short for what it describes",
        "give more functions, or cells: grid=dl.Grid(...)",
    ),
}

_COMPLETE = frozenset(
    {
        Status.OK,
        Status.EVENT,
        Status.PARAMETER_BOUND,
        Status.STATE_BOUND,
        Status.CLOSED_LOOP,
        Status.SHORTER_CYCLE,
        Status.AT_HOPF_POINT,
        Status.PERIOD_BOUND,
        Status.HOMOCLINIC,
        Status.HETEROCLINIC,
        Status.SADDLE_NODE_CIRCLE,
        Status.NOT_HYPERBOLIC,
        Status.AT_BOGDANOV_TAKENS,
        Status.GRAZING,
        Status.EVENTS_CHANGE,
        Status.CYCLE_OF_TWO,
    }
)
