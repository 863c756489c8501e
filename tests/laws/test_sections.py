"""Sections of flows are maps: closed forms, exact derivatives, and what must not depend on the section."""

import math
import pickle

import mpmath as mp
import numpy as np
import pytest
from scipy.linalg import expm

import dynlab as dl
from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import kernels_of
from dynlab.errors import SettingError, UnknownNameError, UnsupportedSystemError
from dynlab.kernels.section import NO_RETURN

# The steps keep an error of 1e-11; what a section says is compared with ten times that.
TOLERANCE = 1e-10


@dl.flow
def circling(x=1.0, y=0.0, *, mu=1.0, omega=1.0):
    return {
        x: mu * x - omega * y - x * (x**2 + y**2),
        y: omega * x + mu * y - y * (x**2 + y**2),
    }


@dl.flow
def swing(x=1.0, v=0.0, *, k=1.3, c=0.2, F=0.7, omega=2.0):
    return {x: v, v: -k * x - c * v + F * dl.cos(omega * dl.t)}


@dl.flow
def roessler(x=1.0, y=1.0, z=1.0, *, a=0.2, b=0.2, c=2.5):
    return {x: -y - z, y: x + a * y, z: b + z * (x - c)}


def _values(section):
    return np.array(section.parameter_values)


def _radius_after_a_turn(r, mu, omega):
    """r' = mu r - r^3 over 2 pi / omega."""
    return 1 / mp.sqrt(1 / mu + (1 / r**2 - 1 / mu) * mp.exp(-4 * mp.pi * mu / omega))


@pytest.fixture(scope="module")
def cycle():
    return dl.find_cycle(roessler)


class TestStuartLandau:
    section = dl.poincare_map(circling(mu=0.3, omega=1.7), when=lambda y: y)
    at = (0.35, 0.3, 1.7)

    def _exact(self, *orders):
        with mp.workdps(40):
            return float(mp.diff(_radius_after_a_turn, self.at, orders))

    def test_next_point_and_return_time(self):
        kernels = kernels_of(self.section)
        x, p = np.array([self.at[0]]), _values(self.section)
        with mp.workdps(40):
            exact = float(_radius_after_a_turn(*self.at))
        # The last step is taken again to end on the section: as exact as the steps.
        assert abs(kernels.rhs(0.0, x, p)[0] - exact) < 1e-12
        assert abs(kernels.observables(0.0, x, p)[0] - 2 * math.pi / 1.7) < 1e-11

    def test_first_derivatives(self):
        kernel = kernels_of(self.section).jacobian(("mu", "omega"))
        found = kernel(0.0, np.array([self.at[0]]), _values(self.section))
        exact = [self._exact(1, 0, 0), self._exact(0, 1, 0), self._exact(0, 0, 1)]
        assert found == pytest.approx(exact, abs=TOLERANCE)

    @pytest.mark.parametrize("order", [1, 2, 3])
    def test_derivatives_along_directions(self, order):
        kernel = kernels_of(self.section).derivative(order, ("mu", "omega"))
        places = np.indices((3,) * order).reshape(order, -1).T
        units = np.eye(3)
        for chosen in places:
            orders = [int(np.sum(chosen == k)) for k in range(3)]
            found = kernel(
                0.0, np.array([self.at[0]]), _values(self.section), *(units[k] for k in chosen)
            )
            assert found[0] == pytest.approx(self._exact(*orders), abs=3e-9)

    def test_multiplier_of_the_cycle(self):
        point = dl.find_equilibria(self.section, within={"x": (0.1, 1.5)}).single()
        period = 2 * math.pi / 1.7
        assert point["x"] == pytest.approx(math.sqrt(0.3), abs=1e-11)
        assert point["return_time"] == pytest.approx(period, abs=1e-10)
        assert point.eigenvalues[0].real == pytest.approx(
            math.exp(-2 * 0.3 * period), abs=TOLERANCE
        )

    def test_either_way_is_half_a_turn(self):
        half = dl.poincare_map(circling(mu=0.3, omega=1.7), when=lambda y: y, direction=0)
        orbit = dl.iterate(half, start={"x": 0.35}, duration=2)
        assert orbit["return_time"] == pytest.approx(np.full(3, math.pi / 1.7), abs=1e-10)
        once = dl.iterate(self.section, start={"x": 0.35}, duration=1)
        assert orbit["x"][2] == pytest.approx(once["x"][1], abs=1e-11)


