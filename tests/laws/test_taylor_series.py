"""Taylor series: coefficients of every function, equality with another method, and what ends a run."""

import ctypes

import mpmath as mp
import numpy as np
import pytest
import sympy

import dynlab as dl
from dynlab import zoo
from dynlab.codegen.series import series_of
from dynlab.symbolic import language

EPS = 2.0**-52
ORDER = 20
FULL = dl.Taylor()

#: Every smooth function of the language, of a = 0.3 + x/3 + x^2/5 and x; the time is x.
FUNCTIONS = {
    "sin": (dl.sin, mp.sin), "cos": (dl.cos, mp.cos), "tan": (dl.tan, mp.tan),
    "asin": (dl.asin, mp.asin), "acos": (dl.acos, mp.acos), "atan": (dl.atan, mp.atan),
    "sinh": (dl.sinh, mp.sinh), "cosh": (dl.cosh, mp.cosh), "tanh": (dl.tanh, mp.tanh),
    "exp": (dl.exp, mp.exp), "log": (dl.log, mp.log), "sqrt": (dl.sqrt, mp.sqrt), "erf": (dl.erf, mp.erf),
    "log1p": (dl.log1p, mp.log1p), "expm1": (dl.expm1, mp.expm1),
    "sigmoid": (dl.sigmoid, lambda a: 1 / (1 + mp.exp(-a))),
    "exprel": (dl.exprel, lambda a: mp.expm1(a) / a),
    "sinc": (dl.sinc, lambda a: mp.sin(a) / a),
}  # fmt: skip
COMBINED = {
    "atan2": (lambda a, x: dl.atan2(a, 1 + x**2), lambda a, x: mp.atan2(a, 1 + x**2)),
    "bernoulli": (lambda a, x: a / (dl.exp(a) - 1), lambda a, x: a / mp.expm1(a)),
    "logrel": (lambda a, x: dl.log(1 + a) / a, lambda a, x: mp.log1p(a) / a),
    "tanhc": (lambda a, x: dl.tanh(a) / a, lambda a, x: mp.tanh(a) / a),
    "power": (lambda a, x: a**-2.5, lambda a, x: a**-2.5),
    "quotient": (lambda a, x: 3 * x**5 / (1 + a**3), lambda a, x: 3 * x**5 / (1 + a**3)),
    "of both": (lambda a, x: a**x, lambda a, x: a**x),
    "of time": (lambda a, x: dl.t * dl.cos(dl.t), lambda a, x: x * mp.cos(x)),
}
ROUGH = {"abs", "sign", "heaviside", "min", "max", "floor", "mod", "where", "step", "pulse", "ramp", "pulse_train"}  # fmt: skip
NOT_FUNCTIONS = {"Angle", "Mean", "Positive", "Sum", "delayed", "each", "nodes", "t"}


def coefficients(system, x, t, order=ORDER):
    """The Taylor coefficients of the states, order by order."""
    made = series_of(system, order)
    out = np.zeros((order + 1, len(x)))
    given = [np.array(x, float), np.zeros(1), np.array(system.parameter_values or (0.0,)), np.zeros(1),
             np.array([order]), np.zeros(max(1, made.workspace)), out]  # fmt: skip
    call = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_double, *[ctypes.c_void_p] * 7)
    call(made.kernel.address)(t, *(array.ctypes.data for array in given))
    return out


@pytest.fixture(scope="module")
def every():
    def rule(x, *states):
        a = 0.3 + x / 3 + x**2 / 5
        rates = [f(a) for f, _ in FUNCTIONS.values()] + [f(a, x) for f, _ in COMBINED.values()]
        return {x: 1} | dict(zip(states, rates, strict=True))

    names = [f"u{j}" for j in range(len(FUNCTIONS) + len(COMBINED))]
    text = f"lambda x=0.0, {', '.join(f'{n}=0.0' for n in names)}: rule(x, {', '.join(names)})"
    made = eval(text, {"rule": rule})
    made.__name__ = "every"
    return dl.flow(made)


def test_every_function_is_smooth_or_refused():
    known = set(FUNCTIONS) | {"atan2"} | ROUGH | NOT_FUNCTIONS
    assert set(language.__all__) == known


