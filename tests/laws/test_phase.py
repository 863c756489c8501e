"""Phase response, kicks and isochrons: closed forms, Z . f = 1, the direct method, and what they imply.

The twisted clock r' = r (1 - r^2), theta' = 1 + b (1 - r^2) has the phase theta - b log r everywhere: the
gradient on the cycle, the reset by any kick and the isochrons are known (Winfree 1980; Guckenheimer 1975).
"""

from __future__ import annotations

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo
from dynlab.codegen.kernels import kernels_of

SNIC = {"gCa": 4.0, "V3": 12.0, "V4": 17.4, "phi": 1 / 15}
TWISTS = (0.0, 0.7, -2.0)


@dl.flow
def clock(x=1.0, y=0.0, *, b=0.7, stretch=1.0, side=1.0):
    """In x and stretch * y; side = -1 makes the cycle repel."""
    w = y / stretch
    s = 1 - x**2 - w**2
    turn = 1 + b * s
    return {x: side * s * x - turn * w, y: stretch * (side * s * w + turn * x)}


def angle_of(system, points):
    """The exact phase, as an angle."""
    x, y = points.T[0], points.T[1] / system["stretch"]
    return np.arctan2(y, x) - system["side"] * system["b"] * np.log(np.hypot(x, y))


def wrapped(angles):
    return np.mod(angles + np.pi, 2 * np.pi) - np.pi


def turn_of(b, side=1.0, stretch=1.0):
    system = clock(b=b, side=side, stretch=stretch)
    return dl.find_cycle(system, start={"x": 1.0, "y": 0.0}, period=6.2)


CYCLES = {
    "fitzhugh_nagumo": lambda: dl.find_cycle(zoo.fitzhugh_nagumo(I=0.5)),
    "hodgkin_huxley": lambda: dl.find_cycle(zoo.hodgkin_huxley(I=10)),
    "van_der_pol": lambda: dl.find_cycle(zoo.van_der_pol(mu=5.0)),
    "brusselator": lambda: dl.find_cycle(zoo.brusselator(B=3.0)),
    "morris_lecar": lambda: dl.find_cycle(zoo.morris_lecar(I=50, **SNIC)),
}


@pytest.fixture(scope="module")
def responses():
    return {name: dl.phase_response(make()) for name, make in CYCLES.items()}


@pytest.mark.parametrize("b", TWISTS)
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_the_gradient_of_the_twisted_clock_is_known(b, side):
    """Of the cycle that repels, too: a boundary-value problem needs no direction of time."""
    response = dl.phase_response(turn_of(b, side))
    x, y = response.cycle["x"], response.cycle["y"]
    assert np.max(np.abs(response["x"] - (-y - side * b * x))) < 1e-9
    assert np.max(np.abs(response["y"] - (x - side * b * y))) < 1e-9


@pytest.mark.parametrize("name", CYCLES)
def test_the_response_along_the_flow_is_1_at_every_phase(responses, name):
    response = responses[name]
    assert response.accuracy < 1e-9
    places = np.sort(np.random.default_rng(1).uniform(0, 1, 400))
    system = response.system
    rhs, p = kernels_of(system).rhs, np.array(system.parameter_values)
    states = response.cycle.at(places * response.period)
    points = np.column_stack(list(states.values()))
    rates = np.array([rhs(0.0, x, p) for x in points])
    gradient = np.column_stack(list(response.at(places).values()))
    assert np.max(np.abs(np.sum(gradient * rates, axis=1) - 1.0)) < 2e-9


@pytest.mark.parametrize("name", ["fitzhugh_nagumo", "hodgkin_huxley"])
def test_small_kicks_shift_the_phase_by_the_gradient(responses, name):
    """Central differences of the direct method, extrapolated once: an error of fourth order in the kick."""
    response = responses[name]
    state = response.system.state_names[0]
    size = 1e-3 * float(np.ptp(response.cycle[state]))

    def slope(kick):
        up, down = (response.to_pulse({state: s * kick}, phases=12) for s in (1, -1))
        return (up.shift - down.shift) / (2 * kick)

    exact = response.at(np.arange(12) / 12, state)
    direct = (4 * slope(size / 2) - slope(size)) / 3
    assert np.max(np.abs(direct - exact)) < 1e-6 * np.max(np.abs(exact))


