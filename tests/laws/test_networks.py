"""A rule over a network equals the same equations written out by hand, in value and in every derivative.

The written-out system is made here, from the definition itself: one scalar state per node, every sum
spelled out over the links or nodes that it runs over.
"""

import itertools

import mpmath
import networkx as nx
import numpy as np
import pytest
import sympy

import dynlab as dl
from dynlab.codegen.kernels import kernels_of
from dynlab.codegen.loop_printer import loop_source
from dynlab.codegen.loops import lower_loops
from dynlab.symbolic.functions import sigmoid
from dynlab.symbolic.indexed import Element, NodeMean, Reduction
from dynlab.symbolic.quantities import Parameter, State
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import TIME, symbol


@dl.flow
def kuramoto(theta: dl.PerNode[dl.Angle], *, omega: dl.PerNode = 0.3, K=1.7):
    i, j = dl.nodes("i j")
    return {theta[i]: omega[i] + K * dl.Mean(dl.sin(theta[j] - theta[i]), j)}


@dl.flow
def on_links(theta: dl.PerNode, *, A: dl.PerLink = 1.0, K=0.8, lag=0.4):
    i, j = dl.nodes("i j")
    return {theta[i]: K * dl.Sum(A[i, j] * dl.sin(theta[j] - theta[i] - lag), j) + dl.t}


@dl.flow
def rates(x: dl.PerNode, a=0.2, *, W: dl.PerLink = 1.0, tau: dl.PerNode = 2.0, g=1.3, mu=0.1):
    i, j = dl.nodes("i j")
    drive = dl.Sum(W[i, j] * dl.tanh(g * x[j]), j)
    return {
        x[i]: (-x[i] + drive - a * x[i]) / tau[i],
        a: -mu * a + dl.Mean(x[j] ** 2, j),
    }


@dl.flow
def two_populations(
    E: dl.PerNode("exc"), I: dl.PerNode("inh"), *, WEE: dl.PerLink("exc", "exc") = 1.0,
    WEI: dl.PerLink("exc", "inh") = 1.0, WIE: dl.PerLink("inh", "exc") = 1.0, gain=1.5,
):  # fmt: skip
    i, j, k, m = dl.nodes("i j k m")
    return {
        E[i]: -E[i] + dl.sigmoid(gain * dl.Sum(WEE[i, j] * E[j], j) - dl.Mean(WEI[i, k] * I[k], k)),
        I[m]: -I[m] + dl.sigmoid(gain * dl.Sum(WIE[m, j] * E[j], j)),
    }


@dl.flow
def layered(
    y: dl.PerNode("out"), W: dl.PerLink("hid", "out") = 0.1, *, V: dl.PerLink("out", "hid") = 1.0,
    eta=0.3,
):  # fmt: skip
    i, j, k = dl.nodes("i j k")
    h = dl.each(j, dl.tanh(dl.Sum(W[j, k] * y[k], k)))
    return {
        y[i]: -y[i] + dl.Sum(V[i, j] * h[j], j),
        W[j, k]: eta * (h[j] * y[k] - W[j, k] * h[j] ** 2),
    }


@dl.flow
def awkward(x: dl.PerNode, *, A: dl.PerLink = 1.0, c=0.7):
    """Nothing here separates: products of both indices inside functions, sums inside sums."""
    i, j, k = dl.nodes("i j k")
    inner = dl.Sum(A[i, k] * dl.exp(-((x[k] - x[j]) ** 2)), k)
    return {
        x[i]: dl.Mean(dl.exp(-((x[j] - x[i]) ** 2)), j)
        + dl.Sum(A[i, j] * dl.tanh(inner * x[j]), j)
        - c * dl.Mean(x[j] * dl.Mean(x[k] * dl.cos(x[j] - x[k]), k), j)
        + dl.Sum(x[j] - x[i], j)
        + dl.Mean(A[i, j] * (x[j] - x[i]), j)
    }


