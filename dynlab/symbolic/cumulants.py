r"""moment_equations: the moments of a noisy system as a system without noise.

With deviations ``y = x - m`` from the means, Ito's formula gives for polynomial drift F and diffusion D

    m_i' = <F_i>,      <y^a>' = < sum_i d_i y^a (F_i - m_i') + sum_ij D_ij d_i d_j y^a >.

A nonlinear drift brings moments of higher order into each equation, without end.  The hierarchy is closed by setting all cumulants
above an order to zero: of second order that is a Gaussian (Socha, Linearization Methods for Stochastic Dynamic Systems, 2008,
section 4; van Kampen, Stochastic Processes in Physics and Chemistry, section V.8).  Up to the third order cumulants and central
moments are the same; a moment of higher order is then the sum over all ways to part its factors into groups of two and three
of the products of their cumulants.

If the drift is linear and the diffusion at most quadratic nothing is cut off, and the equations are exact.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations, combinations_with_replacement

import sympy

from dynlab.errors import SettingError, UnsupportedSystemError
from dynlab.symbolic.dynamics import Continuous, Stochastic, require
from dynlab.symbolic.noise import columns_of, ito_drift
from dynlab.symbolic.quantities import Domain, State
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import symbol

__all__ = ["moment_equations"]

Places = tuple[int, ...]


def moment_equations(system: System, *, order: int = 2) -> System:
    r"""Return the system that the means and cumulants of a noisy system obey, closed at an order.

    .. math:: m_i' = \langle F_i \rangle, \qquad \langle y^a \rangle' = \Big\langle \sum_i \partial_i y^a (F_i - m_i')
        + \sum_{ij} D_{ij}\, \partial_i \partial_j y^a \Big\rangle

    The means keep the names of the states; ``var_x`` and ``cov_x_y`` are the second cumulants, ``third_x_x_y`` the third.  The
    result is a system like any other: it can be integrated, its equilibria found and followed.

    Parameters
    ----------
    system
        A flow with noise, of few states; drift and diffusion polynomials of the states.
    order
        2, a Gaussian, or 3.  What lies between the two orders tells how far to trust them.  Whether nothing is cut off, so
        that the equations are exact, stands in ``.reference`` of the system that is returned.

    Returns
    -------
    System
        The equations of the moments; at the start all cumulants are zero.

    Raises
    ------
    SettingError
        If the order is neither 2 nor 3.
    UnsupportedSystemError
        If drift or diffusion is no polynomial, or the system is a network, has events or signals.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def growth(x=1.0, *, mu=0.1):
    ...     return {x: mu * x}
    >>> @growth.with_noise(dl.Ito)
    ... def price(x, *, s=0.2):
    ...     return {x: s * x}
    >>> moments = dl.moment_equations(price)
    >>> moments
    <flow price_moments: x' = mu*x; var_x' = 2*mu*var_x + s**2*var_x + s**2*x**2; mu = 0.1, s = 0.2>
    >>> moments.reference.startswith("Exact")
    True

    References
    ----------
    1. van Kampen, Stochastic Processes in Physics and Chemistry, 3rd ed. 2007, section V.8.
    2. Kuehn 2016, in: Control of Self-Organizing Nonlinear Systems (Springer), 253 (a survey of closures).
    """
    require(system, Continuous, Stochastic)
    if isinstance(order, bool) or order not in (2, 3):
        raise SettingError(f"order is {order!r}; give 2 for a Gaussian, or 3.")
    for part, present in (("is a network", system.is_indexed), ("has events", system.events),
                          ("has signals", system.signals)):  # fmt: skip
        if present:
            raise UnsupportedSystemError(
                f"{system.name!r} cannot be used here: it {part}. Average over many copies of it with dl.ensemble instead."
            )
    n = len(system.states)
    drift = ito_drift(system).rule
    columns = columns_of(system)
    diffusion = {
        (i, j): sympy.expand(sympy.Add(*(b[i] * b[j] / 2 for b in columns)))
        for i in range(n) for j in range(n)
    }  # fmt: skip
    about = _AboutMeans(system, order)
    F = [
        about.polynomial(e, f"the drift of {s.name!r}")
        for e, s in zip(drift, system.states, strict=True)
    ]
    D = {
        (i, j): about.polynomial(e, f"the diffusion of {system.states[i].name!r}")
        for (i, j), e in diffusion.items() if e != 0
    }  # fmt: skip
    means = [about.average(p) for p in F]
    rates = {a: _rate(a, F, D, means, about) for a in about.kept}
    is_exact = max(map(_degree, F)) <= 1 and max(map(_degree, D.values()), default=0) <= 2
    said = "Exact" if is_exact else f"Cumulants above order {order} set to zero"
    return System(
        name=f"{system.name}_moments",
        states=(
            *(State(s.name, s.start, s.unit, _kept_domain(s)) for s in system.states),
            *(State(about.names[a]) for a in about.kept),
        ),
        parameters=system.parameters,
        rule=tuple(map(sympy.expand, (*means, *rates.values()))),
        time=system.time,
        reference=f"{said}: means and cumulants of {system.name}.\n{system.reference}".strip(),
    )


Polynomial = dict[Places, sympy.Expr]


class _AboutMeans:
    """Polynomials in the deviations from the means, and their averages through the cumulants that are kept."""

    __slots__ = ("_parted", "_system", "kept", "names", "order")

    def __init__(self, system: System, order: int) -> None:
        self._system, self.order = system, order
        states = [s.name for s in system.states]
        self.kept: list[Places] = [
            a for k in range(2, order + 1)
            for a in combinations_with_replacement(range(len(states)), k)
        ]  # fmt: skip
        self.names = {a: _name([states[i] for i in a]) for a in self.kept}
        self._parted = cache(self._over_partitions)

    def polynomial(self, expression: sympy.Expr, what: str) -> Polynomial:
        """Return an expression in ``m + y`` as coefficients of products of y."""
        symbols = [symbol(s.name) for s in self._system.states]
        away = [sympy.Dummy(real=True) for _ in symbols]
        try:
            sympy.Poly(expression, *symbols)
            moved = {s: s + y for s, y in zip(symbols, away, strict=True)}
            found = sympy.Poly(sympy.expand(expression.xreplace(moved)), *away)
        except sympy.PolynomialError:
            raise UnsupportedSystemError(
                f"{what} of {self._system.name!r} is {expression!s:.60}, which is no polynomial of the states, so its mean is no "
                "function of moments. Expand it about where the system stays, or use dl.stationary_density."
            ) from None
        return {
            tuple(i for i, k in enumerate(powers) for _ in range(k)): factor
            for powers, factor in found.terms()
        }

    def average(self, polynomial: Polynomial) -> sympy.Expr:
        """Return the mean of a polynomial of deviations."""
        return sympy.Add(*(factor * self._parted(a) for a, factor in polynomial.items()))

    def _over_partitions(self, factors: Places) -> sympy.Expr:
        """Return the mean of a product: the sum over partitions into groups of two, and three if kept."""
        if not factors:
            return sympy.S.One
        first, rest = factors[0], factors[1:]
        total = sympy.S.Zero
        for size in range(2, self.order + 1):
            for group in combinations(range(len(rest)), size - 1):
                cumulant = self.names[tuple(sorted((first, *(rest[g] for g in group))))]
                left = tuple(f for k, f in enumerate(rest) if k not in group)
                total += symbol(cumulant) * self._parted(left)
        return total


def _rate(
    a: Places,
    F: list[Polynomial],
    D: dict[tuple[int, int], Polynomial],
    means: list[sympy.Expr],
    about: _AboutMeans,
) -> sympy.Expr:
    """Return how fast a central moment changes."""
    total = sympy.S.Zero
    for k, i in enumerate(a):
        others = a[:k] + a[k + 1 :]
        total += about.average(_times(F[i], others)) - means[i] * about.average(
            {others: sympy.S.One}
        )
        for m, j in enumerate(others):
            if (i, j) in D:
                total += about.average(_times(D[i, j], others[:m] + others[m + 1 :]))
    return total


def _times(polynomial: Polynomial, factors: Places) -> Polynomial:
    return {tuple(sorted((*p, *factors))): c for p, c in polynomial.items()}


def _degree(polynomial: Polynomial) -> int:
    return max((len(p) for p, c in polynomial.items() if c != 0), default=0)


def _name(states: list[str]) -> str:
    """Return what a cumulant is called."""
    if len(states) == 2 and states[0] == states[1]:
        return f"var_{states[0]}"
    return "_".join(["cov" if len(states) == 2 else "third", *states])


def _kept_domain(state: State) -> Domain:
    return Domain.LINE if state.domain is Domain.CIRCLE else state.domain