class TestStroboscopic:
    section = dl.stroboscopic_map(swing, period=lambda omega: 2 * math.pi / omega)

    @staticmethod
    def _exact(x, v, omega):
        z = 0.7 / (1.3 - omega**2 + 0.2j * omega)
        answer = np.array([z.real, (1j * omega * z).real])
        turned = expm(np.array([[0.0, 1.0], [-1.3, -0.2]]) * 2 * math.pi / omega)
        return turned @ (np.array([x, v]) - answer) + answer

    def test_closed_form(self):
        found = dl.iterate(self.section, start={"x": 0.4, "v": -0.3}, duration=1)
        exact = self._exact(0.4, -0.3, 2.0)
        assert found.values[1] == pytest.approx(exact, abs=1e-11)

    def test_answer_and_multipliers(self):
        point = dl.find_equilibria(self.section, within={"x": (-2, 2), "v": (-2, 2)}).single()
        z = 0.7 / (1.3 - 4.0 + 0.4j)
        assert [point["x"], point["v"]] == pytest.approx([z.real, (2j * z).real], abs=1e-11)
        exact = np.linalg.eigvals(expm(np.array([[0.0, 1.0], [-1.3, -0.2]]) * math.pi))
        assert np.sort_complex(point.eigenvalues) == pytest.approx(
            np.sort_complex(exact), abs=TOLERANCE
        )

    def test_the_period_follows_the_frequency(self):
        kernel = kernels_of(self.section).jacobian(("omega",))
        found = kernel(0.0, np.array([0.4, -0.3]), _values(self.section)).reshape(2, 3)
        # Central difference of the closed form: errors h^2 and eps / h.
        h = 1e-5
        exact = (self._exact(0.4, -0.3, 2 + h) - self._exact(0.4, -0.3, 2 - h)) / (2 * h)
        assert found[:, 2] == pytest.approx(exact, abs=1e-9)

    def test_an_angle_as_section_is_the_same_map(self):
        turning = swing.with_phase(phase="omega")
        section = dl.poincare_map(turning, when=lambda phase: phase)
        start = {"x": 0.4, "v": -0.3}
        one, other = (dl.iterate(s, start=start, duration=3) for s in (section, self.section))
        assert one.values == pytest.approx(other.values, abs=1e-10)

    def test_a_flow_without_time_over_a_time(self):
        section = dl.stroboscopic_map(circling, period=0.7)
        found = dl.iterate(section, start={"x": 0.5, "y": 0.1}, duration=4)
        run = dl.integrate(
            circling, start={"x": 0.5, "y": 0.1}, duration=2.8, at=[0, 0.7, 1.4, 2.1, 2.8]
        )
        assert found.values == pytest.approx(run.values, abs=1e-8)


class TestOfACycle:
    """A cycle's multipliers belong to the cycle, whichever section and method shows them."""

    @pytest.mark.parametrize(
        "when",
        [
            lambda x, y: x + 0.3 * y,
            lambda y, z: -y - z,  # x is largest
            lambda z, x, y: z - 0.05 - 0.01 * x * y,
        ],
    )
    def test_multipliers_agree_with_collocation(self, cycle, when):
        section = dl.poincare_map(roessler, when=when, direction=-1)
        guard = section.guard
        names = roessler.state_names
        # A start on the section: where the cycle passes it.
        crossed = dl.integrate(
            roessler, start={n: cycle[n][0] for n in names}, duration=1.2 * cycle.period,
            record=dl.Crossing("there", when, direction=-1),
        ).events["there"]  # fmt: skip
        assert len(crossed) >= 1, guard
        start = {n: crossed[n][0] for n in section.state_names}
        near = {n: (v - 0.02, v + 0.02) for n, v in start.items()}
        point = dl.find_equilibria(section.with_start(**start), within=near).single()
        assert point["return_time"] == pytest.approx(cycle.period, rel=1e-9)
        others = np.sort(
            np.abs(np.delete(cycle.multipliers, np.argmin(abs(cycle.multipliers - 1))))
        )
        assert np.sort(np.abs(point.eigenvalues)) == pytest.approx(others, abs=1e-9)

    def test_a_branch_has_the_doubling_of_the_cycles(self, cycle):
        section = dl.poincare_map(roessler, when=lambda x: x)
        point = dl.find_equilibria(
            section.with_start(y=-4.5, z=0.06), within={"y": (-6, -2), "z": (0, 0.3)}
        ).single()
        here = dl.continue_equilibrium(point, vary="c", over=(2.2, 3.2))
        there = dl.continue_cycles(cycle, vary="c", over=(2.2, 3.2))
        one, other = here.points(dl.PeriodDoubling)[0], there.points(dl.PeriodDoubling)[0]
        assert one["c"] == pytest.approx(other["c"], abs=1e-8)
        assert one.criticality == other.criticality == "supercritical"
        assert one["return_time"] == pytest.approx(other.period, rel=1e-8)

    def test_two_returns_of_the_doubled_cycle(self):
        section = dl.poincare_map(roessler(c=3.0), when=lambda x: x).with_start(y=-5.5, z=0.05)
        orbit = dl.find_periodic_orbits(section, period=2, within={"y": (-6, -4), "z": (0, 0.1)})
        states = {n: v[0] for n, v in orbit.single().states.items()}
        again = dl.iterate(section, start=states, duration=2)
        assert again.values[2] == pytest.approx(again.values[0], abs=1e-10)
        assert orbit.single().is_stable


