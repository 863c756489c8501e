"""Which events a cycle may meet."""

from __future__ import annotations

from dynlab.errors import UnsupportedSystemError
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import TIME

__all__ = ["check_events"]


def check_events(system: System) -> None:
    """Refuse systems whose cycles with events cannot be solved for.

    Raises
    ------
    UnsupportedSystemError
        Saying why.
    """
    if system.is_indexed and system.events:
        raise UnsupportedSystemError(
            f"{system.name!r} is a network whose nodes have events; their cycles cannot be found yet. Run it "
            "with dl.integrate until it repeats."
        )
    if any(expression.has(TIME) for e in system.events for expression, _ in e.expressions):
        raise UnsupportedSystemError(
            f"events of {system.name!r} depend on the time dl.t. Make the phase a state with .with_phase."
        )
