"""What delays may be, and who says that it does not know them."""

import pickle

import numpy as np
import pytest

import dynlab as dl
from dynlab import DefinitionError, SettingError, UnknownNameError, UnsupportedSystemError


@dl.flow
def lagging(x=1.0, *, a=0.5, tau=1.0):
    return {x: a * x - dl.delayed(x, tau)}


def test_a_delay_is_part_of_the_definition():
    assert lagging.is_delayed
    assert [(lag.state, str(lag.delay)) for lag in lagging.delays] == [("x", "tau")]
    assert not dl.zoo.lorenz.is_delayed
    assert pickle.loads(pickle.dumps(lagging)) == lagging
    assert lagging(tau=2).rule_hash == lagging.rule_hash
    assert "x\\left(t - \\tau\\right)" in lagging._repr_latex_()


def test_it_is_saved_and_written_as_text(tmp_path):
    assert dl.load(lagging.save(tmp_path / "lagging.npz")) == lagging
    assert dl.from_toml(dl.to_toml(lagging)) == lagging
    text = dl.system(
        {"x": "a*x - delayed(x, tau)"}, parameters={"a": 0.5, "tau": 1}, start={"x": 1}
    )
    assert text.rule == lagging.rule


def test_powers_of_the_past_are_written_in_latex():
    @dl.flow
    def steep(x=1.0):
        return {x: -(dl.delayed(x, 2) ** 3) + dl.sigmoid(x) ** 2}

    assert "x\\left(t - 2\\right)^{3}" in steep._repr_latex_()


def test_a_delay_of_nothing_is_the_state_itself():
    @dl.flow
    def plain(x=1.0):
        return {x: -dl.delayed(x, 0)}

    assert not plain.is_delayed


@pytest.mark.parametrize(
    ("rule", "error", "words"),
    [
        (lambda x=1.0, *, tau=1.0: {x: dl.delayed(x**2, tau)}, DefinitionError, "each by itself"),
        (lambda x=1.0, *, tau=1.0: {x: dl.delayed(dl.delayed(x, 1), tau)}, DefinitionError, "each"),
        (lambda x=1.0: {x: dl.delayed(x, -1)}, DefinitionError, "into the future"),
        (
            lambda x=1.0, *, tau=1.0: {x: dl.delayed(tau, 1)},
            DefinitionError,
            "'tau', which is no state",
        ),
        (lambda x=1.0: {x: dl.delayed(dl.t, 1)}, DefinitionError, "no state"),
        (lambda x=1.0: {x: -dl.delayed(x, x)}, UnsupportedSystemError, "changes along the run"),
        (
            lambda x=1.0: {x: -dl.delayed(x, 1 + dl.sin(dl.t) / 2)},
            UnsupportedSystemError,
            "changes",
        ),
    ],
)
def test_what_cannot_be_delayed_is_refused(rule, error, words):
    with pytest.raises(error, match=words):
        dl.flow(rule)


def test_maps_and_networks_refuse_delays():
    with pytest.raises(UnsupportedSystemError, match="Make each earlier value a state"):
        dl.iterated_map(lambda x=1.0: {x: dl.delayed(x, 1)})

    def on_nodes(x: dl.PerNode = 1.0):
        i = dl.nodes("i")
        return {x[i]: -dl.delayed(x[i], 1)}

    with pytest.raises(UnsupportedSystemError, match="network with delays"):
        dl.flow(on_nodes)


def test_parts_that_do_not_go_with_delays_are_refused():
    with pytest.raises(UnsupportedSystemError, match="delays and noise"):
        lagging.with_noise(x=0.1)
    with pytest.raises(UnsupportedSystemError, match="delays and events"):
        lagging.with_event(when=lambda x: x)(lambda x: {x: 1})
    with pytest.raises(UnsupportedSystemError, match="in the equations alone"):
        lagging.with_observable(past=lambda x: dl.delayed(x, 1))
    crossing = dl.Crossing("past", lambda x: dl.delayed(x, 1))
    with pytest.raises(UnsupportedSystemError, match="in the equations alone"):
        dl.integrate(lagging, duration=1, record=crossing)