@pytest.mark.parametrize("x", [0.2, 2.5])
def test_coefficients_of_every_function(every, x):
    """What a coefficient contributes to a step is right to rounding.

    A step is e^-2 of the radius of convergence; there the terms must be those of mpmath to a few roundings of
    the largest of them.  The argument passes 0.18 (near the removable singularities) and 2.4.
    """
    wanted = [lambda s, f=f: f(0.3 + s / 3 + s**2 / 5) for _, f in FUNCTIONS.values()]
    wanted += [lambda s, f=f: f(0.3 + s / 3 + s**2 / 5, s) for _, f in COMBINED.values()]
    found = coefficients(every, [x, *[0.0] * len(wanted)], x)
    assert found[:3, 0] == pytest.approx([x, 1, 0])
    order = np.arange(1, ORDER + 1)
    names = [*FUNCTIONS, *COMBINED]
    with mp.workdps(50):
        for j, (name, f) in enumerate(zip(names, wanted, strict=True), 1):
            exact = mp.taylor(f, mp.mpf(x), ORDER - 1)
            if any(abs(mp.im(c)) > 0 for c in exact):
                assert np.isnan(found[1:, j]).any(), name
                continue
            exact = np.array([float(c) for c in exact])
            radius = 1 / max(abs(exact[n]) ** (1 / n) for n in range(10, ORDER) if exact[n])
            terms = np.abs(found[1:, j] * order - exact) * (np.exp(-2) * radius) ** (order - 1)
            assert terms.max() < 32 * EPS * np.abs(exact[:3]).max(), name


@pytest.mark.parametrize("rough", [abs, dl.sign, dl.heaviside, dl.floor, lambda x: dl.max(x, 0), lambda x: dl.mod(x, 2),
                                   lambda x: dl.where(x > 0, x, 0)])  # fmt: skip
def test_what_is_not_smooth_is_refused_by_name(rough):
    made = dl.flow(lambda x=1.0: {x: rough(x)})
    with pytest.raises(dl.UnsupportedSystemError, match=r"not smooth .* Use dl\.Explicit8"):
        dl.integrate(made, duration=1, method=FULL)


def test_what_is_not_smooth_may_be_of_parameters():
    made = dl.flow(lambda x=1.0, *, k=-2.0: {x: dl.where(k > 0, 1, 2) * abs(k) * x})
    run = dl.integrate(made, duration=1, method=FULL)
    assert run["x"][-1] == pytest.approx(np.exp(4), rel=1e-15)


def test_networks_are_refused():
    ring = zoo.kuramoto.on(dl.AllToAll(3)).draw(omega=dl.Gaussian(0, 1), seed=1)
    with pytest.raises(dl.UnsupportedSystemError, match="network"):
        dl.integrate(ring, duration=1, method=FULL)


KINKS = (sympy.Abs, sympy.floor, sympy.Piecewise, sympy.Max, sympy.Min, sympy.sign, sympy.Heaviside)
FLOWS = [
    s
    for s in (getattr(zoo, name) for name in sorted(set(dir(zoo))))
    if type(s) is dl.System and not (s.is_discrete or s.is_indexed or s.is_delayed)
]
SMOOTH = [s for s in FLOWS if not any(e.has(*KINKS) for e in s.rule)]


@pytest.mark.parametrize("system", [s for s in FLOWS if s not in SMOOTH], ids=lambda s: s.name)
def test_all_other_flows_are_refused(system):
    with pytest.raises(dl.UnsupportedSystemError, match="not smooth"):
        dl.integrate(system, duration=1, method=FULL)


@pytest.mark.parametrize("system", SMOOTH, ids=lambda s: s.name)
def test_all_smooth_flows_agree_with_the_explicit_method(system):
    """Also through events.  The explicit method at its tightest is good to some 1e-10 where chaos magnifies."""
    mine = dl.integrate(system, duration=2, method=FULL)
    other = dl.integrate(system, duration=2, method=dl.Explicit8(rtol=1e-13, atol=1e-18))
    assert mine.status == other.status
    assert mine.end == pytest.approx(other.end, rel=1e-10, abs=1e-11)


def test_a_run_back_returns():
    there = dl.integrate(zoo.kepler, duration=20, method=FULL)
    back = dl.integrate(zoo.kepler, start=there.final, duration=-20, method=FULL)
    assert back.t[0] > back.t[-1] == -20
    # Errors grow with the square of the time on a Kepler orbit: 20^2 roundings.
    assert np.abs(back.end[1:] - zoo.kepler.start_values).max() < 400 * EPS


