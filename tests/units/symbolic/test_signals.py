"""Inputs in the language of equations: signals, pulses, freezing, phases."""

import pickle

import numpy as np
import pytest

import dynlab as dl
from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import kernels_of
from dynlab.errors import (
    DefinitionError,
    DuplicateNameError,
    SettingError,
    UnknownNameError,
    UnsupportedSystemError,
)
from dynlab.symbolic.functions import recorded
from dynlab.symbolic.tree import TIME, symbol

TIMES = np.array([0.0, 0.3, 1.1, 1.7, 3.0])
WAVE = dl.Recording(TIMES, [1.0, 2.0, -1.0, 0.5, 1.0])
TAP = dl.Recording([0.0, 2.0, 3.0], [0.0, 4.0, 0.0], dl.Previous)


@dl.flow(units={"drive": "mV"})
def driven(x=0.5, *, tau=2.0, drive: dl.Signal, tap: "dl.Signal" = 0.25):
    return {x: (drive - x) / tau + tap * x**2}


BOUND = driven.with_signal(drive=WAVE, tap=TAP)


def values_of(system, expression, times):
    """Evaluate an expression of the time with the compiled kernel."""
    kernel, p = kernels_of(system).expressions([expression]), inputs_of(system).parameters
    x = np.array(system.start_values)
    return np.array([kernel(t, x, p)[0] for t in np.ravel(times)])


def test_a_signal_is_declared_behind_the_star():
    assert driven.signal_names == ("drive", "tap")
    assert driven.parameter_names == ("tau",)
    assert driven.unit_of("drive") == "mV"
    assert not driven.is_autonomous
    assert "drive(t)" in repr(driven)
    assert r"\operatorname" not in driven._repr_latex_()


@pytest.mark.parametrize("order", [0, 1, 2, 3])
@pytest.mark.parametrize("beyond", ["inside", "held", "repeated"])
@pytest.mark.parametrize("interpolation", [dl.Previous, dl.Linear, dl.Monotone, dl.Spline])
def test_compiled_signals_and_their_derivatives_are_the_piecewise_polynomial(
    interpolation, beyond, order
):
    made = dl.Recording(TIMES, WAVE.values, interpolation)
    recording = made if beyond == "inside" else getattr(made, beyond)()
    system = driven.with_signal(drive=WAVE, tap=recording)  # the second one
    low, high = (0.0, 3.0) if beyond == "inside" else (-4.0, 10.0)
    times = np.random.default_rng(1).uniform(low, high, 50)
    found = values_of(system, recorded(symbol("tap"), TIME, order), times)
    inside = 3.0 * (times / 3.0 % 1.0) if beyond == "repeated" else times
    row = np.clip(np.searchsorted(TIMES, inside, side="right") - 1, 0, len(TIMES) - 2)
    expected = np.array([
        np.polynomial.Polynomial(recording.pieces[i]).deriv(order)(t - TIMES[i])
        for i, t in zip(row, np.clip(inside, 0, 3), strict=True)
    ])  # fmt: skip
    if beyond == "held" and order:
        expected[(times < 0) | (times > 3)] = 0.0
    assert np.allclose(found, expected, rtol=1e-12, atol=1e-12)
    if order == 0:
        assert np.allclose(found, recording(times), rtol=1e-12, atol=1e-12)


def test_uneven_and_even_times_find_the_same_pieces():
    rng = np.random.default_rng(2)
    for times in (
        np.linspace(0, 3, 400),
        np.sort(rng.uniform(0, 3, 400)),
        np.geomspace(1, 4, 400) - 1,
    ):
        recording = dl.Recording(times, rng.normal(size=400), dl.Previous).held()
        system = driven.with_signal(drive=recording)
        at = np.concatenate([times, times + 1e-9, times - 1e-9, rng.uniform(0, 3, 100)])
        assert np.array_equal(
            values_of(system, recorded(symbol("drive"), TIME, 0), at), recording(at)
        )


def test_beyond_a_refused_recording_a_kernel_gives_nan():
    assert np.isnan(values_of(BOUND, recorded(symbol("drive"), TIME, 0), [-0.1, 3.1])).all()


def test_binding_another_recording_compiles_nothing():
    other = driven.with_signal(drive=TAP)
    assert other.rule_hash == BOUND.rule_hash
    assert kernels_of(other).rhs.address == kernels_of(BOUND).rhs.address
    assert other != BOUND
    x, p = np.array([0.5]), inputs_of(BOUND).parameters
    assert kernels_of(BOUND).rhs(1.9, x, p) != kernels_of(other).rhs(1.9, x, p)


def test_signals_survive_storing_and_pickling(tmp_path):
    for again in (pickle.loads(pickle.dumps(BOUND)), dl.load(BOUND.save(tmp_path / "s.npz"))):
        assert again == BOUND
        assert again.signals == BOUND.signals
        assert np.array_equal(inputs_of(again).arrays, inputs_of(BOUND).arrays)
    assert pickle.loads(pickle.dumps(driven)) == driven
    assert BOUND(tau=3.0).signals == BOUND.signals


