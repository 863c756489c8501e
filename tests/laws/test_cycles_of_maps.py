"""What holds for every map: derivatives along orbits, cycles from any of their points, Euler's map."""

from __future__ import annotations

import itertools

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import dynlab as dl
from dynlab import zoo
from dynlab.codegen.iterated import iterated_kernels_of
from dynlab.symbolic.derivatives import jacobian
from dynlab.symbolic.tree import symbol

SMOOTH = ("logistic", "henon", "ricker", "cubic", "delayed_logistic", "generalized_henon",
          "sine_circle", "standard_map", "arnold_cat")  # fmt: skip
DIGITS = 40


def function_of(system):
    """Return the rule for numbers of mpmath, of states then parameters."""
    names = system.state_names + system.parameter_names
    return sympy.lambdify([symbol(n) for n in names], list(system.rule), "mpmath")


def iterated(system, period):
    rule, size = function_of(system), len(system.state_names)

    def run(values):
        states, parameters = values[:size], values[size:]
        for _ in range(period):
            states = rule(*states, *parameters)
        return list(states)

    return run


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("period", [1, 2, 5])
def test_derivatives_of_iterated_maps_to_third_order(name, period):
    system = zoo.get(name)
    active = system.parameter_names[:1]
    kernels = iterated_kernels_of(system, period)
    random = np.random.default_rng(7)
    x = random.uniform(0.1, 0.6, len(system.state_names))
    p = np.array(system.parameter_values)
    directions = random.normal(size=(3, len(x) + len(active)))
    run = iterated(system, period)
    turns = np.array([domain.name == "CIRCLE" for domain in system.domains])

    with mpmath.workdps(DIGITS):
        start = [mpmath.mpf(v) for v in (*x, *p)]
        steps = [[mpmath.mpf(v) for v in d] + [0] * (len(start) - len(d)) for d in directions]

        def moved(count, component):
            def along(*amounts):
                point = list(start)
                for amount, step in zip(amounts, steps, strict=False):
                    point = [a + amount * b for a, b in zip(point, step, strict=True)]
                return run(point)[component]

            zero = (0,) * count
            return float(mpmath.diff(along, zero, (1,) * count) if count else along())

        expected = [[moved(k, i) for i in range(len(x))] for k in range(4)]

    def close(found, wanted):
        # Round-off grows with the derivatives on the way, which a bound by their size covers.
        assert found == pytest.approx(wanted, rel=1e-11, abs=1e-12 * (1 + np.max(np.abs(wanted))))

    landed = kernels.rhs(0.0, x, p)
    assert np.all(np.abs((landed - x)[turns]) <= np.pi + 1e-12)
    difference = landed - np.array(expected[0])
    close(difference - turns * 2 * np.pi * np.round(difference / (2 * np.pi)), 0 * difference)
    matrix = kernels.jacobian(active)(0.0, x, p).reshape(len(x), -1)
    close(matrix @ directions[0], np.array(expected[1]))
    close(kernels.derivative(2, active)(0.0, x, p, *directions[:2]), np.array(expected[2]))
    close(kernels.derivative(3, active)(0.0, x, p, *directions), np.array(expected[3]))