def test_the_polynomials_are_the_solution():
    """Between the steps too, to rounding: y = exp(sin t) and the pendulum's energy."""
    made = dl.flow(lambda y=1.0: {y: y * dl.cos(dl.t)})
    run = dl.integrate(made, duration=20, method=FULL)
    t = np.linspace(0, 20, 1001)
    assert run.at(t)["y"] == pytest.approx(np.exp(np.sin(t)), rel=40 * EPS)
    assert dl.integrate(made, duration=20, at=t, method=FULL)["y"] == pytest.approx(
        run.at(t)["y"], rel=4 * EPS
    )


def test_crossings_are_located_to_rounding():
    made = dl.flow(lambda x=1.0, v=0.0: {x: v, v: -x})
    run = dl.integrate(made, duration=20, method=FULL, record=dl.Crossing("zero", lambda x: x))
    exact = np.pi * (np.arange(6) + 0.5)
    assert run.events["zero"].times == pytest.approx(exact, abs=32 * EPS)
    stopped = dl.integrate(
        made, duration=20, method=FULL, until=dl.Crossing("top", lambda v: v, -1)
    )
    assert stopped.status is dl.Status.EVENT
    assert stopped.end[0] == pytest.approx(2 * np.pi, abs=8 * EPS)


@pytest.mark.parametrize(("rate", "status", "ends"), [
    (lambda y: y**2, dl.Status.DIVERGED, 1.0),
    (lambda y: dl.exp(y - 1), dl.Status.DIVERGED, 1.0),
    (lambda y: -1 / y, dl.Status.LEFT_DOMAIN, 0.5),
    (lambda y: y, dl.Status.DIVERGED, 709.8),
])  # fmt: skip
def test_where_the_solution_ends(rate, status, ends):
    run = dl.integrate(dl.flow(lambda y=1.0: {y: rate(y)}), duration=1000, method=FULL)
    assert run.status is status
    assert run.end[0] == pytest.approx(ends, rel=2e-3 if ends > 1 else 1e-14)


@pytest.mark.parametrize("start", [0.5, 0.8, 1.0, 1.3])
def test_a_series_that_goes_on_where_the_equations_do_not(start):
    """The series of y' = -sqrt(y) is the polynomial (sqrt(y0) - t/2)^2, whose slope is wrong beyond its zero."""
    run = dl.integrate(
        dl.flow(lambda y=1.0: {y: -dl.sqrt(y)}),
        start={"y": start},
        duration=3,
        at=[1, 3],
        method=FULL,
    )
    assert run["y"][0] == pytest.approx((np.sqrt(start) - 0.5) ** 2, rel=32 * EPS)
    assert run.end[1] < 1e-10


def test_what_is_to_come_is_not_stepped_over():
    """At t = 0 all coefficients of the bump at t = 9 are below 1e-16; those of t^5 vanish but for every fifth.

    An angle of 3^5 is known to 243 roundings.
    """
    bump = dl.flow(lambda y=0.0: {y: dl.exp(-((dl.t - 9) ** 2))})
    assert dl.integrate(bump, duration=30, method=FULL).end[1] == pytest.approx(
        np.sqrt(np.pi), rel=1e-14
    )
    sparse = dl.flow(lambda y=0.0: {y: dl.cos(dl.t**5)})
    with mp.workdps(30):
        exact = float(mp.quad(lambda s: mp.cos(s**5), np.linspace(0, 3, 200)))
    assert dl.integrate(sparse, duration=3, method=FULL).end[1] == pytest.approx(
        exact, abs=243 * EPS
    )


def test_parameters_are_data():
    lorenz = zoo.lorenz
    made = series_of(lorenz, 20).kernel.address
    assert series_of(lorenz(rho=20), 20).kernel.address == made


def test_settings_are_checked():
    for wrong in (
        {"rtol": -1},
        {"rtol": 0, "atol": 0},
        {"order": 1},
        {"order": 32},
        {"max_steps": 0},
        {"first_step": 0},
    ):
        with pytest.raises(dl.SettingError):
            dl.Taylor(**wrong)
    for tolerances in ({"rtol": 1e-40}, {"rtol": 1e-20, "atol": 0}, {"rtol": 0, "atol": 1e-20}):
        with pytest.warns(dl.AccuracyWarning, match="below what rounding allows"):
            assert dl.Taylor(**tolerances).rtol == 2.0**-54
    assert [dl.Taylor(rtol=tol).order_used for tol in (1e-9, 1e-12, 1e-16)] == [12, 15, 20]
    assert (
        dl.integrate(zoo.lorenz, duration=9, method=dl.Taylor(max_steps=5)).status
        is dl.Status.TOO_MANY_STEPS
    )
