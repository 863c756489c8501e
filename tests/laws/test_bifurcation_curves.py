"""What holds for every curve of bifurcations, whatever the system, its units and the way it is walked."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import sympy

import dynlab as dl
from dynlab import zoo
from dynlab.continuation.curves.fold import FoldCurve
from dynlab.continuation.curves.hopf import HopfCurve
from dynlab.continuation.curves.plane import Plane
from dynlab.continuation.plane.center_manifold import CenterManifold
from dynlab.continuation.plane.unfoldings import point_of

PLANES = {
    "morris_lecar": {"I": (-100.0, 250.0), "V3": (-10.0, 30.0)},
    "lorenz84_extended": {"F": (1.2, 3.2), "T": (-0.1, 0.1)},
    "fitzhugh_nagumo": {"I": (-1.0, 2.0), "b": (0.2, 2.0)},
    "brusselator": {"B": (1.0, 6.0), "A": (0.5, 2.0)},
}
SYSTEMS = {
    "morris_lecar": zoo.morris_lecar(gCa=4.0, V3=12.0, V4=17.4, phi=1 / 15),
    "lorenz84_extended": zoo.lorenz84_extended,
    "fitzhugh_nagumo": zoo.fitzhugh_nagumo,
    "brusselator": zoo.brusselator,
}
BOXES = {"lorenz84_extended": {"X": (2.0, 4.0), "U": (-1.0, 0.0)}}
CASES = [
    ("morris_lecar", dl.Fold), ("morris_lecar", dl.Hopf), ("lorenz84_extended", dl.Fold),
    ("lorenz84_extended", dl.Hopf), ("fitzhugh_nagumo", dl.Hopf), ("brusselator", dl.Hopf),
]  # fmt: skip
NAMES = [f"{name}-{kind.__name__}" for name, kind in CASES]


@cache
def start(name, kind):
    system = SYSTEMS[name]
    vary = next(iter(PLANES[name]))
    rest = dl.find_equilibria(system, within=BOXES.get(name))[0]
    branch = dl.continue_equilibrium(rest, vary=vary, over=PLANES[name][vary])
    return branch.points(kind)[0]


@cache
def curve(name, kind):
    over = PLANES[name]
    return dl.continue_bifurcation(start(name, kind), vary=tuple(over), over=over)


def distance(points, polygon, unit):
    """Return how far points lie from a polygon at most, each coordinate in a unit."""
    a, b, p = polygon[:-1] / unit, polygon[1:] / unit, points / unit
    step = b - a
    share = np.einsum("pkj,kj->pk", p[:, None] - a, step) / np.maximum(
        np.sum(step**2, axis=1), 1e-300
    )
    foot = a + np.clip(share, 0, 1)[..., None] * step
    return float(np.max(np.min(np.linalg.norm(p[:, None] - foot, axis=2), axis=1)))


@pytest.mark.parametrize(("name", "kind"), CASES, ids=NAMES)
def test_every_point_of_a_curve_is_what_it_is_called(name, kind):
    """By sympy's Jacobian and numpy's eigenvalues: none of the curve's own equations."""
    found = curve(name, kind)
    system = found.system
    names = (*system.state_names, *system.parameter_names)
    symbols = {s.name: s for e in system.rule for s in e.free_symbols}
    known = [symbols.get(n, sympy.Symbol(n)) for n in names]
    rates_at = sympy.lambdify(known, system.rule, "math")
    matrix_at = sympy.lambdify(
        known, [e.diff(s) for e in system.rule for s in known[: len(system.state_names)]], "math"
    )
    for k in range(0, len(found), max(1, len(found) // 40)):
        here = system(**{p: found[p][k] for p in found.vary})
        values = (*found.states[k], *(here[p] for p in system.parameter_names))
        rates = np.array(rates_at(*values))
        matrix = np.array(matrix_at(*values)).reshape(len(rates), -1)
        size = np.linalg.norm(matrix, axis=1) * (1.0 + np.linalg.norm(found.states[k]))
        assert np.max(np.abs(rates) / size) < 1e-11
        values = np.linalg.eigvals(matrix)
        largest = np.max(np.abs(values))
        if kind is dl.Fold:
            # A double zero (Bogdanov-Takens) is known to the square root of round-off only.
            assert np.min(np.abs(values)) < 1e-7 * largest
        elif found.neutral_saddle[k]:
            sums = np.abs(values[:, None] + values[None, :])[np.triu_indices(len(values), 1)]
            assert np.min(sums) < 1e-9 * largest
        else:
            pair = values[values.imag > 0]
            off = pair - 1j * found.omega[k]
            assert np.min(np.abs(off)) < 1e-7 * largest


@pytest.mark.parametrize(("name", "kind"), CASES[:5], ids=NAMES[:5])
def test_a_walk_back_from_the_far_end_gives_the_same_curve(name, kind):
    first = curve(name, kind)
    over = PLANES[name]
    up = first.vary[1]
    for end in (0, -1):
        inside = first[up][end] * (1 - 1e-9) + 1e-9 * np.mean(over[up])
        restart = first.at(**{up: float(inside)})
        if not restart:
            continue  # this end lies on neutral saddles
        ends = np.array([[p[v] for v in first.vary] for p in restart])
        nearest = int(np.argmin(np.abs(ends[:, 0] - first[first.vary[0]][end])))
        again = dl.continue_bifurcation(restart[nearest], vary=first.vary, over=over)
        unit = np.array([over[v][1] - over[v][0] for v in first.vary])
        one, two = (np.column_stack([c[v] for v in c.vary]) for c in (first, again))
        assert distance(one[::7], two, unit) < 2e-5
        assert distance(two[::7], one, unit) < 2e-5
        assert sorted(p.label for p in first.points()) == sorted(p.label for p in again.points())


@pytest.mark.parametrize(("name", "kind"), CASES[:4], ids=NAMES[:4])
def test_the_order_of_the_two_parameters_changes_nothing(name, kind):
    first = curve(name, kind)
    turned = dl.continue_bifurcation(start(name, kind), vary=first.vary[::-1], over=PLANES[name])
    # To round-off: where a compiled chunk of steps ends, and its borders are renewed, the clock decides.
    size = np.ptp(first.unknowns, axis=0)
    assert first.unknowns / size == pytest.approx(turned.unknowns / size, abs=1e-7)
    usual = np.nanmedian(
        np.abs(first.coefficient)
    )  # it is 0 at a cusp and infinite at a double zero
    near = np.abs(first.coefficient) < 1e3 * usual
    assert first.coefficient[near] == pytest.approx(
        turned.coefficient[near], rel=1e-3, abs=1e-5 * usual
    )
    for p, q in zip(first.points(), turned.points(), strict=True):
        assert p.values == pytest.approx(q.values[::-1], rel=1e-8, abs=1e-9)
    assert turned.vary == first.vary[::-1]


@dl.flow
def cell_in_other_units(V=-30.0, w=10.0, *, I=30.0, V3=12.0, u=1e-3, s=1e3):
    """Morris-Lecar with the potential in u mV and the recovery in parts of s."""
    v = V / u
    m = (1 + dl.tanh((v + 1.2) / 18)) / 2
    winf = (1 + dl.tanh((v - V3) / 17.4)) / 2
    rate = I - 4 * m * (v - 120) - 8 * w / s * (v + 84) - 2 * (v + 60)
    return {V: u * rate / 20, w: s / 15 * (winf - w / s) * dl.cosh((v - V3) / 34.8)}


def test_units_of_the_states_change_no_place_and_no_eigenvalue():
    """States smaller and larger by a thousand; parameters and time as before."""
    plain = curve("morris_lecar", dl.Hopf)
    point = start("morris_lecar", dl.Hopf)
    system = cell_in_other_units(I=point["I"])
    state = np.array([1e-3, 1e3]) * point.state
    other = dl.continue_equilibrium(
        dl.Equilibrium.at(system(I=point["I"]), state, 1e-9), vary="I", over=(50, 200)
    ).points(dl.Hopf)[0]
    over = PLANES["morris_lecar"]
    found = dl.continue_bifurcation(other, vary=tuple(over), over=over)
    for a, b in zip(plain.points(), found.points(), strict=True):
        assert type(a) is type(b)
        assert a.values == pytest.approx(b.values, rel=1e-9)
        assert a["V"] == pytest.approx(1e3 * b["V"], rel=1e-9)
        assert getattr(a, "omega", 0.0) == pytest.approx(getattr(b, "omega", 0.0), rel=1e-9)


B, C, D, E, OMEGA = 0.7, -1.3, 0.4, 0.9, 1.7


def to_third_order(expression, *variables):
    """Return a polynomial without its terms above the third order, which no form here needs."""
    terms = sympy.Poly(sympy.expand(expression), *variables).terms()
    return sum(
        c * sympy.prod([v**k for v, k in zip(variables, powers, strict=True)])
        for powers, c in terms if sum(powers) <= 3
    )  # fmt: skip


def bent_fold_hopf(q1=0.0, q2=0.0, q3=0.0, q4=0.0, clock=0.0):
    """u' = m + B u^2 + C r^2, z' = (n + i omega + D u + E u^2) z, with bent axes and a clock that u drives."""

    @dl.flow
    def system(w=0.0, x=0.0, y=0.0, *, m=0.0, n=0.0):
        u = w + q1 * x * y + q2 * x**2
        f, inverse = 1 + q4 * u, 1 - q4 * u + (q4 * u) ** 2
        inner = x + q3 * u**2
        X, Y = inner * f, y * f
        du = m + B * u**2 + C * (X**2 + Y**2)
        growth = n + D * u + E * u**2
        dx = (growth * X - OMEGA * Y - q4 * inner * du) * inverse - 2 * q3 * u * du
        dy = (growth * Y + OMEGA * X - q4 * y * du) * inverse
        dw = du - q1 * (dx * y + x * dy) - 2 * q2 * x * dx
        pace = 1 + clock * w
        return {k: to_third_order(pace * e, w, x, y) for k, e in ((w, dw), (x, dx), (y, dy))}

    return system


@pytest.mark.parametrize("bend", [
    {}, {"q1": 0.5}, {"q2": 0.5}, {"q3": 0.6}, {"q4": -0.4}, {"clock": 0.8},
    {"q2": -0.7, "clock": 0.8},
], ids=str)  # fmt: skip
def test_the_normal_form_of_a_fold_hopf_point_does_not_depend_on_coordinates(bend):
    plane = Plane(bent_fold_hopf(**bend), ("m", "n"))
    point = point_of(FoldCurve(plane, np.ones(5)), "fold-Hopf", np.zeros(5), 1e-16)
    # Both eigenvectors have unit length: |z|^2 = 2 |w|^2.
    assert point.coefficients == pytest.approx((B, 2 * C, D, E), rel=1e-12)
    assert (point.s, point.theta) == (-1, pytest.approx(D / B, rel=1e-12))


@dl.flow
def bent_double_hopf(a=0.0, b=0.0, c=0.0, d=0.0, *, m=0.0, n=0.0, q1=0.0, q2=0.0):
    """r1' = r1 (m - r1^2 + 2 r2^2), r2' = r2 (n + 3 r1^2 - 4 r2^2), at 1.9 and 0.7 radians per unit of time."""
    x, u = a + q1 * c * d, c + q2 * b**2
    r, s = x**2 + b**2, u**2 + d**2
    dx, db = (m - r + 2 * s) * x - 1.9 * b, (m - r + 2 * s) * b + 1.9 * x
    du, dd = (n + 3 * r - 4 * s) * u - 0.7 * d, (n + 3 * r - 4 * s) * d + 0.7 * u
    dc = du - 2 * q2 * b * db
    return {a: dx - q1 * (dc * d + c * dd), b: db, c: dc, d: dd}


@pytest.mark.parametrize("bend", [{}, {"q2": 0.6}, {"q2": -0.5, "q1": 0.3}], ids=str)
def test_the_normal_form_of_a_double_hopf_point_does_not_depend_on_coordinates(bend):
    plane = Plane(bent_double_hopf(**bend), ("m", "n"))
    u = np.array([0.0, 0.0, 0.0, 0.0, 1.9**2, 0.0, 0.0])
    point = point_of(HopfCurve(plane, np.ones(7)), "double Hopf", u, 1e-16)
    assert point.omegas == pytest.approx((1.9, 0.7), rel=1e-12)
    if not bend.get("q1"):
        assert point.coefficients == pytest.approx(np.array([[-2, 4], [6, -8]]), rel=1e-11)
        assert (point.theta, point.delta) == pytest.approx((-0.5, -3.0), rel=1e-11)


def test_the_manifold_solves_the_homological_equation():
    """A random cubic map: H(g(w)) = F(H(w)) to third order in w, by evaluating both sides."""
    random = np.random.default_rng(5)
    a = np.diag([-1.0, 0.4, -0.3])
    second = random.normal(size=(3, 3, 3))
    second = second + second.transpose(0, 2, 1)
    third = random.normal(size=(3, 3, 3, 3))
    third = sum(third.transpose(0, *p) for p in
                ((1, 2, 3), (1, 3, 2), (2, 1, 3), (2, 3, 1), (3, 1, 2), (3, 2, 1)))  # fmt: skip

    def form(*v):
        tensor = {2: second, 3: third}[len(v)]
        for vector in v:
            tensor = tensor @ vector if tensor.ndim == 2 else np.tensordot(tensor, vector, (-1, 0))
        return tensor

    axis = np.eye(3)[:1]
    manifold = CenterManifold(a, form, [-1.0], axis, axis, discrete=True)
    cubic = manifold.coefficient(0, 0, 0, 0).real / 6
    h2, h3 = (manifold._direction((0,) * k).real for k in (2, 3))

    def at(w):
        return axis[0] * w + h2 * w**2 / 2 + h3 * w**3 / 6

    def moved(x):
        return a @ x + form(x, x) / 2 + form(x, x, x) / 6

    sizes = np.array([1e-2, 1e-3])
    errors = [np.linalg.norm(at(-w + cubic * w**3) - moved(at(w))) for w in sizes]
    assert np.log10(errors[0] / errors[1]) > 3.8


@pytest.mark.parametrize(("name", "kind"), CASES[:4], ids=NAMES[:4])
def test_a_curve_comes_back_from_a_file(name, kind, tmp_path):
    first = curve(name, kind)
    again = dl.load(first.save(tmp_path / "curve.npz"))
    assert repr(again) == repr(first)
    assert np.array_equal(again.unknowns, first.unknowns)
    assert [p.details() for p in again.points()] == [p.details() for p in first.points()]
    assert again.ends == first.ends
