"""Connecting orbits against exact results, published numbers, and shooting with another integrator."""

import functools

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import dynlab as dl
from dynlab import zoo
from dynlab.continuation.connections.find import excursion_guesses, with_near_ends
from dynlab.equilibria.find import find_near
from dynlab.equilibria.stability import Equilibrium

#: Limits of long periods by AUTO-07p, kept to the digits on which its meshes agree.
MORRIS_LECAR, LORENZ, WILSON_COWAN, PP2 = 35.0067342, 13.926557408, 1.06818956, 0.708073
#: Folds of the Morris-Lecar cell (V3 = 12) and of pp2 on its axis, by Newton in 30 digits.
FOLD_OF_CELL = 39.963153092745
FOLD_OF_PP2, U1_THERE = 0.83292932223416, 0.411161560751
#: Longer steps than the usual ones, where only the ends matter.
WIDE = dl.PseudoArclength(first_step=1e-2, step_max=0.1, angle=0.12)


@dl.flow
def pp2(u1=1 / 3, u2=2.0, *, p1=0.0, p2=3.0, p3=5.0, p4=3.0):
    """Predator and prey with harvest: demo pp2 of AUTO."""
    return {
        u1: p2 * u1 * (1 - u1) - u1 * u2 - p1 * (1 - dl.exp(-p3 * u1)),
        u2: -u2 + p4 * u1 * u2,
    }


@dl.flow
def jerk(x=0.1, y=0.0, z=0.0, *, mu=0.5, beta=0.4):
    """Arneodo, Coullet and Tresser 1981, Commun. Math. Phys. 79, 573."""
    return {x: y, y: z, z: -beta * z - y + mu * x * (1 - x)}


@dl.flow
def pendulum(theta: dl.Angle = 0.0, v=2.0, *, torque=0.2, alpha=0.1):
    """Driven pendulum, or Josephson junction."""
    return {theta: v, v: torque - alpha * v - dl.sin(theta)}


@dl.flow
def bogdanov(x=0.1, y=0.0, *, b1=0.0, b2=0.0):
    """The normal form of Kuznetsov, section 8.4, with the minus sign."""
    return {x: y, y: b1 + b2 * x + x**2 - x * y}


def cell(phi):
    return zoo.morris_lecar(gCa=4, V3=12, V4=17.4, phi=phi)


@functools.cache
def cycles(name):
    """Return a branch of cycles that ends with a long period."""
    system, vary, over, start, longest = {
        "cell": (cell(0.23), "I", (20, 80), {"I": 80}, 170),
        "circle": (cell(1 / 15), "I", (20, 120), {"I": 120}, 1000),
        "lorenz": (zoo.lorenz, "rho", (10, 30), {"rho": 28}, 8),
        "populations": (zoo.wilson_cowan, "P", (0.5, 2.5), {"P": 2.5}, 60),
        "pp2": (pp2, "p1", (0, 0.9), {"p1": 0.3}, 60),
        "jerk": (jerk, "mu", (0.1, 3), {"mu": 0.2}, 120),
    }[name]
    ranges = {"pp2": {"u1": (0.2, 0.5), "u2": (0.1, 3)}, "jerk": {"x": (0.5, 2)}}.get(name)
    rest = dl.find_equilibria(system(**start), within=ranges)
    rests = [e for e in rest if name != "lorenz" or e["x"] > 1]
    branch = dl.continue_equilibrium(rests[0], vary=vary, over=over)
    return dl.continue_cycles(branch.points(dl.Hopf)[0], over=over, longest=longest)


def longest(name):
    branch = cycles(name)
    return branch.cycle(int(np.argmax(branch.periods)))


@functools.cache
def loop(name):
    vary = {"lorenz": "rho", "populations": "P", "jerk": "mu"}.get(name, "I")
    return dl.find_homoclinic(longest(name), vary=vary)


@pytest.mark.parametrize(
    ("name", "vary", "value", "tolerance"),
    [
        ("cell", "I", MORRIS_LECAR, 2e-6),
        ("lorenz", "rho", LORENZ, 2e-9),
        ("populations", "P", WILSON_COWAN, 1e-8),
    ],
)
def test_parameter_of_a_homoclinic_orbit(name, vary, value, tolerance):
    orbit = loop(name)
    assert orbit[vary] == pytest.approx(value, abs=tolerance)
    assert orbit.kind == "homoclinic orbit to a saddle"
    assert orbit.accuracy < 1e-8 * value
    assert orbit.is_homoclinic
    ends = np.abs(orbit.profile[[0, -1]] - orbit.source) / np.ptp(orbit.profile, axis=0)
    assert np.max(ends) < 1e-4