ASKED = [
    lambda: dl.bifurcation_diagram(lagging, vary="a", over=(0, 1)),
    lambda: dl.find_cycle(lagging),
    lambda: dl.covariant_vectors(lagging, duration=10, transient=1),
    lambda: dl.alignment_indices(lagging, duration=10),
    lambda: dl.finite_time_exponents(lagging, duration=3),
    lambda: dl.euler_map(lagging, step=0.1),
    lambda: dl.poincare_map(lagging, when=lambda x: x),
    lambda: dl.orbit_diagram(lagging, vary="a", over=(0, 1)),
    lambda: dl.find_attractors(lagging, within={"x": (-1, 1)}),
    lambda: dl.ensemble(lagging, starts={"x": np.ones(3)}, duration=1),
    lambda: dl.simulate(lagging, duration=1, method=dl.EulerMaruyama(step=0.1)),
    lambda: dl.phase_portrait(lagging, within={"x": (-1, 1), "y": (-1, 1)}),
    lambda: dl.continue_equilibrium(
        dl.find_equilibria(lagging, within={"x": (-1, 1)})[0], vary="a", over=(0, 1)
    ),
    lambda: dl.exponent_chart(lagging, vary={"a": [0, 1], "tau": [1, 2]}, duration=10),
]


@pytest.mark.parametrize("ask", ASKED, ids=range(len(ASKED)))
def test_who_does_not_know_delays_says_so(ask):
    with pytest.raises(
        UnsupportedSystemError, match=r"'lagging' cannot be used here: it has delays.*dl\.integrate"
    ):
        ask()


def test_methods_that_cannot_look_back_say_so():
    for method in (dl.Radau5(), dl.Taylor(), dl.Verlet(step=0.1)):
        with pytest.raises(UnsupportedSystemError, match="cannot look into the past"):
            dl.integrate(lagging, duration=1, method=method)
    with pytest.raises(SettingError, match="does not follow from its future"):
        dl.integrate(lagging, duration=-1)
    with pytest.raises(SettingError, match="is -1; it must be 0 or more"):
        dl.integrate(lagging(tau=-1), duration=1)


def test_histories_that_cannot_be_used_are_refused():
    with pytest.raises(SettingError, match="a function of the time for each state"):
        dl.integrate(lagging, duration=1, history=3)
    with pytest.raises(UnknownNameError, match="'y' is not a state"):
        dl.integrate(lagging, duration=1, history={"y": np.cos})
    with pytest.raises(SettingError, match="is no number"):
        dl.integrate(lagging, duration=1, history={"x": lambda t: "one"})
    with pytest.raises(SettingError, match="must be finite"):
        dl.integrate(lagging, duration=1, history={"x": lambda t: np.inf})
    with pytest.raises(SettingError, match="has no delays"):
        dl.integrate(dl.zoo.lorenz, duration=1, history={"x": np.cos})
    with pytest.raises(SettingError, match=r"over 0\.5, and the longest delay"):
        dl.integrate(lagging, duration=1, history=dl.integrate(lagging, duration=0.5))
    with pytest.raises(SettingError, match="without its steps"):
        dl.integrate(lagging, duration=1, history=dl.integrate(lagging, duration=5, at=[5]))
    with pytest.raises(SettingError, match="are not those of"):
        dl.integrate(lagging, duration=1, history=dl.integrate(dl.zoo.lorenz, duration=5))
    with pytest.warns(dl.AccuracyWarning, match="jumps or bends"):
        dl.integrate(lagging, duration=1, history={"x": lambda t: np.sign(t + 0.3)})


def test_how_many_exponents_must_be_said():
    for count in (None, 0, 1.5, 1000):
        with pytest.raises(SettingError, match="infinitely many exponents"):
            dl.lyapunov_spectrum(lagging, count=count, duration=10)


def test_too_many_steps_and_a_stop_leave_what_was_reached():
    run = dl.integrate(lagging, duration=1e6, method=dl.Explicit8(max_steps=500))
    assert run.status is dl.Status.TOO_MANY_STEPS
    assert len(run.t) > 100
    with dl.stop_after(0.2):
        run = dl.integrate(lagging(a=0.0), duration=1e9, at=[1.0, 1e9])
    assert run.status is dl.Status.STOPPED
    assert run.t.tolist() == [1.0]
