"""Normal forms at special points of cycles: closed forms, return maps, and the branches that they predict.

Every amplitude is one of a critical function of mean square 1; coefficients are those of the map once round.
"""

from __future__ import annotations

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo
from dynlab.codegen.kernels import kernels_of
from dynlab.cycles.linearised import Linearised, gauss_values


@dl.flow
def two_rings(x=0.1, y=0.0, *, mu=-0.2, b=1.0):
    """Two circles that meet at mu = -b^2 / 4: r' = mu r + b r^3 - r^5, theta' = 1."""
    square = x**2 + y**2
    s = mu + b * square - square**2
    return {x: s * x - y, y: s * y + x}


@dl.flow
def pitchfork(x=1.0, y=0.0, z=0.0, *, mu=-0.5, k=0.0, e=1.0):
    """The unit circle at z = 0 loses its stability to z = +-sqrt(mu / e); it turns with 1 + k z."""
    s, turn = 1 - x**2 - y**2, 1 + k * z
    return {x: s * x - y * turn, y: s * y + x * turn, z: mu * z - e * z**3}


@dl.flow
def transcritical(x=1.0, y=0.0, z=0.0, *, mu=-0.5, k=0.3):
    """The unit circle at z = 0 exchanges its stability with that at z = mu."""
    s, turn = 1 - x**2 - y**2, 1 + k * z
    return {x: s * x - y * turn, y: s * y + x * turn, z: mu * z - z**2}


@dl.flow
def torus(
    x=1.0,
    y=0.0,
    u=0.0,
    v=0.0,
    *,
    mu=-0.1,
    om=0.37,
    k=0.6,
    cr=0.4,
    ci=0.9,
    er=-0.5,
    ei=0.2,
    q=0.8,
    s=0.3,
):
    """A ring coupled to an oscillation w about it, in coordinates that bend: x is X + s u^2.

    (r^2)' = 2 r^2 (1 - r^2 + k |w|^2), theta' = 1 + q (r^2 - 1), w' = (mu + i om + c (r^2 - 1) + e |w|^2) w.  Slowly,
    r^2 = 1 + k |w|^2: so |w|' = |w| (mu + (er + k cr) |w|^2).
    """
    X = x - s * u**2
    d, size = X**2 + y**2 - 1, u**2 + v**2
    g, turn = k * size - d, 1 + q * d
    grow, swing = mu + cr * d + er * size, om + ci * d + ei * size
    du, dv = grow * u - swing * v, grow * v + swing * u
    return {x: g * X - turn * y + 2 * s * u * du, y: g * y + turn * X, u: du, v: dv}


def branch_from(system, vary, over):
    cycle = dl.find_cycle(system, start=dict(zip(system.state_names, system.start_values, strict=True)),
                          period=2 * np.pi)  # fmt: skip
    return dl.continue_cycles(cycle, vary=vary, over=over)


@pytest.mark.parametrize("b", [1.0, 0.5])
def test_a_fold_of_cycles_of_one_period_has_its_closed_form(b):
    """The radial equation's second derivative over 2 at r^2 = b / 2, times the period: here gamma = 0."""
    ring = two_rings(b=b, mu=0.2)
    fold = dl.continue_cycles(dl.find_cycle(ring), vary="mu", over=(-1, 0.3)).points(dl.Fold)[0]
    radius = np.sqrt(b / 2)
    assert fold.value == pytest.approx(-(b**2) / 4, abs=1e-9)
    # The coefficient changes along the branch, and the place of a fold on it is known to about 1e-8.
    assert abs(fold.coefficient) == pytest.approx(
        2 * np.pi * abs(3 * b * radius - 10 * radius**3), rel=1e-6
    )