def test_cycles_of_long_period_tend_to_the_homoclinic_orbit():
    """I(T) - I* shrinks as exp(-lambda T) with the smaller leading rate: two periods give the limit."""
    first, last = (cycles("cell").at(period=T).single() for T in (140.0, 165.0))
    rate = float(np.min(np.abs(loop("cell").eigenvalues.real)))
    factor = np.exp(-rate * (last.period - first.period))
    limit = last["I"] + (last["I"] - first["I"]) * factor / (1 - factor)
    # What is neglected is of the order of the square, exp(-2 rate 140) = 5e-11 of the range.
    assert loop("cell")["I"] == pytest.approx(limit, abs=1e-8)


def test_cutting_off_nearer_makes_the_error_at_least_quadratically_smaller():
    problem, guess = next(excursion_guesses(longest("lorenz"), ("rho",)))
    found = problem.solve(guess, problem.units(guess.orbit)).connection
    errors = [
        abs(with_near_ends(problem, found, distance).values[0] - loop("lorenz")["rho"])
        for distance in (1e-2, 1e-3)
    ]
    assert np.log10(errors[0] / errors[1]) > 1.9


def miss(system, start, sign, duration):
    """Return on which side of the saddle an orbit departs that left along its unstable direction."""
    matrix = np.array(system_jacobian(system, start))
    values, vectors = np.linalg.eig(matrix)
    k = int(np.argmax(values.real))
    way, left = vectors[:, k].real, np.linalg.inv(vectors)[k].real
    p = np.array(system.parameter_values)
    run = solve_ivp(
        lambda t, x: right_hand_side(system)(0.0, x, p),
        (0.0, duration), start + 1e-7 * sign * way * np.sign(way[0]), method="DOP853",
        rtol=1e-13, atol=1e-15, dense_output=True,
    )  # fmt: skip
    return left @ (run.y[:, -1] - start) * np.sign(way[0]) * sign


def right_hand_side(system):
    from dynlab.codegen.kernels import kernels_of

    return kernels_of(system).rhs


def system_jacobian(system, state):
    from dynlab.codegen.kernels import kernels_of

    p = np.array(system.parameter_values)
    return kernels_of(system).jacobian()(0.0, state, p).reshape(len(state), -1)


def test_a_saddle_focus_is_told_apart_and_shooting_brackets_it():
    orbit = loop("jerk")
    assert orbit.kind == "homoclinic orbit to a saddle-focus"
    roots = np.roots([1.0, orbit["beta"], 1.0, -orbit["mu"]])
    assert np.sort_complex(orbit.eigenvalues) == pytest.approx(np.sort_complex(roots), abs=1e-12)
    pair = roots[np.abs(roots.imag) > 0][0].real
    assert orbit.saddle_quantity == pytest.approx(np.max(roots.real) + pair, abs=1e-12)
    # On the two sides of the parameter value the unstable manifold returns to two sides of the saddle:
    # by the time it departs a change of 1e-8 has grown to something of the size of the orbit.
    sides = [
        np.sign(miss(jerk(mu=orbit["mu"] + change), np.zeros(3), 1.0, 48.0))
        for change in (-1e-8, 1e-8)
    ]
    assert sides[0] * sides[1] == -1


def test_the_connection_of_two_saddles():
    orbit = dl.find_heteroclinic(longest("pp2"), vary="p1")
    assert orbit["p1"] == pytest.approx(PP2, abs=1e-5)
    assert orbit.kind == "heteroclinic orbit from a saddle to a saddle"
    # From the large prey population to the small one, both without predators.
    assert orbit.source[0] > 1 / 3 > orbit.target[0] > 0
    assert np.abs([orbit.source[1], orbit.target[1]]) == pytest.approx(0, abs=1e-9)
    curve = dl.continue_homoclinic(orbit, vary=("p1", "p4"), over={"p1": (0.6, 0.9), "p4": (2, 5)})
    # Both saddles lie on the axis and meet at its fold, with a second zero eigenvalue p4 u1 - 1.
    end = next(end for end in curve.ends if end.status is dl.Status.AT_BOGDANOV_TAKENS)
    assert end.value == pytest.approx(FOLD_OF_PP2, abs=1e-9)
    at = int(np.argmin(curve["p4"]))
    assert curve["p4"][at] == pytest.approx(1 / U1_THERE, abs=1e-5)


