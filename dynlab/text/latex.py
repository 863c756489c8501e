r"""A System as LaTeX, for a paper."""

from __future__ import annotations

from dynlab.symbolic import display
from dynlab.symbolic.indexed import LETTERS
from dynlab.symbolic.system import System

__all__ = ["to_latex"]


def to_latex(system: System) -> str:
    r"""Return the equations, observables and events of a system as a LaTeX ``aligned`` block.

    Parameters
    ----------
    system
        The system.

    Returns
    -------
    str
        What stands inside ``\[ ... \]``; it needs the package ``amsmath``.

    Examples
    --------
    >>> import dynlab as dl
    >>> print(dl.to_latex(dl.zoo.lorenz))
    \begin{aligned}
    \dot{x} &= \sigma \left(- x + y\right) \\
    \dot{y} &= x \left(\rho - z\right) - y \\
    \dot{z} &= - \beta z + x y
    \end{aligned}
    """
    made = display.next_row if system.is_discrete else display.rate_row
    rows = (
        display.stochastic_rows(system)
        if system.noise
        else [
            made(s.name, e, *LETTERS[: len(s.shape)])
            for s, e in zip(system.states, system.rule, strict=True)
        ]
    )
    rows += [
        display.row(m.name, m.expression, *LETTERS[: len(m.shape)]) for m in system.intermediates
    ]
    rows += [display.row(o.name, o.expression) for o in system.observables]
    return display.aligned([*rows, *map(display.event_row, system.events)])
