"""What holds for every energy and every symplectic method: laws of the flow and of its steps."""

import dataclasses
import pickle

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import dynlab as dl
from dynlab import zoo
from dynlab.symbolic.derivatives import jacobian
from dynlab.symbolic.tree import symbol

METHODS = (dl.Verlet, dl.Yoshida4, dl.BlanesMoan4, dl.BlanesMoan6, dl.KahanLi8)
MODELS = tuple(name for name in zoo.names() if zoo.get(name).pairs)
#: Those whose energy is a sum of kinetic and potential energy, as kicks and drifts need it.
SPLIT = tuple(name for name in MODELS if name != "double_pendulum")
methods = pytest.mark.parametrize("method", METHODS, ids=lambda m: m.__name__)
models = pytest.mark.parametrize("name", MODELS)


def energy_of(system):
    (found,) = [o.expression for o in system.observables if o.name == "energy"]
    return found


def test_the_zoo_has_energies():
    assert len(MODELS) >= 6


@models
def test_the_flow_keeps_the_energy_and_the_volume(name):
    system = zoo.get(name)
    slopes = jacobian((energy_of(system),), system.state_names)
    rate = sum(s * f for s, f in zip(slopes, system.rule, strict=True))
    assert sympy.simplify(rate) == 0
    n = len(system.state_names)
    assert sympy.simplify(sum(jacobian(system.rule, system.state_names)[:: n + 1])) == 0


@pytest.mark.parametrize("name", SPLIT)
@methods
def test_forward_and_back_returns_to_the_start(name, method):
    # A symmetric step is undone by the step back; what stays is rounding, which the flow magnifies: the
    # Kepler orbit, in the steepest place, by some 1e3.
    system, method = zoo.get(name), method(step=0.02)
    there = dl.integrate(system, duration=10.0, at=[10.0], method=method)
    back = dl.integrate(system, start=there.final, duration=-10.0, at=[-10.0], method=method)
    assert np.abs(back.values[-1] - system.start_values).max() < 1e-12


@methods
def test_turning_the_momenta_turns_the_time(method):
    system, method = zoo.henon_heiles, method(step=0.05)
    there = dl.integrate(system, duration=20.0, at=[20.0], method=method).final
    turned = there | {"px": -there["px"], "py": -there["py"]}
    back = dl.integrate(system, start=turned, duration=20.0, at=[20.0], method=method).final
    ends = np.array(list(back.values())) * [1, 1, -1, -1]
    assert np.abs(ends - system.start_values).max() < 1e-12


@methods
def test_a_step_is_symplectic(method):
    @dl.hamiltonian
    def plain(x=0.3, y=0.1, px=0.5, py=-0.2):
        return dl.sqrt(1 + px**2 + 2 * py**2) + x**2 * y - dl.cos(x + 2 * y) + y**4

    # K = H_q . dq + H_p . dp, where q and dp, and dq and p, are pairs: the kicks and drifts of K are the
    # tangents of those of H, so the method applied to K gives the exact derivative of its own step.
    energy = energy_of(plain)
    states = [symbol(n) for n in plain.state_names]
    shifts = sympy.symbols("dx dy dpx dpy", real=True)
    rates = [energy.diff(s) for s in states]
    tangent_energy = sum(r * d for r, d in zip(rates, shifts, strict=True))

    @dl.hamiltonian(pairs={"x": "dpx", "y": "dpy", "dx": "px", "dy": "py"})
    def tangent(x=0.3, y=0.1, px=0.5, py=-0.2, dx=0.0, dy=0.0, dpx=0.0, dpy=0.0):
        return tangent_energy

    made, one = method(step=0.4), {"duration": 0.4, "at": [0.4]}
    columns = [
        dl.integrate(tangent, start={f"d{n}": 1.0}, method=made, **one) for n in plain.state_names
    ]
    M = np.column_stack([c.values[-1][4:] for c in columns])
    J = np.block([[np.zeros((2, 2)), np.eye(2)], [-np.eye(2), np.zeros((2, 2))]])
    assert np.abs(M.T @ J @ M - J).max() < 1e-13
    # It is the derivative of the step: central differences agree to their own error, h^2 = 1e-8.
    step = 1e-4
    for j, name in enumerate(plain.state_names):
        ends = [
            dl.integrate(plain, start={name: plain[name] + s}, method=made, **one).values[-1]
            for s in (step, -step)
        ]
        assert np.abs((ends[0] - ends[1]) / (2 * step) - M[:, j]).max() < 1e-6