def test_fronts_of_nagumos_equation_have_their_exact_speed():
    """u'' + c u' + u (1 - u)(u - a) = 0 has the front 1 / (1 + exp(z / sqrt 2)) at c = (1 - 2 a) / sqrt 2."""

    @dl.flow
    def front(u=0.5, w=0.0, *, c=0.0, a=0.3):
        return {u: w, w: -c * w - u * (1 - u) * (u - a)}

    z = np.linspace(-18, 18, 40 * 4 + 1)
    u = 1 / (1 + np.exp(z / np.sqrt(2)))
    profile = np.stack([u, -u * (1 - u) / np.sqrt(2)], axis=1)
    system = front(c=0.4 / np.sqrt(2))
    ends = [np.array([1.0, 0.0]), np.zeros(2)]
    values = [np.linalg.eigvals(system_jacobian(system, x)).astype(complex) for x in ends]
    orbit = dl.ConnectingOrbit(
        system, 36.0, np.linspace(0, 1, 41), profile, ends[0], ends[1], values[0], values[1]
    )
    curve = dl.continue_homoclinic(orbit, vary=("c", "a"), over={"c": (-1, 1), "a": (0.05, 0.95)})
    assert curve["c"] == pytest.approx((1 - 2 * curve["a"]) / np.sqrt(2), abs=1e-7)
    assert np.ptp(curve["a"]) == pytest.approx(0.9)


def test_homoclinic_orbits_leave_a_bogdanov_takens_point_along_their_parabola():
    """b1 = -6/25 b2^2 + O(b2^3) (Kuznetsov, section 8.4)."""
    point = Equilibrium.at(bogdanov, np.zeros(2), 0.0)
    curve = dl.continue_homoclinic(
        point, vary=("b1", "b2"), over={"b1": (-1, 1), "b2": (-0.2, 0.2)},
        method=WIDE,
    )  # fmt: skip
    assert curve.ends[0].status is dl.Status.AT_BOGDANOV_TAKENS
    assert curve.ends[1].status is dl.Status.PARAMETER_BOUND
    b1, b2 = curve["b1"], curve["b2"]
    off = b1 / b2**2 + 6 / 25
    assert np.all(b2 < 0)
    assert abs(off[0]) < 2e-3
    slope = np.polyfit(np.log(-b2), np.log(np.abs(off)), 1)[0]
    assert slope == pytest.approx(1.0, abs=0.05)


def test_a_curve_joins_the_two_bogdanov_takens_points_of_lorenz_84():
    """Its mirror image under (U, T) -> -(U, T) is the curve itself, so it ends at the other point.

    The two points are known from Newton's method in 30 digits.
    """
    F, T = 1.4467167011154, 0.020940169683323
    system = zoo.lorenz84_extended(F=F, T=T)
    state = [1.225640505, -0.036320793, 0.197288323, -0.123390012]
    rest = find_near(system, np.array(state))
    curve = dl.continue_homoclinic(
        rest, vary=("F", "T"), over={"F": (1, 2.5), "T": (-0.05, 0.1)}, method=WIDE
    )
    assert [end.status for end in curve.ends] == [dl.Status.AT_BOGDANOV_TAKENS] * 2
    assert curve.ends[1].value == pytest.approx(F, abs=1e-9)
    assert curve["T"][-1] == pytest.approx(-T, abs=1e-3)
    # Where it crosses T = 0 the saddle lies in the plane of symmetry.
    crossing = np.interp(0.0, -curve["T"][curve["F"] > 1.8], curve["U"][curve["F"] > 1.8])
    assert crossing == pytest.approx(0.0, abs=1e-4)
    assert set(curve.kinds) == {"saddle"}


def test_a_curve_shrinks_onto_the_bogdanov_takens_point():
    point = Equilibrium.at(bogdanov, np.zeros(2), 0.0)
    over = {"b1": (-1, 1), "b2": (-0.2, 0.2)}
    away = dl.continue_homoclinic(point, vary=("b1", "b2"), over=over)
    back = dl.continue_homoclinic(away.orbit(-1), vary=("b1", "b2"), over=over)
    assert {end.status.name for end in back.ends} == {"PARAMETER_BOUND", "AT_BOGDANOV_TAKENS"}
    assert np.min(np.abs(back["b2"])) < 1e-3


