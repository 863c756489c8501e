"""Binding a rule to graphs, matrices and sizes; what is refused, and why."""

import networkx as nx
import numpy as np
import pytest
import scipy.sparse

import dynlab as dl


@dl.flow
def consensus(x: dl.PerNode, *, A: dl.PerLink = 1.0, b: dl.PerNode = 0.5):
    i, j = dl.nodes("i j")
    return {x[i]: dl.Sum(A[i, j] * (x[j] - x[i]), j) + b[i]}


@dl.flow
def pair_of_sets(y: dl.PerNode("out"), h: dl.PerNode("hid"), *, V: dl.PerLink("out", "hid") = 1.0):
    i, j = dl.nodes("i j")
    return {y[i]: -y[i] + dl.Sum(V[i, j] * h[j], j), h[j]: -h[j]}


def rate(system, x):
    return (
        dl.integrate(system, start={"x": x}, duration=1e-6, at=[1e-6])["x"][0] / 1e-6
        - np.asarray(x) / 1e-6
    )


def matrix_of(system, name="A"):
    links = system.bound.links[0]
    full = np.zeros((system.bound.sizes[links.target], system.bound.sizes[links.source]))
    full[links.targets, links.sources] = system[name]
    return full


def test_an_edge_from_u_to_v_is_the_entry_v_u():
    graph = nx.DiGraph()
    graph.add_edge("a", "b", weight=2.0)
    graph.add_edge("c", "a", weight=3.0)
    system = consensus.on(graph)
    expected = np.zeros((3, 3))
    order = list(graph.nodes)
    expected[order.index("b"), order.index("a")] = 2.0
    expected[order.index("a"), order.index("c")] = 3.0
    np.testing.assert_array_equal(matrix_of(system), expected)


def test_an_undirected_edge_acts_both_ways():
    system = consensus.on(nx.path_graph(3))
    np.testing.assert_array_equal(matrix_of(system), nx.to_numpy_array(nx.path_graph(3)))


@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_matrix, scipy.sparse.coo_array])
def test_a_matrix_is_taken_as_it_stands(form):
    given = np.array([[0.5, 0.0, -1.0], [2.0, 0.0, 0.0], [0.0, 3.0, 0.0]])
    np.testing.assert_array_equal(matrix_of(consensus.on(form(given))), given)


def test_attributes_of_nodes_become_values_per_node():
    graph = nx.path_graph(3)
    nx.set_node_attributes(graph, {0: 1.0, 1: 2.0, 2: 3.0}, "b")
    np.testing.assert_array_equal(consensus.on(graph)["b"], [1.0, 2.0, 3.0])