def test_iterates_are_the_crossings_of_a_run():
    lorenz = dl.zoo.lorenz
    section = dl.poincare_map(lorenz, when=lambda z, rho: z - (rho - 1), direction=-1)
    start = {"x": 5.0, "y": 1.0}
    orbit = dl.iterate(section, start=start, duration=8)
    run = dl.integrate(
        lorenz, start=section.lifted(start), duration=float(orbit["return_time"][:8].sum()) + 0.01,
        record=dl.Crossing("down", lambda z, rho: z - (rho - 1), direction=-1),
        method=dl.Explicit8(rtol=1e-13, atol=1e-13),
    )  # fmt: skip
    # Errors of 1e-11 grow by exp(0.9 t) over some 6 time units: some 200 times.
    assert orbit["x"][1:] == pytest.approx(run.events["down"]["x"][:8], abs=1e-7)
    assert np.cumsum(orbit["return_time"])[:8] == pytest.approx(
        run.events["down"].times[:8], abs=1e-8
    )


def test_forced_duffing_doubles_where_the_phase_flow_does():
    @dl.flow
    def duffing(x=-0.9, v=0.6, *, delta=0.3, gamma=0.2, omega=1.2):
        return {x: v, v: -delta * v + x - x**3 + gamma * dl.cos(omega * dl.t)}

    section = dl.stroboscopic_map(duffing, period=lambda omega: 2 * math.pi / omega)
    points = dl.find_equilibria(section, within={"x": (-1.5, 1.5), "v": (-1, 1)})
    assert [p.kind for p in points] == ["stable focus", "stable focus", "saddle"]
    # In the two wells the answers are each other's image under x -> -x, half a period later.
    assert points[0].eigenvalues == pytest.approx(points[1].eigenvalues, abs=1e-9)
    for point in points:
        assert np.prod(point.eigenvalues).real == pytest.approx(
            math.exp(-0.3 * 2 * math.pi / 1.2), abs=1e-9
        )
    doublings = [
        dl.continue_equilibrium(p, vary="gamma", over=(0.1, 0.35)).points(dl.PeriodDoubling)
        for p in points[:2]
    ]
    first, second = (found[0] for found in doublings)
    assert first["gamma"] == pytest.approx(second["gamma"], abs=1e-9)
    assert min(abs(first.eigenvalues + 1)) < 1e-8


class TestFaces:
    section = dl.poincare_map(roessler, when=lambda x: x)

    def test_names(self):
        assert self.section.state_names == ("y", "z")
        assert self.section.is_discrete
        assert self.section(c=4.0)["c"] == 4.0
        assert self.section.with_start(y=-3.0)["y"] == -3.0
        assert self.section.lifted({"y": -3.0}) == {"x": 0.0, "y": -3.0, "z": 1.0}
        assert "rising" in repr(self.section)
        with pytest.raises(UnknownNameError):
            self.section["x"]
        with pytest.raises(UnknownNameError):
            self.section.with_start(x=1.0)

    def test_saved_and_pickled(self, tmp_path):
        assert pickle.loads(pickle.dumps(self.section)) == self.section
        orbit = dl.iterate(self.section, start={"y": -4, "z": 0.05}, duration=3)
        again = dl.load(orbit.save(tmp_path / "orbit"))
        assert again.system == self.section
        assert np.array_equal(again.values, orbit.values)
        strobe = dl.stroboscopic_map(swing, period=lambda omega: 2 * math.pi / omega)
        assert pickle.loads(pickle.dumps(strobe)) == strobe

    def test_threads_own_their_workspace(self):
        first, second = inputs_of(self.section), inputs_of(self.section)
        assert first.workspace is not second.workspace