def ring(n):
    graph = nx.DiGraph([(k, (k + 1) % n) for k in range(n)] + [(0, n // 2)])
    for k, (_, _, data) in enumerate(sorted(graph.edges(data=True))):
        data["weight"] = 0.5 + 0.3 * k
    return graph


def matrix(rows, columns, seed, density=0.6):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, columns)) * (rng.random((rows, columns)) < density)


BOUND = {
    "kuramoto": kuramoto.on(dl.AllToAll(4)),
    "kuramoto of one": kuramoto.on(dl.AllToAll(1)),
    "kuramoto drawn": kuramoto.on(5)(omega=np.linspace(-1, 1, 5)),
    "ring": on_links.on(ring(5)),
    "dense": on_links.on(matrix(4, 4, 1, density=2)),
    "rates": rates.on(matrix(4, 4, 2))(tau=np.array([1.0, 2.0, 3.0, 4.0])),
    "two populations": two_populations.on(
        {"exc": 3, "inh": 2},
        links={"WEE": matrix(3, 3, 3), "WEI": matrix(3, 2, 4), "WIE": dl.AllToAll()},
    ),
    "layered": layered.on(
        {"out": 2, "hid": 3}, links={"W": dl.AllToAll(), "V": matrix(2, 3, 5, density=2)}
    ),
    "awkward": awkward.on(ring(4)),
}


def written_out(system):
    """Return the same system with one scalar state per number and nothing indexed."""
    bound, shapes = system.bound, system.shapes
    between = {m.name: m.expression for m in system.intermediates}

    def entry(e, at):
        place = tuple(at[i] for i in e.indices)
        if e.base in between:
            return plain(between[e.base], {"i": place[0]})
        if e.base in system.declared:
            return symbol(f"{e.base}_{'_'.join(map(str, place))}")
        values = system[e.base]
        if len(place) == 2:
            links = bound.between(*shapes[e.base])
            pairs = list(zip(links.targets.tolist(), links.sources.tolist(), strict=True))
            return sympy.Float(values[pairs.index(place)])
        return sympy.Float(values[place[0]])

    def plain(expression, at):
        if isinstance(expression, Element):
            return entry(expression, at)
        if isinstance(expression, Reduction):
            over = range(bound.sizes[expression.runs])
            if expression.own:
                links = bound.between(expression.over, expression.runs)
                over = links.sources[links.targets == at[expression.own]].tolist()
            terms = [plain(expression.summand, {**at, expression.index: k}) for k in over]
            count = len(terms) if isinstance(expression, NodeMean) else 1
            return sympy.Add(*terms) / max(count, 1)
        if not expression.args:
            return expression
        return expression.func(*(plain(a, at) for a in expression.args))

    states, rule = [], []
    for s, e in zip(system.states, system.rule, strict=True):
        if not s.shape:
            places = [()]
        elif len(s.shape) == 1:
            places = [(k,) for k in range(bound.sizes[s.shape[0].name])]
        else:
            links = bound.between(*shapes[s.name])
            places = list(zip(links.targets.tolist(), links.sources.tolist(), strict=True))
        for place in places:
            states.append(State("_".join([s.name, *map(str, place)])))
            rule.append(plain(e, dict(zip("ij", place, strict=False))))
    parameters = tuple(Parameter(p.name, p.value) for p in system.parameters if not p.shape)
    return System("written_out", tuple(states), parameters, tuple(rule))


class Reference:
    """The written-out rule in 60 digits, with derivatives by central differences in them."""

    STEP = mpmath.mpf(10) ** -12

    def __init__(self, system):
        plain = written_out(system)
        names = [symbol(n) for n in (*plain.state_names, *plain.parameter_names)]
        rule = [e.replace(sigmoid, lambda x: 1 / (1 + sympy.exp(-x))) for e in plain.rule]
        self.function = sympy.lambdify([TIME, *names], rule, "mpmath", cse=True)

    def rhs(self, t, unknowns):
        return np.array(self.function(t, *unknowns), dtype=object)

    def derivative(self, t, unknowns, *directions):
        """Return the mixed derivative along directions; its error is of order STEP^2."""
        with mpmath.workdps(60):
            u = np.array([mpmath.mpf(v) for v in unknowns], dtype=object)
            total = 0
            for signs in itertools.product((1, -1), repeat=len(directions)):
                moved = u
                for sign, d in zip(signs, directions, strict=True):
                    moved = moved + sign * self.STEP * np.array([mpmath.mpf(v) for v in d])
                total = total + int(np.prod(signs)) * self.rhs(mpmath.mpf(t), moved)
            total = total / (2 * self.STEP) ** len(directions)
            return np.array([float(v) for v in total])


@pytest.fixture(scope="module", params=BOUND, ids=str)
def pair(request):
    system = BOUND[request.param]
    return system, Reference(system)


def points(system, seed=0):
    rng = np.random.default_rng(seed)
    n, values = len(system.state_names), np.array(system.parameter_values)
    for _ in range(2):
        p = values * rng.uniform(0.5, 1.5, len(values))
        yield rng.normal(size=n), p, rng.normal(size=(3, n + len(p)))


def close(found, expected):
    # Some hundred additions and products in another order, against 60 digits.
    np.testing.assert_allclose(
        found, expected, rtol=1e-12, atol=1e-14 * (1 + np.abs(expected).max())
    )


def test_the_right_hand_side(pair):
    system, reference = pair
    for x, p, _ in points(system):
        expected = reference.rhs(0.7, np.concatenate([x, p])).astype(float)
        close(kernels_of(system).rhs(0.7, x, p), expected)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_directional_derivatives(pair, order):
    system, reference = pair
    names = system.parameter_names
    for x, p, directions in points(system):
        given = directions[:order]
        found = kernels_of(system).derivative(order, names)(0.7, x, p, *given)
        close(found, reference.derivative(0.7, np.concatenate([x, p]), *given))


def test_the_jacobian_dense_and_sparse_and_transposed(pair):
    system, reference = pair
    names = system.parameter_names[:1]
    n = len(system.state_names)
    for x, p, directions in points(system):
        unit = np.eye(n + len(p))[: n + len(names)]
        joint = np.array([reference.derivative(0.7, np.concatenate([x, p]), e) for e in unit]).T
        dense = kernels_of(system).jacobian(names)(0.7, x, p)
        close(dense.reshape(n, -1), joint)
        sparse = kernels_of(system).sparse_jacobian(names)(0.7, x, p)
        assert sparse.shape == joint.shape
        close(sparse.toarray(), joint)
        u = directions[0, :n].copy()
        close(kernels_of(system).transposed(names)(0.7, x, p, u), joint.T @ u)


def test_the_pattern_holds_what_depends_on_what():
    """A ring of five with one more link: each row has itself, its source and the extra one."""
    system = BOUND["ring"]
    pattern = kernels_of(system).sparse_jacobian()(0.0, np.arange(5.0), np.array([0.8, 0.4]))
    assert pattern.nnz == 5 + 6
    assert set(zip(*pattern.nonzero(), strict=True)) == (
        {(k, k) for k in range(5)} | {((k + 1) % 5, k) for k in range(5)} | {(2, 0)}
    )


@dl.flow
def angles(x: dl.PerNode, y: dl.PerNode, *, a=0.3):
    i = dl.nodes("i")
    turned = dl.sin(x[i]) + a * dl.cos(y[i])
    return {
        x[i]: dl.cos(x[i]) * dl.cos(turned) - dl.sin(y[i]) + dl.cos(2 * x[i]),
        y[i]: dl.sin(turned) + dl.sin(x[i]) ** 2,
    }


def test_sine_and_cosine_of_one_angle_are_those_of_the_library():
    """In steps of many nodes with a rest; angles inside angles, and one too large for the lanes."""
    n = 37
    x, y = np.random.default_rng(3).normal(scale=5, size=(2, n))
    x[5], y[20] = 1e6, -3e9
    turned = np.sin(x) + 0.3 * np.cos(y)
    written_out = [
        np.cos(x) * np.cos(turned) - np.sin(y) + np.cos(2 * x),
        np.sin(turned) + np.sin(x) ** 2,
    ]
    system = angles.on(n)
    found = kernels_of(system).rhs(0.0, np.concatenate([x, y]), np.array([0.3]))
    # Sums of three numbers of size 1, each good to some units of rounding.
    np.testing.assert_allclose(found, np.concatenate(written_out), rtol=0, atol=2e-15)
    # Of the angles x, turned and y; 2 x has no sine.
    assert loop_source(lower_loops("rhs", system)).count("_wide_sin_and_cos(") == 3


@pytest.mark.parametrize("terms", range(12))
def test_sums_over_links_of_every_length(terms):
    """One and two scalar products with the same weights; exact, for the numbers are whole."""

    @dl.flow
    def fed(x: dl.PerNode, *, A: dl.PerLink = 1.0):
        i, j = dl.nodes("i j")
        return {x[i]: dl.Sum(A[i, j] * x[j], j) * dl.Sum(A[i, j] * x[j] ** 2, j)}

    n = 13
    rng = np.random.default_rng(terms)
    weights, x = np.zeros((n, n)), rng.integers(-9, 10, n).astype(float)
    for row in range(n - 1):
        at = rng.choice(n, terms, replace=False)
        weights[row, at] = rng.integers(1, 9, terms)
    system = fed.on(weights)
    found = kernels_of(system).rhs(0.0, x, np.zeros(1))
    np.testing.assert_array_equal(found, (weights @ x) * (weights @ x**2))