def test_values_per_node_and_link():
    system = consensus.on(dl.AllToAll(3))
    np.testing.assert_array_equal(system["b"], [0.5, 0.5, 0.5])
    changed = system(b=[1.0, 2.0, 3.0], A=np.arange(9.0).reshape(3, 3))
    np.testing.assert_array_equal(changed["b"], [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(matrix_of(changed), np.arange(9.0).reshape(3, 3))
    np.testing.assert_array_equal(changed(b=0.0)["b"], np.zeros(3))
    assert changed != system
    assert changed(b=0.5, A=1.0)["b"].tolist() == [0.5] * 3
    moved = system.with_start(x=[1.0, 2.0, 3.0])
    assert moved.start_values == (1.0, 2.0, 3.0)


def test_names_of_the_numbers():
    system = pair_of_sets.on({"out": 2, "hid": 1}, links={"V": np.ones((2, 1))})
    assert system.state_names == ("y[0]", "y[1]", "h[0]")
    assert system.declared == ("y", "h")
    assert system.unit_of("y[1]") == ""


def test_binding_is_part_of_identity_and_survives_saving(tmp_path):
    import pickle

    graph = nx.gnp_random_graph(6, 0.7, seed=3)
    system = consensus.on(graph)(b=np.arange(6.0))
    assert system == consensus.on(graph)(b=np.arange(6.0))
    assert system != consensus.on(graph)
    assert hash(system) == hash(consensus.on(graph)(b=np.arange(6.0)))
    assert pickle.loads(pickle.dumps(system)) == system
    assert dl.load(system.save(tmp_path / "net")) == system
    run = dl.integrate(system, duration=1.0)
    again = dl.load(run.save(tmp_path / "run"))
    assert again.system == system
    np.testing.assert_array_equal(again["x"], run["x"])


REFUSED = {
    "no nodes": (lambda: consensus.on(nx.Graph()), ("at least 1",)),
    "size zero": (lambda: dl.AllToAll(0), ("at least 1", "dl.AllToAll")),
    "half a node": (lambda: dl.AllToAll(2.5), ("whole number",)),
    "nan weight": (
        lambda: consensus.on(np.array([[0, np.nan], [1, 0]])), ("'A'", "nan", "finite")),
    "infinite weight on an edge": (
        lambda: consensus.on(nx.Graph([(0, 1, {"weight": np.inf})])), ("weight", "finite")),
    "some edges without": (
        lambda: consensus.on(nx.Graph([(0, 1, {"weight": 1.0}), (1, 2)])), ("weight", "every edge")),
    "self-loop": (lambda: consensus.on(nx.Graph([(0, 0), (0, 1)])), ("1 self-loop", "selfloop_edges")),
    "not square": (lambda: consensus.on(np.ones((2, 3))), ("square", "(2, 3)")),
    "not a network": (lambda: consensus.on("ring"), ("networkx", "str")),
    "links without sizes": (
        lambda: consensus.on(nx.path_graph(2), links={"A": np.ones((2, 2))}), ("sizes",)),
    "one size missing": (lambda: pair_of_sets.on({"out": 2}), ("'hid'", "no size")),
    "unknown set": (lambda: pair_of_sets.on({"out": 2, "hidden": 2}), ("hidden", "hid")),
    "links missing": (lambda: pair_of_sets.on({"out": 2, "hid": 1}), ("'V'", "(2, 1)")),
    "unknown links": (
        lambda: pair_of_sets.on({"out": 2, "hid": 1}, links={"U": np.ones((2, 1))}), ("'U'", "V")),
    "transposed": (
        lambda: pair_of_sets.on({"out": 2, "hid": 1}, links={"V": np.ones((1, 2))}),
        ("(1, 2)", "(2, 1)", "from j to i")),
    "graph for two sets": (lambda: pair_of_sets.on(nx.path_graph(3)), ("out", "hid", "size")),
    "too many values": (lambda: consensus.on(dl.AllToAll(3))(b=[1.0, 2.0]), ("'b'", "2", "3 nodes")),
    "nan value": (lambda: consensus.on(dl.AllToAll(2))(b=[1.0, np.nan]), ("'b'", "place 1")),
    "unbound values": (lambda: consensus(b=[1.0, 2.0]), ("not bound", ".on(")),
    "start too long": (
        lambda: dl.integrate(consensus.on(dl.AllToAll(2)), start={"x": [1.0, 2.0, 3.0]}, duration=1),
        ("start['x']", "3", "2")),
    "start nan": (
        lambda: dl.integrate(consensus.on(dl.AllToAll(2)), start={"x": [1.0, np.nan]}, duration=1),
        ("start['x'][1]", "nan")),
    "nothing to bind": (lambda: dl.zoo.lorenz.on(nx.path_graph(3)), ("lorenz", "PerNode")),
    "run unbound": (lambda: dl.integrate(consensus, duration=1), ("not bound", ".on(")),
    "equilibria unbound": (lambda: dl.find_equilibria(consensus), ("not bound", ".on(")),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_what_does_not_fit_is_refused(case):
    act, parts = REFUSED[case]
    with pytest.raises(dl.DynlabError) as caught:
        act()
    for part in parts:
        assert part in str(caught.value)


def test_parts_without_a_link_are_told():
    with pytest.warns(dl.DegenerateWarning, match="2 components"):
        consensus.on(nx.Graph([(0, 1), (2, 3)]))


def define(body, *names):
    """Return a definition made in a function, so that its errors can be caught."""
    return dl.flow(body)


def test_what_equations_over_networks_may_not_say():
    i, j = dl.nodes("i j")

    def bare(x: dl.PerNode):
        return {x[i]: -x}

    def loose(x: dl.PerNode):
        return {x[i]: -x[i] + x[j]}

    def number(x: dl.PerNode):
        return {x[i]: i * x[i]}

    def constant(x: dl.PerNode):
        return {x[i]: dl.Sum(x[i], j)}

    def transposed(x: dl.PerNode, *, A: dl.PerLink = 1.0):
        return {x[i]: dl.Sum(A[j, i] * x[j], j)}

    def two_meanings(x: dl.PerNode("a"), y: dl.PerNode("b")):
        return {x[i]: x[i] + y[i], y[j]: -y[j]}

    def wrong_count(x: dl.PerNode, *, A: dl.PerLink = 1.0):
        return {x[i]: A[i] * x[i]}

    def twice(x: dl.PerNode):
        return {x[i]: -x[i], x[j]: x[j]}

    def not_an_index(x: dl.PerNode):
        return {x[0]: -x[0]}

    def outside(x: dl.PerNode):
        return {x[i]: dl.Sum(x[j], 3)}

    cases = {
        bare: ("x", "x[i]"), loose: ("index j", "sums"), number: ("index i", "number"),
        constant: ("does not depend on j",), transposed: ("from j", "other way round"),
        two_meanings: ("'a'", "'b'"), wrong_count: ("2 indices", "A[i, j]"),
        twice: ("two equations", "'x'"), not_an_index: ("x[0]", "dl.nodes"), outside: ("3", "dl.nodes"),
    }  # fmt: skip
    for body, parts in cases.items():
        with pytest.raises(dl.DefinitionError) as caught:
            dl.flow(body)
        for part in parts:
            assert part in str(caught.value), str(caught.value)


def test_annotations_may_be_texts():
    def spelled(E, W):
        i, j = dl.nodes("i j")
        return {E[i]: dl.Sum(W[i, j] * E[j], j), W[i, j]: -W[i, j]}

    spelled.__annotations__ = {
        "E": "dl.PerNode('exc')[dl.Angle]", "W": 'dynlab.PerLink("exc", "exc")'
    }  # fmt: skip
    system = dl.flow(spelled)
    assert system.shapes == {"E": ("exc",), "W": ("exc", "exc")}
    assert system.states[0].domain.value == "circle"


def test_letters_do_not_matter():
    def one(x: dl.PerNode, *, A: dl.PerLink = 1.0):
        i, j = dl.nodes("i j")
        return {x[i]: dl.Sum(A[i, j] * dl.sin(x[j] - x[i]), j)}

    def other(x: dl.PerNode, *, A: dl.PerLink = 1.0):
        j, i = dl.nodes("j i")
        return {x[j]: dl.Sum(A[j, i] * dl.sin(x[i] - x[j]), i)}

    assert dl.flow(one) == dl.flow(other)
    assert dl.flow(one).rule_hash == dl.flow(other).rule_hash