def test_a_signal_with_a_default_needs_no_recording():
    run = dl.integrate(driven.with_signal(drive=WAVE), duration=3.0)
    assert run.status.ok
    constant = dl.Recording([0.0, 3.0], [0.25, 0.25])
    other = dl.integrate(driven.with_signal(drive=WAVE, tap=constant), duration=3.0)
    assert np.allclose(run.final["x"], other.final["x"], rtol=1e-12)


def test_signals_stand_in_observables_and_crossings():
    watched = BOUND.with_observable(gap=lambda x, drive: drive - x)
    meets = dl.Crossing("meets", lambda x, drive: drive - x)
    run = dl.integrate(watched, duration=3.0, record=meets)
    assert np.allclose(run["gap"], WAVE(run.t) - run["x"], rtol=0, atol=1e-12)
    found = run.events["meets"]
    assert len(found) >= 2
    assert np.allclose(WAVE(found.times), found["x"], rtol=0, atol=1e-9)


def test_a_network_takes_signals():
    @dl.flow
    def net(x: dl.PerNode = 0.0, *, A: dl.PerLink = 1.0, g: dl.PerNode = 1.0, u: dl.Signal):
        i, j = dl.nodes("i j")
        return {x[i]: g[i] * u - x[i] + dl.Sum(A[i, j] * (x[j] - x[i]), j)}

    matrix = np.array([[0.0, 1.0, 0.0], [0.5, 0.0, 0.0], [0.0, 2.0, 0.0]])
    gains = np.array([1.0, -1.0, 2.0])
    system = net.on(matrix)(g=gains).with_signal(u=WAVE)
    x, t = np.array([0.1, 0.2, -0.3]), 0.9
    found = kernels_of(system).rhs(t, x, inputs_of(system).parameters)
    coupling = (matrix * (x[None, :] - x[:, None])).sum(axis=1)
    assert np.allclose(found, gains * WAVE(t) - x + coupling, rtol=1e-14)
    again = pickle.loads(pickle.dumps(system))
    assert again == system
    assert dl.integrate(again, duration=3.0).status.ok


def test_a_hamiltonian_takes_signals():
    @dl.hamiltonian
    def pushed(q=0.0, p=0.0, *, push: dl.Signal):
        return p**2 / 2 - q * push

    smooth = dl.Recording(np.linspace(0, 4, 9), np.linspace(0, 4, 9) ** 2, dl.Spline)
    run = dl.integrate(
        pushed.with_signal(push=smooth), duration=4.0, method=dl.BlanesMoan4(step=0.1)
    )
    # The spline of a parabola is the parabola: p = t^3/3, q = t^4/12, of degree within the order.
    assert np.abs(run["p"] - run.t**3 / 3).max() < 1e-12
    assert np.abs(run.at([0.33, 1.77])["q"] - np.array([0.33, 1.77]) ** 4 / 12).max() < 1e-8


# -- pulses -----------------------------------------------------------------------------------


def test_pulses_steps_and_ramps_are_these_functions_of_time():
    @dl.flow
    def made(x=0.0, *, a=1.0, b=2.5, T=2.0, w=0.5):
        return {x: -x}

    t = np.array([-1.0, 0.0, 0.9, 1.0, 1.2, 1.5, 2.4, 2.5, 3.0, 3.4, 3.6, 5.2])
    a, b, T, w = (symbol(n) for n in "abTw")
    shown = {
        dl.step(a): t >= 1,
        dl.pulse(a, w): (t >= 1) & (t < 1.5),
        dl.ramp(a, b): np.clip((t - 1) / 1.5, 0, 1),
        dl.pulse_train(T, w): (t >= 0) & (t % 2 < 0.5),
        dl.pulse_train(T, w, a): (t >= 1) & ((t - 1) % 2 < 0.5),
        dl.pulse_train(2, 0.5, start=-10): (t % 2) < 0.5,
    }
    for expression, expected in shown.items():
        found = values_of(made, expression, t)
        assert np.allclose(found, np.asarray(expected, float), rtol=0, atol=1e-15)


@pytest.mark.parametrize(
    "wrong", [lambda: dl.step(dl.t), lambda: dl.pulse(0, dl.t), lambda: dl.ramp(dl.t > 0, 1)]
)
def test_the_time_of_a_pulse_does_not_run(wrong):
    with pytest.raises(DefinitionError, match="is no time for a pulse"):
        wrong()


# -- frozen -----------------------------------------------------------------------------------


def test_a_frozen_system_stands_still_at_a_moment():
    @dl.flow(time="s")
    def made(x=1.0, *, r=2.0, u: dl.Signal):
        return {x: u + r * dl.t - x}

    bound = made.with_signal(u=WAVE).with_observable(lag=lambda x, t: x - t)
    frozen = bound.frozen(at=0.7)
    assert frozen.is_autonomous
    assert frozen.parameter_names == ("r", "u", "t0")
    assert frozen["t0"] == 0.7
    assert frozen.unit_of("t0") == "s"
    assert frozen["u"] == WAVE(0.7)
    (found,) = dl.find_equilibria(frozen, within={"x": (-10, 10)})
    assert found["x"] == pytest.approx(WAVE(0.7) + 2.0 * 0.7, abs=1e-14)
    assert dl.zoo.lorenz.frozen(at=3.0) == dl.zoo.lorenz