def test_the_fold_coefficient_is_that_of_the_return_map():
    """Morris and Lecar: periods vary along the branch, gamma is not 0; differences of an integrated section."""
    system = zoo.morris_lecar(gCa=4.4, V3=2.0, V4=30.0, phi=0.04, I=100.0)
    branch = dl.continue_cycles(dl.find_cycle(system), vary="I", over=(80, 110))
    fold = branch.points(dl.Fold).single()
    origin = fold.orbit.profile[0]
    flow = kernels_of(fold.system).rhs(0.0, origin, np.array(fold.system.parameter_values))
    across = np.array([-flow[1], flow[0]]) / np.linalg.norm(flow)
    back = dl.Crossing(
        "back", lambda V, w: flow[0] * (V - origin[0]) + flow[1] * (w - origin[1]), +1
    )

    exact = dl.Explicit8(rtol=1e-13, atol=1e-14)

    def returned(y):
        place = origin + y * across
        start = {"V": place[0], "w": place[1]}
        # The start is on the section to round-off: it is left behind before crossings count.
        half = dl.integrate(fold.system, start=start, duration=0.5 * fold.period, method=exact)
        run = dl.integrate(
            fold.system, start=half.final, duration=fold.period, until=back, method=exact
        )
        return float((run.end[1:] - origin) @ across)

    h = 1e-5
    values = np.array([returned(k * h) for k in (-2, -1, 0, 1, 2)])
    slope = values @ [1, -8, 0, 8, -1] / (12 * h)
    bend = values @ [-1, 16, -30, 16, -1] / (12 * h**2) / 2
    assert slope == pytest.approx(1.0, abs=1e-4)
    # Fourth-order differences leave about 2e-5 here, and (0.997 - 1) at four times the step 16^2 as much.
    predicted = fold.coefficient / float(across @ fold.eigenvector[0])
    assert bend == pytest.approx(predicted, rel=1e-4)


@pytest.fixture(scope="module")
def roessler():
    run = dl.integrate(zoo.roessler(c=2.6), duration=300)
    cycle = dl.find_cycle(zoo.roessler(c=2.6), start=run.final, period=5.755)
    return dl.continue_cycles(cycle, vary="c", over=(2.5, 3.2))


def test_the_doubled_cycle_of_roessler_grows_as_the_coefficient_says(roessler):
    """x(t) - x(t + T) = 2 xi q(t): xi^2 = -speed (c - c_PD) / b, up to a term of second order."""
    point = roessler.points(dl.PeriodDoubling).single()
    assert point.criticality == "supercritical"
    steps = dl.PseudoArclength(first_step=1e-3, step_max=5e-3, max_points=8)
    doubled = dl.continue_cycles(point, over=(2.5, 3.2), method=steps)
    places = (np.arange(1000) + 0.5) / 2000
    offsets, ratios = [], []
    for k in range(3, len(doubled)):
        orbit = doubled.orbit(k)
        part = 0.5 * (orbit.at(places) - orbit.at(places + 0.5))
        offset = orbit.value - point.value
        predicted = -point.crossing_speed * offset / point.coefficient
        offsets.append(offset)
        ratios.append(np.mean(np.sum(part**2, axis=1)) / predicted)
    assert min(offsets) > 0
    assert np.allclose(ratios, 1.0, atol=1e-2)
    assert np.polyfit(offsets, ratios, 1)[1] == pytest.approx(1.0, abs=1e-4)


def test_the_speed_of_a_multiplier_is_that_along_the_branch(roessler):
    point = roessler.points(dl.PeriodDoubling).single()
    h = 1e-3
    near = [roessler.at(c=point.value + s * h).single().multipliers for s in (-1, 1)]
    crossing = [m[np.argmin(np.abs(m + 1))].real for m in near]
    assert (crossing[1] - crossing[0]) / (2 * h) == pytest.approx(point.crossing_speed, rel=1e-6)