def test_saddle_and_saddle_node_curves_meet_at_the_non_central_orbit():
    over = {"I": (20, 60), "phi": (0.05, 0.3)}
    saddle = dl.continue_homoclinic(loop("cell"), vary=("I", "phi"), over=over)
    circle = dl.continue_homoclinic(longest("circle"), vary=("I", "phi"), over=over)
    first = next(e for e in saddle.ends if e.status is dl.Status.NOT_HYPERBOLIC)
    # phi moves no equilibrium, so the saddle meets the node at the fold, wherever that is on the curve.
    assert first.value == pytest.approx(FOLD_OF_CELL, abs=1e-8)
    assert circle["I"] == pytest.approx(FOLD_OF_CELL, abs=1e-8)
    assert set(circle.kinds) == {"saddle-node"}
    # On the saddle-node curve the orbit is cut off where it still moves: the end is less exact.
    assert np.max(circle["phi"]) == pytest.approx(np.min(saddle["phi"]), abs=1e-7)
    assert "no longer central" in " ".join(e.reason for e in circle.ends)
    assert circle.orbit(len(circle) // 2).kind == "homoclinic orbit to a central saddle-node"
    for one in (saddle, circle):
        last = one.orbit(int(np.argmin(np.abs(one["phi"] - np.max(circle["phi"])))))
        assert last.kind == "homoclinic orbit to a non-central saddle-node"


def test_bogdanov_takens_point_and_invariant_circle_lead_to_the_same_non_central_orbit():
    """One curve begins at a double zero eigenvalue, the other at a cycle of period 1000: they share an end."""
    plane = {"I": (-300, 300), "V3": (-30, 60)}
    circle = dl.continue_homoclinic(longest("circle"), vary=("I", "V3"), over=plane, method=WIDE)
    rest = find_near(cell(1 / 15)(I=-100.0), np.array([-50.0, 0.0]))
    fold = dl.continue_equilibrium(rest, vary="I", over=(-100, 100)).points(dl.Fold)[0]
    folds = dl.continue_bifurcation(fold, vary=("I", "V3"), over=plane)
    takens = min(folds.points(dl.BogdanovTakens), key=lambda point: point["I"])
    loops = dl.continue_homoclinic(takens, vary=("I", "V3"), over=plane, method=WIDE)
    assert loops.ends[1].status is dl.Status.NOT_HYPERBOLIC
    assert (loops.values[0] - takens.values) @ (loops.values[-1] - takens.values) > 0
    upper = circle.values[np.argmax(circle["V3"])]
    # The orbit to the saddle-node is cut off where it still moves, after a time of 1000.
    assert loops.values[-1] == pytest.approx(upper, rel=1e-6)


def test_a_rotating_pendulum_ends_where_melnikov_says():
    """torque = 4 alpha / pi for small friction; at torque 1 the saddle meets the node, alpha = 1.193 (Levi,
    Hoppensteadt and Miranker 1978, Q. Appl. Math. 36, 167).
    """  # fmt: skip
    spin = dl.find_cycle(pendulum(torque=0.2))
    branch = dl.continue_cycles(spin, vary="torque", over=(0.0, 0.3), longest=60)
    slow = branch.cycle(int(np.argmax(branch.periods)))
    curve = dl.continue_homoclinic(
        slow, vary=("torque", "alpha"), over={"torque": (0.001, 1.2), "alpha": (0.001, 2)}
    )
    ratio = np.pi * curve["torque"] / (4 * curve["alpha"])
    small = curve["alpha"] < 0.1
    # The next term is of second order: the pendulum is symmetric under (theta, v, torque, alpha) -> -.
    assert np.all(np.abs(ratio[small] - 1) < 0.3 * curve["alpha"][small] ** 2)
    end = next(e for e in curve.ends if e.status is dl.Status.NOT_HYPERBOLIC)
    assert end.value == pytest.approx(1.0, abs=1e-9)
    assert np.max(curve["alpha"]) == pytest.approx(1.193, abs=5e-4)


def test_a_neutral_saddle_focus_is_located():
    curve = dl.continue_homoclinic(
        loop("jerk"), vary=("mu", "beta"), over={"mu": (1, 3), "beta": (0.3, 1.5)}
    )
    ((position, word),) = curve.special
    assert word == "neutral saddle"
    mu, beta = curve.values[position]
    roots = np.roots([1.0, beta, 1.0, -mu])
    assert np.max(roots.real) + np.min(roots.real) == pytest.approx(0, abs=1e-9)
    assert set(curve.kinds) == {"saddle-focus"}


def test_the_symmetric_loops_of_lorenz_agree():
    one = longest("lorenz")
    mirrored = dl.Cycle(
        one.system, one.period, one.mesh, one.profile * [-1, -1, 1], one.eigenvalues, one.divergence
    )
    orbits = [loop("lorenz"), dl.find_homoclinic(mirrored, vary="rho")]
    assert orbits[0]["rho"] == pytest.approx(orbits[1]["rho"], abs=1e-11)
    assert orbits[1]["x"] == pytest.approx(-orbits[0]["x"], abs=1e-5)