def test_a_diagram_in_the_moment_follows_the_moving_equilibrium():
    @dl.flow
    def warming(x=-1.0, *, speed=0.1):
        return {x: speed * dl.t + x - x**3}

    diagram = dl.bifurcation_diagram(warming.frozen(at=0.0), vary="t0", over=(0, 8))
    (fold,) = diagram.points(dl.Fold)
    # speed t = x^3 - x is largest at x = -1/sqrt 3: 2/(3 sqrt 3).
    assert fold["t0"] == pytest.approx(10 * 2 / (3 * 3**0.5), rel=1e-9)
    for branch in diagram.branches:
        assert np.allclose(0.1 * branch["t0"] + branch["x"] - branch["x"] ** 3, 0, atol=1e-8)


def test_a_signal_becomes_a_parameter_to_vary():
    frozen = driven.with_signal(drive=WAVE).frozen(at=0.3)(tau=1.0)
    assert (frozen["drive"], frozen["tap"]) == (2.0, 0.25)
    (fold,) = dl.bifurcation_diagram(
        frozen, vary="drive", over=(-3, 2), within={"x": (-8, 8)}
    ).points(dl.Fold)
    # drive - x + x^2/4 has a double root at drive = 1.
    assert fold["drive"] == pytest.approx(1.0, rel=1e-9)


def test_the_moment_may_have_another_name():
    made = dl.flow(lambda x=1.0, *, t0=2.0: {x: t0 * dl.t - x})
    with pytest.raises(DuplicateNameError, match="t0"):
        made.frozen(at=1.0)
    assert made.frozen(at=1.0, time="moment").parameter_names == ("t0", "moment")


# -- phases -----------------------------------------------------------------------------------


def test_a_phase_in_place_of_the_time_gives_the_same_motion():
    @dl.flow
    def duffing(x=1.0, v=0.0, *, omega=1.2, F=0.3):
        return {x: v, v: x - x**3 - 0.25 * v + F * dl.cos(omega * dl.t)}

    turning = duffing.with_phase(theta="omega")
    assert turning.is_autonomous
    assert turning.states[-1].domain.value == "circle"
    method = dl.Explicit8(rtol=1e-12, atol=1e-12)
    plain = dl.integrate(duffing, duration=10, at=[10.0], method=method)
    again = dl.integrate(turning, duration=10, at=[10.0], method=method)
    assert again["theta"][0] == pytest.approx(12.0, rel=1e-12)
    assert again["x"][0] == pytest.approx(plain["x"][0], abs=1e-8)
    with pytest.raises(UnknownNameError, match="omgea"):
        duffing.with_phase(theta="omgea")
    with pytest.raises(DuplicateNameError, match="x"):
        duffing.with_phase(x="omega")
    with pytest.raises(DefinitionError, match="one phase"):
        duffing.with_phase()


# -- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda: dl.integrate(driven, duration=1), SettingError, r"'drive' of 'driven' has no recording.*with_signal\(drive="),
        (lambda: dl.integrate(BOUND, duration=4), SettingError, r"'drive' is needed from t = 0 to 4 and recorded from 0 to 3"),
        (lambda: dl.integrate(BOUND, duration=-1), SettingError, "needed from t = -1 to 0"),
        (lambda: driven.with_signal(drvie=WAVE), UnknownNameError, "Did you mean 'drive'"),
        (lambda: driven.with_signal(drive=[0, 1]), SettingError, r"drive=dl\.Recording\(times, values\)"),
        (lambda: driven(drive=1.0), UnknownNameError, "use with_signal"),
        (lambda: driven.frozen(at=0.5), SettingError, "has no recording"),
        (lambda: BOUND.frozen(at=5.0), SettingError, "needed from t = 5 to 5"),
        (lambda: BOUND.frozen(at=float("nan")), SettingError, "at is nan"),
        (lambda: dl.find_equilibria(BOUND), UnsupportedSystemError, r"frozen\(at=\.\.\.\)"),
        (lambda: dl.zoo.lorenz.with_signal(u=WAVE), UnknownNameError, "'u'"),
    ],
)  # fmt: skip
def test_a_signal_that_is_missing_or_too_short_is_named(act, error, message):
    with pytest.raises(error, match=message):
        act()


def test_a_signal_is_no_state():
    with pytest.raises(DefinitionError, match="behind the star"):

        @dl.flow
        def made(u: dl.Signal, x=1.0):
            return {x: u - x}


def test_a_signal_has_no_equation():
    with pytest.raises(DefinitionError, match="not a state"):

        @dl.flow
        def made(x=1.0, *, u: dl.Signal):
            return {x: u - x, u: 0}


def test_names_of_signals_and_quantities_differ():
    with pytest.raises(DefinitionError):
        driven.with_observable(drive=lambda x: x)