@pytest.mark.parametrize(
    ("system", "period", "within"),
    [
        (zoo.logistic(r=3.9), 5, {"x": (0, 1)}),
        (zoo.henon, 6, {"x": (-2, 2), "y": (-1, 1)}),
        (zoo.standard_map(K=1.3), 3, {}),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_multipliers_are_those_of_the_product_of_jacobians(system, period, within):
    names = system.state_names + system.parameter_names
    entries = sympy.lambdify(
        [symbol(n) for n in names], list(jacobian(system.rule, system.state_names)), "mpmath"
    )
    orbits = dl.find_periodic_orbits(system, period=period, within=within)
    assert len(orbits) >= 2
    for orbit in orbits:
        with mpmath.workdps(DIGITS):
            product = mpmath.eye(len(system.state_names))
            for row in zip(*orbit.states.values(), strict=True):
                values = entries(*map(mpmath.mpf, row), *map(mpmath.mpf, system.parameter_values))
                n = len(row)
                product = mpmath.matrix([values[k * n : k * n + n] for k in range(n)]) * product
            known = np.array([complex(v) for v in mpmath.eig(product)[0]])
        # Compared by their coefficients, which stay smooth where two multipliers meet.
        size = np.max(np.abs(known))
        assert np.poly(orbit.multipliers) == pytest.approx(np.poly(known), abs=1e-9 * (1 + size**2))


def test_every_point_of_a_cycle_gives_the_same_cycle():
    orbit = dl.find_periodic_orbits(zoo.logistic(r=3.5), period=4, within={"x": (0, 1)}).single()
    values = []
    for x in orbit.states["x"]:
        shifted = type(orbit).at(orbit.system, np.array([x]), 4, orbit.accuracy)
        assert shifted.multipliers == pytest.approx(orbit.multipliers, abs=1e-12)
        branch = dl.continue_equilibrium(shifted, vary="r", over=(3.4, 3.6))
        values.append([(p.label, p["r"]) for p in branch.points()])
    for points in values:
        assert [label for label, _ in points] == ["PD", "PD"]
        assert [r for _, r in points] == pytest.approx([r for _, r in values[0]], rel=1e-13)


def test_the_number_of_cycles_of_the_logistic_map_at_four():
    """f^n has 2^n fixed points, all in (0, 1): necklaces count the cycles (Moebius inversion)."""
    for period, count in {1: 2, 2: 1, 3: 2, 4: 3, 5: 6, 6: 9, 7: 18, 8: 30}.items():
        assert sum(d * c for d, c in {1: 2, 2: 1, 3: 2, 4: 3, 5: 6, 6: 9, 7: 18, 8: 30}.items()
                   if period % d == 0) == 2**period  # fmt: skip
        found = dl.find_periodic_orbits(
            zoo.logistic(r=4.0), period=period, within={"x": (-0.5, 1.5)}
        )
        assert len(found) == count
        if period > 1:
            # |multiplier| = 2^n on every cycle that does not contain 0.
            assert np.abs([o.multipliers[0] for o in found]) == pytest.approx(2.0**period, rel=1e-6)
        assert found.complete == (period <= 6)


def test_the_number_of_cycles_of_the_cat_map():
    """The map taken n times has |trace(A^n) - 2| fixed points on the torus (Arnold and Avez)."""
    matrix, points = np.array([[2, 1], [1, 1]]), {}
    for period in range(1, 6):
        points[period] = len(dl.find_periodic_orbits(zoo.arnold_cat, period=period)) * period
        whole = sum(count for shorter, count in points.items() if period % shorter == 0)
        assert whole == abs(np.trace(np.linalg.matrix_power(matrix, period)) - 2)


@settings(max_examples=10)
@given(st.floats(0.01, 100), st.floats(-3, 3), st.floats(0.01, 100))
def test_units_and_shifts_do_not_matter(scale, shift, unit):
    @dl.iterated_map
    def measured(x=0.3, *, r=3.0, s=1.0, c=0.0, k=1.0):
        y = (x - c) / s
        return {x: c + s * (r / k) * y * (1 - y)}

    system = measured(r=2.9 * unit, s=scale, c=shift, k=unit).with_start(x=shift + 0.6 * scale)
    within = {"x": (shift - scale, shift + 1.1 * scale)}
    found = dl.bifurcation_diagram(system, vary="r", over=(2 * unit, 4 * unit), within=within)
    doublings = found.points(dl.PeriodDoubling)
    assert [p["r"] / unit for p in doublings] == pytest.approx(
        [3.0, 1 + 6**0.5, 3.5440903595519228, 3.5644072660954326], rel=1e-12
    )
    # b has the unit 1 / x^2.
    assert doublings[0].coefficient * scale**2 == pytest.approx(9.0, rel=1e-9)


def test_names_and_order_of_states():
    @dl.iterated_map
    def renamed(past=0.0, now=0.0, *, shrink=0.3, fold=1.4):
        return {past: shrink * now, now: 1 - fold * now**2 + past}

    plain = dl.bifurcation_diagram(zoo.henon, vary="a", over=(-0.5, 1.4)).points()
    other = dl.bifurcation_diagram(renamed, vary="fold", over=(-0.5, 1.4)).points()
    assert [p.label for p in plain] == [p.label for p in other]
    for p, q in zip(plain, other, strict=True):
        assert q["fold"] == pytest.approx(p["a"], rel=1e-13)
        orbit = dl.iterate(p.system, start=p.start, duration=p.period)
        assert np.min(np.abs(orbit["x"] - q["now"])) < 1e-8
        assert np.poly(q.eigenvalues) == pytest.approx(np.poly(p.eigenvalues), abs=1e-7)


@pytest.mark.parametrize("bend", [-0.4, 0.0, 0.7])
@pytest.mark.parametrize("b", [-1.5, 0.8])
def test_the_coefficient_of_a_period_doubling_survives_a_change_of_variable(b, bend):
    """u -> -(1 + mu) u + b u^3 seen through x = u + bend u^2."""

    @dl.iterated_map
    def hidden(x=0.0, *, mu=-0.1, b=1.0, k=0.0):
        u = 2 * x / (1 + dl.sqrt(1 + 4 * k * x))
        v = -(1 + mu) * u + b * u**3
        return {x: v + k * v**2}

    rest = dl.find_equilibria(hidden(b=b, k=bend), within={"x": (-0.1, 0.1)}).single()
    branch = dl.continue_equilibrium(rest, vary="mu", over=(-0.2, 0.2), within={"x": (-0.2, 0.2)})
    point = branch.points(dl.PeriodDoubling).single()
    assert point.coefficient == pytest.approx(b, rel=1e-9)
    assert point.crossing_speed == pytest.approx(-1.0, rel=1e-9)
    assert point.criticality == ("supercritical" if b > 0 else "subcritical")
    # The cycle: b u^2 = mu, exactly.
    doubled = dl.switch_branch(point, over=(-0.2, 0.2), within={"x": (-0.3, 0.3)})
    u = 2 * doubled["x"] / (1 + np.sqrt(1 + 4 * bend * doubled["x"]))
    assert np.max(np.abs(b * u**2 - doubled["mu"])) < 1e-9


@pytest.mark.parametrize("bend", [0.0, 0.6])
@pytest.mark.parametrize("gain", [-0.7, 0.3])
@pytest.mark.parametrize("angle", [0.9, 2.2])
def test_the_coefficient_of_a_torus_point_survives_a_change_of_variable(angle, gain, bend):
    """w -> exp(i angle) w (1 + mu + gain |w|^2) seen through y = v + bend u^2."""

    @dl.iterated_map
    def hidden(x=0.0, y=0.0, *, mu=-0.1, c=0.0, s=1.0, g=-1.0, k=0.0):
        u, v = x, y - k * x**2
        size = 1 + mu + g * (u**2 + v**2)
        after = size * (c * u - s * v)
        return {x: after, y: size * (s * u + c * v) + k * after**2}

    system = hidden(c=np.cos(angle), s=np.sin(angle), g=gain, k=bend)
    rest = dl.find_equilibria(system, within={"x": (-0.1, 0.1), "y": (-0.1, 0.1)}).single()
    point = dl.continue_equilibrium(rest, vary="mu", over=(-0.2, 0.2)).points(dl.Torus).single()
    assert point["mu"] == pytest.approx(0, abs=1e-12)
    assert point.angle == pytest.approx(angle, rel=1e-12)
    # With the unit eigenvector |w|^2 = 2 |z|^2.
    assert point.coefficient == pytest.approx(2 * gain, rel=1e-9)
    assert point.crossing_speed == pytest.approx(np.exp(1j * angle), rel=1e-9)


def test_doubled_cycles_grow_as_their_normal_form_says():
    """(x - x*)^2 = -(mu + 1) / b, to leading order, for every doubling of Henon's map."""
    diagram = dl.bifurcation_diagram(zoo.henon, vary="a", over=(0.0, 1.4))
    for point in diagram.points(dl.PeriodDoubling)[:3]:
        branch = dl.switch_branch(point, over=(0.0, 1.4))
        ratios = []
        for excess in (4e-6, 1e-6):
            cycle = branch.at(a=point["a"] + excess).single()
            rows = np.column_stack(list(cycle.states.values()))
            near = np.argmin(np.linalg.norm(rows - point.state, axis=1))
            gap = rows[near] - rows[(near + point.period) % (2 * point.period)]
            amplitude = np.sqrt(-point.crossing_speed * excess / point.coefficient)
            ratios.append(np.linalg.norm(gap) / 2 / amplitude - 1)
        # What is left out is of the order of the excess: a quarter of it leaves a quarter.
        assert abs(ratios[1]) < 1e-3
        assert ratios[0] / ratios[1] == pytest.approx(4, rel=0.1)


@pytest.mark.parametrize("name", ["lorenz", "van_der_pol", "brusselator", "fitzhugh_nagumo"])
def test_the_euler_map_has_the_equilibria_of_the_flow(name):
    flow, step = zoo.get(name), 0.07
    layers = dl.euler_map(flow, step=step)
    for point in dl.find_equilibria(flow):
        residual = dl.iterate(layers, start=point.start, duration=1).values
        assert residual[1] == pytest.approx(residual[0], abs=1e-13 * (1 + np.abs(residual).max()))
        fixed = type(point).at(layers, point.state, 0.0)
        known = 1 + step * point.eigenvalues
        assert np.poly(fixed.eigenvalues) == pytest.approx(np.poly(known), rel=1e-11)


def test_the_euler_map_loses_stability_where_the_circle_is_left():
    """|1 + h lambda| = 1 at h = -2 Re lambda / |lambda|^2."""
    flow = zoo.lorenz(rho=10.0)
    points = dl.find_equilibria(flow)
    pair = next(p for p in points if p.kind == "stable focus")
    found = dl.bifurcation_diagram(
        dl.euler_map(flow, step=0.01), vary="step_size", over=(0.001, 0.2), periods=(1,)
    )
    limits = sorted(
        {round(float(-2 * e.real / abs(e) ** 2), 12)
         for p in points for e in p.eigenvalues if e.real < 0}
    )  # fmt: skip
    steps = sorted({round(p["step_size"], 12) for p in found.points(dl.Torus)})
    assert steps == [
        round(float(-2 * pair.eigenvalues[0].real / abs(pair.eigenvalues[0]) ** 2), 12)
    ]
    doublings = {round(p["step_size"], 12) for p in found.points(dl.PeriodDoubling)}
    assert doublings <= set(limits)
    assert len(doublings) == 2


@dl.flow
def driven(x=1.0, v=0.0, *, damping=0.3, force=0.5):
    return {x: v, v: -damping * v - dl.sin(x) + force * dl.cos(2 * dl.t)}


@pytest.mark.parametrize("flow", [driven, zoo.van_der_pol, zoo.lorenz], ids=lambda s: s.name)
def test_the_limit_of_the_euler_map_is_the_flow(flow):
    """Order 1: halving the step halves the distance from the flow."""
    duration = 1.0
    exact = dl.integrate(flow, duration=duration, method=dl.Explicit8(rtol=1e-12)).values[-1]
    errors = []
    for count in (2_000, 4_000, 8_000):
        layers = dl.euler_map(flow, step=duration / count)
        end = dl.iterate(layers, duration=count, at=[count]).values[-1]
        errors.append(np.linalg.norm(end - exact))
    for coarse, fine in itertools.pairwise(errors):
        assert np.log2(coarse / fine) == pytest.approx(1.0, abs=0.05)