class TestWhenItDoesNotWork:
    def test_kernels_and_status_agree(self):
        assert NO_RETURN == dl.Status.NO_RETURN

    def test_no_return(self):
        spiral = dl.poincare_map(circling(mu=-1.0), when=lambda x: x - 0.5, longest=50)
        orbit = dl.iterate(spiral, start={"y": 0.0}, duration=5)
        assert orbit.status is dl.Status.NO_RETURN
        assert "longest" in orbit.status.advice
        assert len(dl.find_equilibria(spiral, within={"y": (-1, 1)})) == 0

    def test_blow_up(self):
        @dl.flow
        def runaway(x=0.0, y=1.0):
            return {x: 1 + 0 * y, y: y**2}

        section = dl.poincare_map(runaway, when=lambda x: x - 2)
        assert dl.iterate(section, start={"y": 1.0}, duration=1).status is dl.Status.DIVERGED

    def test_a_tangent_flow_has_no_return(self):
        @dl.flow
        def flat(x=0.0, y=0.0):
            return {x: 1 + 0 * y, y: 3 * dl.sin(x) ** 2 * dl.cos(x)}

        # y = sin(t)^3 rises through zero without speed: no derivative exists, and no exact time.
        section = dl.poincare_map(flat, when=lambda y: y, longest=20)
        assert dl.iterate(section, duration=1).status is dl.Status.SINGULAR
        assert np.isnan(kernels_of(section).jacobian()(0.0, np.zeros(1), np.zeros(1))).all()

    @pytest.mark.parametrize(
        ("build", "words"),
        [
            (lambda: dl.poincare_map(circling, when=lambda x, y: x**2 + y**2 - 1), "graph"),
            (lambda: dl.poincare_map(circling, when=lambda mu: mu - 1), "state"),
            (lambda: dl.poincare_map(circling, when=lambda x, t: x - t), "time"),
            (lambda: dl.poincare_map(circling, when=lambda x: x, direction=2), "direction"),
            (lambda: dl.poincare_map(circling, when=lambda x: x, longest=0), "longest"),
            (lambda: dl.poincare_map(circling, when=lambda x: x, method=dl.Radau5()), "Explicit8"),
            (lambda: dl.stroboscopic_map(swing, period=0), "positive"),
            (lambda: dl.stroboscopic_map(swing, period=-1.0), "positive"),
            (lambda: dl.stroboscopic_map(swing, period=1.0), "repeat"),
            (lambda: dl.stroboscopic_map(swing, period=lambda x: x), "depends"),
            (lambda: dl.stroboscopic_map(swing, period="1"), "number"),
        ],
    )
    def test_settings_are_named(self, build, words):
        with pytest.raises(SettingError, match=words):
            build()

    def test_a_surface_that_the_flow_runs_along(self):
        @dl.flow
        def invariant(x=1.0, y=1.0):
            return {x: x * (1 - y), y: x - y}

        with pytest.raises(SettingError, match="runs along"):
            dl.poincare_map(invariant, when=lambda x: x)

    def test_names_and_kinds(self):
        with pytest.raises(UnknownNameError):
            dl.poincare_map(circling, when=lambda w: w)
        with pytest.raises(UnsupportedSystemError, match="map"):
            dl.poincare_map(dl.zoo.henon, when=lambda x: x)
        with pytest.raises(UnsupportedSystemError, match="depends on the time"):
            dl.poincare_map(swing, when=lambda x: x)
        kicked = circling.with_event(when=lambda x: x - 1, direction=+1)(thrown_back)
        with pytest.raises(UnsupportedSystemError, match="events"):
            dl.stroboscopic_map(kicked, period=1.0)
        section = dl.poincare_map(circling, when=lambda y: y)
        with pytest.raises(UnsupportedSystemError, match="third"):
            kernels_of(section).derivative(4)
        with pytest.raises(SettingError, match="angle"):
            dl.poincare_map(swing.with_phase(q="omega"), when=lambda q: q, direction=0)