def test_bent_coordinates_change_a_coefficient_only_by_the_length_of_its_vector(roessler):
    """With w = x + s y^2 for x, q becomes D q and b becomes b / (mean square of D q); the speed stays."""
    s = 0.15

    @dl.flow
    def bent(w=1.0, y=1.0, z=0.0, *, a=0.2, b=0.2, c=2.6):
        x = w - s * y**2
        turn = x + a * y
        return {w: -y - z + 2 * s * y * turn, y: turn, z: b + z * (x - c)}

    point = roessler.points(dl.PeriodDoubling).single()
    x, y, z = point.orbit.profile[0]
    start = {"w": x + s * y**2, "y": y, "z": z}
    cycle = dl.find_cycle(bent(c=point.value - 0.05), start=start, period=point.period)
    other = dl.continue_cycles(cycle, vary="c", over=(2.5, 3.2)).points(dl.PeriodDoubling).single()
    assert other.value == pytest.approx(point.value, abs=1e-8)
    assert other.crossing_speed == pytest.approx(point.crossing_speed, rel=1e-7)
    q = point.eigenvector.copy()
    q[:, 0] += 2 * s * point.orbit["y"] * q[:, 1]
    at_gauss = gauss_values(point.orbit.orbit, q)
    size = Linearised.about(point.system, point.orbit.orbit).mean(at_gauss, at_gauss)
    assert other.coefficient == pytest.approx(point.coefficient / size, rel=1e-8)
    assert abs(size - 1) > 0.05  # so that the law says something


@pytest.mark.parametrize(("k", "cr", "s"), [(0.6, 0.4, 0.3), (-0.4, -1.0, 0.0), (1.0, 2.0, -0.8)])
def test_a_torus_point_has_its_closed_form(k, cr, s):
    """|w|^2 = 2 |xi|^2 where xi belongs to the function of mean square 1."""
    point = branch_from(torus(k=k, cr=cr, s=s), "mu", (-0.3, 0.3)).points(dl.Torus).single()
    assert point.value == pytest.approx(0.0, abs=1e-10)
    assert point.angle == pytest.approx(2 * np.pi * 0.37, abs=1e-9)
    assert point.coefficient == pytest.approx(4 * np.pi * (-0.5 + k * cr), abs=1e-8)
    assert point.crossing_speed == pytest.approx(2 * np.pi * np.exp(1j * point.angle), abs=1e-8)
    assert point.criticality == ("supercritical" if -0.5 + k * cr < 0 else "subcritical")


def test_at_the_resonance_1_to_3_there_is_no_coefficient():
    point = branch_from(torus(om=1 / 3), "mu", (-0.3, 0.3)).points(dl.Torus).single()
    assert point.resonance == "1:3"
    assert np.isnan(point.coefficient)
    assert point.criticality == "degenerate"


@pytest.mark.parametrize(("k", "e"), [(0.0, 1.0), (0.3, 1.0), (0.0, -1.0), (0.2, 1e6)])
def test_a_pitchfork_of_cycles_and_the_branch_that_leaves_it(k, e):
    trunk = branch_from(pitchfork(k=k, e=e), "mu", (-1, 0.5))
    point = trunk.points(dl.BranchPoint).single()
    assert (point.kind, point.criticality) == (
        "pitchfork", "supercritical" if e > 0 else "subcritical"
    )  # fmt: skip
    assert point.coefficients == pytest.approx((2 * np.pi, 0.0, -2 * np.pi * e), rel=1e-8)
    fork = dl.continue_cycles(point, over=(-1, 0.5))
    heights = np.array([fork.orbit(j).profile[:, 2].mean() for j in range(len(fork))])
    assert np.min(heights) < 0 < np.max(heights)
    assert np.allclose(heights**2 * e, fork.values, atol=1e-9)
    assert np.allclose(fork.periods, 2 * np.pi / (1 + k * heights), rtol=1e-9)
    assert not fork.unconfirmed
    assert [p.label for p in fork.points()] == ["BPC"]


