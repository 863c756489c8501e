"""One entry of a parameter per node or link varies as if the array had been changed by hand."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import dynlab as dl
from dynlab.codegen.kernels import kernels_of
from dynlab.symbolic.exposed import exposed

SIZE = 5


@dl.flow
def rates(x: dl.PerNode = 0.1, *, W: dl.PerLink = 1.0, b: dl.PerNode = 0.0, g=0.9):
    i, j = dl.nodes("i j")
    h = dl.each(i, dl.tanh(x[i] + b[i]))
    return {x[i]: -x[i] + b[i] + g * dl.Sum(W[i, j] * h[j], j)}


@pytest.fixture(scope="module")
def network():
    random = np.random.default_rng(5)
    weights = random.normal(size=(SIZE, SIZE)) / 2
    weights[0, 3] = weights[4, 1] = 0.0
    named = rates.with_observable(drive=lambda b, x: dl.Sum(b[_j] * x[_j], _j))
    return named.on(weights)(b=random.normal(size=SIZE) / 3)


_j = dl.nodes("j")


def dense(system):
    """Return the weights as a matrix."""
    links = system.bound.between("node", "node")
    matrix = np.zeros((SIZE, SIZE))
    matrix[links.targets, links.sources] = system["W"]
    return matrix


def changed(system, name, value):
    """Return the system with an entry of its arrays changed by hand."""
    if name.startswith("b"):
        values = system["b"].copy()
        values[int(name[2])] = value
        return system(b=values)
    matrix = dense(system)
    matrix[int(name[2]), int(name[5])] = value
    return system(W=matrix)


@pytest.mark.parametrize("name", ["b[0]", "b[4]", "W[2, 1]", "W[3, 3]"])
def test_a_varied_entry_is_the_array_changed_by_hand(network, name):
    varied, hand = exposed(network, name)(**{name: 0.7}), changed(network, name, 0.7)
    x = np.random.default_rng(1).normal(size=SIZE)
    for kernel in ("rhs", "observables"):
        ours = getattr(kernels_of(varied), kernel)(0.0, x, np.array(varied.parameter_values))
        theirs = getattr(kernels_of(hand), kernel)(0.0, x, np.array(hand.parameter_values))
        np.testing.assert_allclose(ours, theirs, rtol=1e-14, atol=1e-15)
    for quantity in ("b", "W"):
        np.testing.assert_array_equal(varied[quantity], hand[quantity])
    assert varied[name] == hand[name] == 0.7
    assert exposed(network, name)[name] == network[name]


def test_derivatives_by_an_entry_are_those_written_by_hand(network):
    x = np.random.default_rng(2).normal(size=SIZE)
    slope = 1 / np.cosh(x + network["b"]) ** 2
    hand = {
        "b[1]": np.eye(SIZE)[1] + 0.9 * dense(network)[:, 1] * slope[1],
        "W[2, 4]": 0.9 * np.tanh(x + network["b"])[4] * np.eye(SIZE)[2],
    }
    for name, expected in hand.items():
        system = exposed(network, name)
        values = np.array(system.parameter_values)
        flat = kernels_of(system).jacobian((name,))(0.0, x, values)
        found = flat.reshape(SIZE, SIZE + 1)[:, -1]
        np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-15)
        sparse = kernels_of(system).sparse_jacobian((name,))(0.0, x, values)
        np.testing.assert_allclose(sparse.toarray()[:, -1], expected, rtol=1e-14, atol=1e-15)


def test_two_entries_of_one_array_vary_apart(network):
    both = exposed(exposed(network, "b[0]"), "b[3]")(**{"b[0]": 0.2, "b[3]": -0.4})
    hand = changed(changed(network, "b[0]", 0.2), "b[3]", -0.4)
    x = np.linspace(-1, 1, SIZE)
    found = kernels_of(both).rhs(0.0, x, np.array(both.parameter_values))
    expected = kernels_of(hand).rhs(0.0, x, np.array(hand.parameter_values))
    np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-15)
    np.testing.assert_array_equal(both["b"], hand["b"])


def test_which_entry_varies_is_data(network):
    one, other = exposed(network, "b[0]"), exposed(network, "b[3]")
    assert one.rule_hash == other.rule_hash
    assert one != other
    assert exposed(one, "b[0]") is one
    assert exposed(network, "g") is network


def test_a_branch_in_an_entry_meets_the_network_changed_by_hand(network):
    rest = dl.find_equilibria(network, within={"x": (-4, 4)})[0]
    for name, over in (("b[2]", (-0.5, 1.0)), ("W[2,1]", (-1.0, 1.5))):
        branch = dl.continue_equilibrium(rest, vary=name, over=over)
        assert branch.vary == {"W[2,1]": "W[2, 1]"}.get(name, name)
        assert branch.status.ok
        there = branch.at(**{branch.vary: over[1]}).single()
        residual = kernels_of(hand := changed(network, branch.vary, over[1])).rhs(
            0.0, there.state, np.array(hand.parameter_values)
        )
        np.testing.assert_allclose(residual, 0.0, atol=1e-10)  # branch.at solves to 1e-12
        np.testing.assert_array_equal(branch[name.replace("2,1", "2, 1")], branch.values)
        assert branch.vary in branch.to_table()
        assert there[branch.vary] == over[1]


def test_a_network_is_followed_in_no_more_steps_than_its_equations_written_out():
    weights = np.array([[0, 1, 0.5], [2, 0, 1], [1, 1, 0]]) / 2

    @dl.flow
    def written(x=0.1, y=0.1, z=0.1, *, g=0.9):
        a, b, c = dl.tanh(x), dl.tanh(y), dl.tanh(z)
        return {
            x: -x + 0.1 + g * (b + c / 2) / 2,
            y: -y + 0.2 + g * (2 * a + c) / 2,
            z: -z + 0.3 + g * (a + b) / 2,
        }

    @dl.flow
    def indexed(x: dl.PerNode = 0.1, *, W: dl.PerLink = 1.0, b: dl.PerNode = 0.0, g=0.9):
        i, j = dl.nodes("i j")
        return {x[i]: -x[i] + b[i] + g * dl.Sum(W[i, j] * dl.tanh(x[j]), j)}

    by_hand = dl.find_equilibria(written, within=dict.fromkeys("xyz", (-3, 3))).single()
    network = indexed.on(weights)(b=[0.1, 0.2, 0.3])
    rest = dl.find_equilibria(network, within={"x": (-3, 3)}).single()
    one, other = (dl.continue_equilibrium(p, vary="g", over=(0, 2)) for p in (rest, by_hand))
    assert one.status.ok
    assert len(one) <= len(other)  # steps of networks are longer by the root of the number of nodes
    for g in (0.3, 1.7):
        here, there = (branch.at(g=g).single() for branch in (one, other))
        np.testing.assert_allclose(here.state, there.state, atol=1e-11)


def test_a_varied_entry_is_stored_and_pickled(network, tmp_path):
    system = exposed(network, "W[2, 1]")(**{"W[2, 1]": 0.3})
    assert pickle.loads(pickle.dumps(system)) == system
    assert dl.load(system.save(tmp_path / "one")) == system
    other = system(W=dense(network))
    assert other["W[2, 1]"] == network["W[2, 1]"]
    assert system(W=0.25)["W[2, 1]"] == 0.25


REFUSED = {
    "b[5]": ("node 5", "there are 5", "up to 4"),
    "W[0, 3]": ("no link from 3 to 0", "zero in a dense matrix"),
    "W[1]": ("per link", "W[2, 1]"),
    "b[1, 2]": ("per node", "b[2]"),
    "c[1]": ("'c[1]'", "b[...]"),
    "x[1]": ("'x[1]'", "parameter"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_entry_that_is_not_there_is_told(network, name):
    with pytest.raises(dl.DynlabError) as caught:
        exposed(network, name)
    for part in REFUSED[name]:
        assert part in str(caught.value)
