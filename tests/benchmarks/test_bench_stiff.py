"""Stiff problems against scipy's Radau with a Python right-hand side, at equal achieved error.

Run by name: ``pytest tests/benchmarks -m benchmark``.  Both are run over tolerances; the time of each at
the error asked for is read from the line through its runs, both axes logarithmic.  Neither is given
more than the other: scipy's has its own differences for a Jacobian or, in the second figure, the
exact one as a Python function.  The first call, which compiles, is left out.
"""

import sys
import time
from pathlib import Path

import numpy as np
import pytest
import scipy.integrate

import dynlab as dl

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "references"))
from stiff_problems import STIFF

pytestmark = pytest.mark.benchmark(group="stiff problems")

ASKED = 1e-6
ROWS = [
    "robertson-40",
    "robertson-1e+11",
    "VDPOL-1000",
    "oregonator-360",
    "hires-321.812",
    "E2",
    "D6",
]


def by_hand(system):
    """The right-hand side and the Jacobian as Python functions of a list of floats."""
    import sympy

    from dynlab.symbolic.derivatives import jacobian
    from dynlab.symbolic.tree import symbol

    states = [symbol(name) for name in system.state_names]
    values = dict(zip(system.parameter_names, system.parameter_values, strict=True))
    known = {symbol(name): value for name, value in values.items()}
    rule = [sympy.sympify(e).xreplace(known) for e in system.rule]
    entries = [sympy.sympify(e).xreplace(known) for e in jacobian(system.rule, system.state_names)]
    size = len(states)
    f = sympy.lambdify([states], rule, modules="math", cse=True)
    J = sympy.lambdify([states], entries, modules="math", cse=True)
    return (lambda t, y: f(y.tolist())), (lambda t, y: np.reshape(J(y.tolist()), (size, size)))


def seconds_at(asked, runs):
    """Time at an error, from the two runs next to it."""
    runs = sorted(runs)
    errors, seconds = np.log([r[0] for r in runs]), np.log([r[1] for r in runs])
    return float(np.exp(np.interp(np.log(asked), errors, seconds)))


def timed(call, rounds):
    best = np.inf
    for _ in range(rounds):
        began = time.perf_counter()
        end = call()
        best = min(best, time.perf_counter() - began)
    return best, end


def ours(system, duration, reference, method):
    def at(rtol):
        choice = method(rtol=rtol, atol=1e-14 * rtol)
        call = lambda: dl.integrate(system, duration=duration, at=[duration], method=choice).end[1:]  # noqa: E731
        call()
        seconds, end = timed(call, 5)
        return np.max(np.abs(end / reference - 1)), seconds

    return [at(rtol) for rtol in np.logspace(-3, -9, 13)]


def theirs(system, duration, reference, **jac):
    f, J = by_hand(system)

    def at(rtol):
        call = lambda: scipy.integrate.solve_ivp(  # noqa: E731
            f, (0, duration), system.start_values, method="Radau", rtol=rtol, atol=1e-14 * rtol,
            t_eval=[duration], jac=J if jac.get("exact") else None,
        ).y[:, -1]  # fmt: skip
        seconds, end = timed(call, 1)
        return np.max(np.abs(end / reference - 1)), seconds

    return [at(rtol) for rtol in (1e-3, 1e-4, 1e-5, 1e-6, 1e-7)]


@pytest.mark.parametrize("row", ROWS)
def test_stiff_at_equal_error(benchmark, row):
    system, duration, reference = STIFF[row]
    reference = np.array(reference)
    slow = seconds_at(ASKED, theirs(system, duration, reference))
    exact = seconds_at(ASKED, theirs(system, duration, reference, exact=True))
    for method in (dl.Automatic, dl.Radau5):
        fast = seconds_at(ASKED, ours(system, duration, reference, method))
        benchmark.extra_info[method.__name__] = f"{slow / fast:.0f} ({exact / fast:.0f})"
        print(f"{row} {method.__name__}: {fast * 1e3:.2f} ms, scipy {slow * 1e3:.0f} ms "
              f"(exact Jacobian {exact * 1e3:.0f} ms): {slow / fast:.0f} ({exact / fast:.0f}) times")  # fmt: skip
        assert slow / fast > 20
    choice = dl.Automatic(rtol=1e-7, atol=1e-21)
    benchmark(lambda: dl.integrate(system, duration=duration, at=[duration], method=choice))