def thrown_back(x, y):
    return {x: 0.5 * x}


def test_exponents_per_return_are_those_of_the_flow_times_the_return_time():
    section = dl.poincare_map(dl.zoo.lorenz, when=lambda z, rho: z - (rho - 1), direction=-1)
    section = section.with_start(x=5.0, y=1.0)
    found = dl.lyapunov_spectrum(section, duration=2000, transient=50, seed=1)
    mean = dl.iterate(section, duration=2000)["return_time"].mean()
    # Per time 0.906 and -14.572 (Sprott 2003, Chaos and Time-Series Analysis); the sum is known better.
    errors = found.standard_errors / mean
    assert found.exponents[0] / mean == pytest.approx(0.906, abs=4 * errors[0] + 0.01)
    assert found.exponents.sum() / mean == pytest.approx(-41 / 3, rel=0.01)


def test_a_section_of_a_star_keeps_energy_and_area():
    section = dl.poincare_map(dl.zoo.henon_heiles, when=lambda x: x)
    start = {"y": -0.15, "px": math.sqrt(2 / 8 - 0.15**2 - 2 * 0.15**3 / 3), "py": 0.0}
    orbit = dl.iterate(section, start=start, duration=100)
    y, px, py = (orbit[n] for n in ("y", "px", "py"))
    energy = (px**2 + py**2 + y**2) / 2 - y**3 / 3
    # Some 60 000 steps of relative error 1e-11 at most, of random sign.
    assert energy == pytest.approx(np.full(101, 1 / 8), abs=1e-8)
    # The map is of y and py at a fixed energy; x' dx dp is kept: det over three states = px / px'.
    matrix = kernels_of(section).jacobian()(0.0, orbit.values[0], _values(section)).reshape(3, 3)
    assert np.linalg.det(matrix) == pytest.approx(px[0] / px[1], rel=1e-9)


def test_an_ensemble_of_a_section_holds_its_orbits():
    section = dl.poincare_map(roessler, when=lambda x: x)
    many = dl.ensemble(
        section, starts={"y": [-4.0, -3.0]}, parameters={"c": [2.5, 3.0]}, duration=6, at=range(7)
    )
    one = dl.iterate(section(c=3.0), start={"y": -3.0}, duration=6)
    assert np.array_equal(many["y"][1], one["y"])


def test_doublings_follow_each_other_and_continue_in_two_parameters():
    section = dl.poincare_map(roessler, when=lambda x: x).with_start(y=-4.5, z=0.06)
    point = dl.find_equilibria(section, within={"y": (-6, -2), "z": (0, 0.3)}).single()
    first = dl.continue_equilibrium(point, vary="c", over=(2.2, 3.2)).points(dl.PeriodDoubling)[0]
    doubled = dl.switch_branch(first, over=(2.2, 4.0))
    second = doubled.points(dl.PeriodDoubling)[1]
    assert second.period == 2
    # Where the cycle of two rounds doubles, by collocation.
    single = dl.continue_cycles(dl.find_cycle(roessler), vary="c", over=(2.2, 3.2))
    two = dl.continue_cycles(single.points(dl.PeriodDoubling)[0], over=(2.2, 4.0))
    values = [p["c"] for p in two.points(dl.PeriodDoubling)]
    assert min(abs(np.array(values) - second["c"])) < 1e-6
    curve = dl.continue_bifurcation(
        first, vary=("c", "a"), over={"c": (2.6, 3.2), "a": (0.15, 0.25)}
    )
    other = dl.poincare_map(roessler(a=0.21), when=lambda x: x).with_start(y=-4.5, z=0.06)
    there = dl.find_equilibria(other, within={"y": (-6, -2), "z": (0, 0.3)}).single()
    crossing = dl.continue_equilibrium(there, vary="c", over=(2.2, 3.2)).points(dl.PeriodDoubling)[
        0
    ]
    order = np.argsort(curve["a"])
    between = np.interp(0.21, curve["a"][order], curve["c"][order])
    assert between == pytest.approx(crossing["c"], abs=1e-3)  # a chord of the curve