@pytest.mark.parametrize("b", TWISTS)
@pytest.mark.parametrize("kick", [0.6, -0.5, 1.8])
def test_the_reset_by_a_finite_kick_is_known(b, kick):
    response = dl.phase_response(turn_of(b))
    pulse = response.to_pulse({"x": kick}, phases=24)
    states = response.cycle.at(pulse.phases * response.period)
    points = np.column_stack(list(states.values()))
    before, after = (angle_of(response.system, points + np.array([k, 0.0])) for k in (0.0, kick))
    moved = 2 * np.pi * (pulse.new_phases - pulse.phases)
    assert np.max(np.abs(wrapped(moved - (after - before)))) < 1e-8
    # The kicked circle winds round the origin only if it is kicked by less than its radius.
    assert pulse.resetting_type == (1 if abs(kick) < 1 else 0)
    assert pulse.status.ok


@pytest.mark.parametrize(("b", "stretch"), [(0.0, 1.0), (0.7, 1.0), (-2.0, 3.0)])
def test_the_isochrons_of_the_twisted_clock_are_spirals(b, stretch):
    fans = dl.isochrons(turn_of(b, stretch=stretch), phases=5)
    exact = angle_of(fans.cycle.system, fans.points)
    start = angle_of(fans.cycle.system, fans.cycle.profile[:1])
    missed = wrapped(exact - start - 2 * np.pi * np.repeat(fans.phases, fans.lengths))
    assert np.max(np.abs(missed)) < 1e-8
    assert fans.accuracy < 1e-8
    radius = np.hypot(fans.points[:, 0], fans.points[:, 1] / stretch)
    for curve in np.split(radius, np.cumsum(fans.lengths)[:-1]):
        assert np.all(np.diff(curve) > 0)  # in order, from the inner end outwards
        assert curve[0] < 0.1
        assert curve[-1] > 1.4


def test_the_period_changes_with_a_parameter_as_the_response_to_it_says(responses):
    """dT/dI = -T <Z . df/dI>: advance per time, summed over a period."""
    response = responses["hodgkin_huxley"]
    period = [dl.find_cycle(zoo.hodgkin_huxley(I=I)).period for I in (9.99, 10.01)]
    places = (np.arange(4000) + 0.5) / 4000
    gained = response.period * float(np.mean(response.at(places, "I")))
    assert (period[1] - period[0]) / 0.02 == pytest.approx(-gained, rel=1e-5)
    assert np.allclose(response["I"], response["V"])  # C = 1


def test_excitation_delays_hodgkin_huxley_but_not_a_cell_near_its_snic(responses):
    """Types II and I (Hansel, Mato and Meunier 1995)."""
    assert responses["hodgkin_huxley"].delayed_share("V") > 0.2
    assert responses["morris_lecar"].delayed_share("V") < 0.05


def test_near_a_snic_the_response_becomes_1_minus_cos():
    """Ermentrout 1996; the distance from that shape falls as 1 / T."""
    distances, periods = [], []
    places = np.arange(1000) / 1000
    for current in (40.2, 40.0):
        cycle = dl.find_cycle(zoo.morris_lecar(I=current, **SNIC), start={"V": 10.0, "w": 0.0})
        shape = dl.phase_response(cycle).at(places, "V")
        turning = np.fft.rfft(shape) / len(shape)
        expected = 1 - np.cos(2 * np.pi * places + np.angle(-turning[1]))
        distances.append(np.max(np.abs(shape / turning[0].real - expected)))
        periods.append(cycle.period)
    assert distances[1] < 0.06
    slope = np.log(distances[1] / distances[0]) / np.log(periods[1] / periods[0])
    assert slope == pytest.approx(-1.0, abs=0.05)