def test_the_energy_error_does_not_grow_but_that_of_a_runge_kutta_method_does():
    system, times = zoo.henon_heiles, np.linspace(0, 1e5, 40_001)
    early, late = times < 1e4, times > 9e4

    def errors(method):
        energy = dl.integrate(system, duration=1e5, at=times, method=method)["energy"]
        found = np.abs(energy - energy[0])
        return found[early].max(), found[late].max()

    begin, end = errors(dl.Verlet(step=0.1))  # a million steps
    assert end < 1.2 * begin
    begin, end = errors(dl.KahanLi8(step=0.4))
    assert end < 1.2 * begin
    begin, end = errors(dl.Explicit8(rtol=1e-5, atol=1e-5))
    assert end > 5 * begin


KINETIC = (
    lambda p, r, a, b: a * p**2 / 2 + b * r**2,
    lambda p, r, a, b: dl.sqrt(1 + a * p**2 + b * r**2),
    lambda p, r, a, b: (a * p**2 + b * r**2 + p * r / 4) / 2 + p**4 / 10,
)
POTENTIAL = (
    lambda x, y, c, d: c * x**2 + d * y**2 + x**2 * y**2,
    lambda x, y, c, d: c * x**4 + d * y**2 - dl.cos(x * y),
    lambda x, y, c, d: dl.exp(c * x) + dl.exp(-d * x) + (x - y) ** 2,
)
NUMBER = st.floats(0.2, 2.0)


@settings(max_examples=12)
@given(st.sampled_from(KINETIC), st.sampled_from(POTENTIAL), st.tuples(*[NUMBER] * 4))
def test_random_energies_are_conserved_and_agree_with_another_method(kinetic, potential, values):
    @dl.hamiltonian
    def made(x=0.3, y=-0.4, p=0.2, r=0.5, *, a=1.0, b=1.0, c=1.0, d=1.0):
        return kinetic(p, r, a, b) + potential(x, y, c, d)

    system = made(**dict(zip("abcd", values, strict=True)))
    run = dl.integrate(system, duration=5.0, method=dl.KahanLi8(step=0.05))
    # Frequencies up to 4: (4 h)^8 is 2.6e-6, times the constant of the method, some 1e-5.
    assert run.energy_error < 1e-10
    other = dl.integrate(
        system, duration=5.0, at=[5.0], method=dl.Explicit8(rtol=1e-12, atol=1e-13)
    )
    assert np.abs(run.values[-1] - other.values[-1]).max() < 1e-9


@models
def test_pairs_survive_storing_pickling_and_new_values(name, tmp_path):
    system = zoo.get(name)
    for again in (
        dl.load(system.save(tmp_path / "system.npz")),
        pickle.loads(pickle.dumps(system)),
    ):
        assert again == system
        assert again.pairs == system.pairs
    values = dict.fromkeys(system.parameter_names, 0.5)
    assert system(**values).pairs == system.pairs
    assert system.with_start(**{system.pairs[0][0]: 0.25}).pairs == system.pairs
    assert dataclasses.replace(system, name="other").pairs == system.pairs


def test_toda_has_its_second_integral():
    # Henon 1974: regular at every energy.
    def second(x, y, px, py):
        root = dl.sqrt(3)
        return (
            8 * px * (px**2 - 3 * py**2)
            + (px + root * py) * dl.exp(2 * y - 2 * root * x)
            + (px - root * py) * dl.exp(2 * y + 2 * root * x)
            - 2 * px * dl.exp(-4 * y)
        )

    run = dl.integrate(
        zoo.toda.with_observable(second=second), duration=100, method=dl.KahanLi8(step=0.05)
    )
    assert np.ptp(run["second"]) < 1e-12
    assert run.energy_error < 1e-13