def test_a_transcritical_point_of_cycles_and_the_branch_that_crosses():
    trunk = branch_from(transcritical, "mu", (-1, 0.5))
    point = trunk.points(dl.BranchPoint).single()
    b, a, _ = point.coefficients
    assert point.kind == "transcritical"
    assert (b, abs(a)) == pytest.approx((2 * np.pi, 2 * np.pi), rel=1e-8)
    other = dl.continue_cycles(point, over=(-1, 0.5))
    heights = np.array([other.orbit(j).profile[:, 2].mean() for j in range(len(other))])
    assert np.allclose(heights, other.values, atol=1e-9)
    back = dl.continue_cycles(other.points(dl.BranchPoint).single(), over=(-1, 0.5))
    assert np.allclose(back.values, other.values)
    # Each of the two is one of the directions, the one that was followed the first.
    first, second = point.tangents
    assert np.max(np.abs(first[:-2])) < 1e-9
    assert second[2] / second[-1] == pytest.approx(1.0, rel=1e-8)


def test_the_symmetric_cycle_of_lorenz_parts_in_two_that_mirror_each_other():
    """Sparrow 1982; both lead to the period doubling of AUTO's demo ``lor`` at rho = 229.407."""
    trunk = dl.continue_cycles(dl.find_cycle(zoo.lorenz(rho=350.0)), vary="rho", over=(200, 360))
    point = trunk.points(dl.BranchPoint).single()
    assert (point.kind, point.criticality) == ("pitchfork", "supercritical")
    pair = dl.continue_cycles(point, over=(200, 360))
    doublings = pair.points(dl.PeriodDoubling)
    assert [p.value for p in doublings] == pytest.approx([229.407, 229.407], abs=1e-3)
    one, other = (p.orbit for p in doublings)
    assert doublings[0].coefficient == pytest.approx(doublings[1].coefficient, rel=1e-5)
    assert one.extremes("x") == pytest.approx(-np.array(other.extremes("x"))[::-1], rel=1e-6)


def test_a_branch_point_is_found_where_another_multiplier_is_as_near_to_1():
    """Two Brusselators part from one rhythm; the multiplier may be 3.8 before and 0.9 behind the point.

    Wherever the branch began, the point is the same: next to a double multiplier round-off leaves about 1e-8 of it open.
    """

    @dl.flow
    def pair(x=1.0, y=3.0, u=1.0, v=3.0, *, A=2.0, B=5.9, D=0.3, k=10.0):
        return {
            x: A - (B + 1) * x + x**2 * y + D * (u - x), y: B * x - x**2 * y + D * k * (v - y),
            u: A - (B + 1) * u + u**2 * v + D * (x - u), v: B * u - u**2 * v + D * k * (y - v),
        }  # fmt: skip

    found = []
    for D in (0.5, 1.3, 1.8):
        together = dl.continue_cycles(dl.find_cycle(pair(D=D)), vary="D", over=(0.3, 2.0))
        found.append(together.points(dl.BranchPoint).single())
    assert {p.kind for p in found} == {"pitchfork"}
    assert np.ptp([p.value for p in found]) < 5e-8
    apart = dl.continue_cycles(found[0], over=(0.3, 2.0))
    ends = [end.status for end in apart.ends]
    assert ends == [dl.Status.AT_HOPF_POINT] * 2  # the rhythms of the two uneven states


def test_a_branch_point_of_equilibria_is_sent_where_it_belongs():
    @dl.flow
    def fork(x=0.0, *, mu=-1.0):
        return {x: mu * x - x**3}

    rest = dl.find_equilibria(fork, within={"x": (-2, 2)}).single()
    point = dl.continue_equilibrium(rest, vary="mu", over=(-1, 1)).points(dl.BranchPoint).single()
    with pytest.raises(dl.SettingError, match="switch_branch"):
        dl.continue_cycles(point, over=(-1, 1))
    ring = branch_from(pitchfork(), "mu", (-1, 0.5)).points(dl.BranchPoint).single()
    with pytest.raises(dl.SettingError, match="continue_cycles"):
        dl.switch_branch(ring, over=(-1, 0.5))
