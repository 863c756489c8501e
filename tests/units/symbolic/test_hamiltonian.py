"""How an energy is written, and what is said when it cannot be."""

import dataclasses

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo
from dynlab.errors import DefinitionError, SettingError, UnknownNameError, UnsupportedSystemError


def test_coordinates_come_first_and_then_their_momenta():
    @dl.hamiltonian
    def made(x=1.0, y=2.0, px=3.0, py=4.0, *, m=5.0):
        return px**2 / (2 * m) + py**2 / 2 + x * y

    assert made.pairs == (("x", "px"), ("y", "py"))
    assert made.observable_names == ("energy",)
    assert [str(e) for e in made.rule] == ["px/m", "py", "-y", "-x"]
    assert made.start_values == (1.0, 2.0, 3.0, 4.0)
    assert made["m"] == 5.0


def test_pairs_may_stand_in_any_order():
    @dl.hamiltonian(pairs={"a": "b", "c": "d"}, time="s", units={"a": "m"})
    def made(a=1.0, b=0.0, c=0.5, d=0.0):
        """Two springs."""
        return (a**2 + b**2 + 4 * c**2 + d**2) / 2

    run = dl.integrate(made, duration=3.0, method=dl.KahanLi8(step=0.05))
    assert np.abs(run["a"] - np.cos(run.t)).max() < 1e-12
    assert np.abs(run["c"] - 0.5 * np.cos(2 * run.t)).max() < 1e-10
    assert made.reference == "Two springs."
    assert (made.time.unit, made.unit_of("a")) == ("s", "m")


def test_removable_singularities_are_removed_before_differentiating():
    @dl.hamiltonian
    def made(q=0.0, p=1.0):
        return p**2 / 2 + dl.sin(q) / q

    # -d/dq (sin q / q) = q/3 + ... is 0 at 0, where the quotient rule would give 0/0.
    run = dl.integrate(made, duration=1.0, method=dl.Verlet(step=0.01))
    assert run.status.ok
    assert run.energy_error < 1e-5


def test_domains_are_those_of_the_states():
    assert [s.domain.value for s in zoo.pendulum.states] == ["circle", "line"]


@pytest.mark.parametrize(
    ("define", "message"),
    [
        (lambda: dl.hamiltonian(lambda q=1.0, p=0.0, r=0.0: q), "3 positional arguments (q, p, r)"),
        (lambda: dl.hamiltonian(lambda *, a=1.0: a), "0 positional arguments"),
        (lambda: dl.hamiltonian(lambda q=1.0, p=0.0: {q: p, p: -q}), "return the energy alone"),
        (lambda: dl.hamiltonian(lambda q=1.0, p=0.0: None), "is None"),
        (lambda: dl.hamiltonian(lambda q=1.0, p=0.0: np.sin(q)), "functions of dl"),
        (lambda: dl.hamiltonian(3.0), "is defined by a function"),
        (lambda: dl.hamiltonian(pairs={"q": "p"})(lambda q=1.0, p=0.0, r=0.0: q), "look at r"),
        (lambda: dl.hamiltonian(pairs={"q": "x"})(lambda q=1.0, p=0.0: q), "look at p, x"),
        (lambda: dl.hamiltonian(pairs={"q": "q"})(lambda q=1.0, p=0.0: q), "look at p, q"),
        (lambda: dl.hamiltonian(pairs=["q", "p"])(lambda q=1.0, p=0.0: q), "pairs={'x': 'px'}"),
    ],
)
def test_what_is_no_energy_is_refused(define, message):
    with pytest.raises(DefinitionError) as caught:
        define()
    assert message in str(caught.value)


def test_a_state_must_not_be_called_energy():
    with pytest.raises(DefinitionError, match="energy"):
        dl.hamiltonian(lambda energy=1.0, p=0.0: energy**2 + p**2)


def test_a_mixed_term_is_named_and_another_method_advised():
    @dl.hamiltonian
    def three_bodies(x=0.994, y=0.0, px=0.0, py=-1.0, *, mu=0.012277471):
        sun = dl.sqrt((x + mu) ** 2 + y**2)
        moon = dl.sqrt((x - 1 + mu) ** 2 + y**2)
        return (px**2 + py**2) / 2 + y * px - x * py - (1 - mu) / sun - mu / moon

    with pytest.raises(UnsupportedSystemError, match="Gauss8") as caught:
        dl.integrate(three_bodies, duration=1.0, method=dl.BlanesMoan4(step=0.01))
    assert "px*y" in str(caught.value) or "py*x" in str(caught.value)
    assert "three_bodies" in str(caught.value)
    assert dl.integrate(three_bodies, duration=1.0).energy_error < 1e-8


def test_a_term_that_only_looks_mixed_is_none():
    @dl.hamiltonian
    def made(q=1.0, p=0.0):
        return (p + q) ** 2 / 2 - p * q

    run = dl.integrate(made, duration=3.0, method=dl.KahanLi8(step=0.05))
    assert np.abs(run["q"] - np.cos(run.t)).max() < 1e-12


def test_the_kinetic_part_must_not_depend_on_the_time():
    @dl.hamiltonian
    def made(q=1.0, p=0.0):
        return p**2 / 2 * (2 + dl.cos(dl.t)) + q**2 / 2

    with pytest.raises(UnsupportedSystemError, match=r"p\*\*2\*cos\(t\)"):
        dl.integrate(made, duration=1.0, method=dl.Verlet(step=0.1))


def test_a_flow_without_energy_is_refused():
    with pytest.raises(UnsupportedSystemError, match=r"'lorenz' has no energy.*dl\.hamiltonian"):
        dl.integrate(zoo.lorenz, duration=1.0, method=dl.Verlet(step=0.01))
    run = dl.integrate(zoo.lorenz, duration=1.0)
    with pytest.raises(UnsupportedSystemError, match="does not exist"):
        _ = run.energy_error


def test_no_energy_error_where_the_energy_depends_on_the_time():
    driven = dl.hamiltonian(lambda q=1.0, p=0.0: p**2 / 2 + q**2 / 2 - q * dl.cos(dl.t))
    run = dl.integrate(driven, duration=1.0, method=dl.Verlet(step=0.01))
    with pytest.raises(UnsupportedSystemError, match="depends on the time"):
        _ = run.energy_error
    assert "energy error" not in repr(run)


@pytest.mark.parametrize("step", [0.0, -0.1, float("nan"), float("inf"), "0.1", None])
def test_a_step_must_be_positive(step):
    with pytest.raises(SettingError, match="step"):
        dl.Verlet(step=step)


def test_a_count_must_be_positive():
    with pytest.raises(SettingError, match="max_steps"):
        dl.KahanLi8(step=0.1, max_steps=0)


def test_pairs_must_name_the_states():
    with pytest.raises(DefinitionError, match="Name each state once"):
        dataclasses.replace(zoo.pendulum, pairs=(("theta", "q"),))


def test_an_unknown_name_in_the_energy_is_named():
    with pytest.raises(UnknownNameError, match="omgea"):
        dl.hamiltonian(lambda q=1.0, p=0.0: p**2 / 2 + omgea * q)  # noqa: F821