def test_a_cycle_that_goes_round_a_circle_has_the_response_of_its_speed():
    """theta' = w - sin theta: Z = 1 / theta', and pushes shift the phase by what they skip."""

    @dl.flow
    def rotor(theta: dl.Angle = 0.0, *, w=1.2):
        return {theta: w - dl.sin(theta)}

    response = dl.phase_response(dl.find_cycle(rotor))
    assert response.period == pytest.approx(2 * np.pi / np.sqrt(1.2**2 - 1), rel=1e-9)
    exact = 1 / (1.2 - np.sin(response.cycle["theta"]))
    assert np.max(np.abs(response["theta"] - exact)) < 1e-8
    pulse = response.to_pulse({"theta": 0.5}, phases=7)
    start = response.cycle.at(pulse.phases * response.period, "theta")
    skipped = [
        np.sum(0.5 / 2000 / (1.2 - np.sin(x + 0.5 * (np.arange(2000) + 0.5) / 2000))) for x in start
    ]
    assert np.allclose(pulse.shift, skipped, atol=1e-6)


def test_isochrons_of_a_rotating_pendulum():
    @dl.flow
    def pendulum(theta: dl.Angle = 0.0, v=1.0, *, g=0.3, T=1.3):
        return {theta: v, v: T - g * v - dl.sin(theta)}

    cycle = dl.find_cycle(pendulum)
    fans = dl.isochrons(cycle, phases=4)
    assert fans.accuracy < 1e-6
    feet = np.column_stack(list(fans.cycle.at(fans.phases * cycle.period).values()))
    for curve, foot in zip(fans.curves, feet, strict=True):
        low, high = np.min(curve, axis=0), np.max(curve, axis=0)
        assert np.all((low <= foot) & (foot <= high))  # through the cycle, one end on either side
        assert low[1] < 3.95
        assert high[1] > 4.7


def test_at_a_fold_the_response_is_infinite():
    rest = dl.find_equilibria(zoo.fitzhugh_nagumo).single()
    onset, _ = dl.continue_equilibrium(rest, vary="I", over=(0, 2)).points(dl.Hopf)
    fold = dl.continue_cycles(onset, over=(0, 1)).points(dl.Fold)[0]
    with pytest.raises(dl.NotConverged, match="fold of cycles"):
        dl.phase_response(fold.orbit)


def test_what_has_no_phase_is_refused():
    repelling = dl.phase_response(turn_of(0.7, -1.0))
    with pytest.raises(dl.UnsupportedSystemError, match="do not come back"):
        repelling.to_pulse({"x": 0.1})
    with pytest.raises(dl.UnsupportedSystemError, match="Take a stable cycle"):
        dl.isochrons(turn_of(0.7, -1.0))
    with pytest.raises(dl.UnsupportedSystemError, match="4 states"):
        dl.isochrons(CYCLES["hodgkin_huxley"]())


def test_bad_input_is_named():
    response = dl.phase_response(turn_of(0.7))
    with pytest.raises(dl.SettingError, match="takes a cycle"):
        dl.phase_response(clock)
    with pytest.raises(dl.UnknownNameError, match="'z'"):
        response.to_pulse({"z": 0.1})
    with pytest.raises(dl.UnknownNameError, match="'nothing'"):
        response["nothing"]
    with pytest.raises(dl.SettingError, match="whole number"):
        response.to_pulse({"x": 0.1}, phases=0)
    with pytest.raises(dl.SettingError, match="the kick is empty"):
        response.to_pulse({})
    with pytest.raises(dl.SettingError, match="must be finite"):
        response.at([0.1, np.nan])
    with pytest.raises(dl.SettingError, match="no range for 'y'"):
        dl.isochrons(response.cycle, within={"x": (-2, 2)})
    with pytest.raises(dl.SettingError, match="empty range"):
        dl.isochrons(response.cycle, within={"x": (-2, 2), "y": (1, -1)})
    with pytest.raises(dl.SettingError, match="whole number"):
        dl.isochrons(response.cycle, phases=2.5)


def test_results_are_saved_drawn_and_tabulated(tmp_path):
    response = dl.phase_response(turn_of(0.7))
    found = (
        response,
        response.to_pulse({"x": 0.3}, phases=6),
        dl.isochrons(response.cycle, phases=2),
    )
    for number, result in enumerate(found):
        again = dl.load(result.save(tmp_path / f"{number}.npz"))
        assert repr(again) == repr(result)
        table = result.to_table()
        assert len({len(column) for column in table.values()}) == 1
        for name, column in again.to_table().items():
            assert np.array_equal(column, table[name], equal_nan=True)
        assert result.plot().has_data()
    assert response.plot(show="y").get_ylabel() == "$Z_{y}$"
