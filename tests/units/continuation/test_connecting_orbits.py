"""What connecting orbits and their curves answer, draw, keep, and refuse."""

import functools
import re

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo
from dynlab.continuation.connections.invariant import Subspace
from dynlab.continuation.connections.orbit import leading, type_of_saddle
from dynlab.kernels.subspaces import left_subspace

CELL = zoo.morris_lecar(gCa=4, V3=12, V4=17.4, phi=0.23)
OVER = {"I": (30, 38), "phi": (0.1, 0.4)}


@functools.cache
def cycles():
    rest = dl.find_equilibria(CELL(I=80)).single()
    onset = dl.continue_equilibrium(rest, vary="I", over=(20, 80)).points(dl.Hopf).single()
    return dl.continue_cycles(onset, over=(20, 80), longest=80)


@functools.cache
def loop():
    return dl.find_homoclinic(cycles().cycle(-1), vary="I")


@functools.cache
def curve():
    return dl.continue_homoclinic(loop(), vary=("I", "phi"), over=OVER)


def test_an_orbit_answers_to_names():
    orbit = loop()
    assert orbit["I"] == orbit.system["I"]
    assert len(orbit["V"]) == len(orbit.t) == len(orbit.profile)
    assert orbit.t[-1] == orbit.duration
    table = orbit.to_table()
    assert list(table) == ["t", "V", "w"]
    stable, unstable = orbit.leading_eigenvalues
    assert stable.real < 0 < unstable.real
    assert orbit.saddle_quantity == pytest.approx(stable.real + unstable.real)
    assert "homoclinic orbit to a saddle of morris_lecar" in repr(orbit)
    with pytest.raises(dl.UnknownNameError, match="connecting orbit"):
        orbit["U"]


def test_the_computed_part_is_an_orbit():
    """Its states move as the right-hand side says: integrated from one place to another they agree."""
    orbit = loop()
    begin, end = 0.3 * orbit.duration, 0.6 * orbit.duration
    states = orbit.orbit.at(np.array([0.3, 0.6]))
    run = dl.integrate(
        orbit.system, duration=end - begin, start={"V": states[0, 0], "w": states[0, 1]},
        method=dl.Explicit8(rtol=1e-11, atol=1e-12),
    )  # fmt: skip
    assert [run.final["V"], run.final["w"]] == pytest.approx(states[1], rel=1e-6)


def test_a_curve_answers_to_names_and_is_kept(tmp_path):
    found = curve()
    assert found.status.ok
    assert [end.status.name for end in found.ends] == ["PARAMETER_BOUND"] * 2
    assert {float(found["I"][0]), float(found["I"][-1])} == {30.0, 38.0}
    assert np.all(found["gCa"] == 4)
    table = found.to_table()
    assert {len(column) for column in table.values()} == {len(found)}
    assert set(table["kind"]) == {"saddle"}
    one = found.orbit(3)
    assert one["I"] == found["I"][3]
    assert table["saddle quantity"][3] == one.saddle_quantity
    again = dl.load(found.save(tmp_path / "curve.npz"))
    assert np.array_equal(again.profiles, found.profiles)
    assert repr(again) == repr(found)
    with pytest.raises(dl.UnknownNameError, match="Did you mean"):
        found["phy"]
    found.plot()
    one.plot()
    ax = one.portrait(x="V", y="w")
    assert ax.get_xlabel().startswith("$V$")


def test_points_of_a_curve_are_homoclinic_orbits_on_their_own():
    """Any point, sought alone in one parameter, is found at the same place."""
    found = curve()
    one = found.orbit(len(found) // 3)
    fresh = dl.continue_homoclinic(
        one, vary=("phi", "I"), over={"I": (one["I"] - 1e-3, one["I"] + 1e-3), "phi": (0.1, 0.4)}
    )
    at = np.interp(one["I"], fresh["I"][:: np.sign(fresh["I"][-1] - fresh["I"][0]).astype(int)],
                   fresh["phi"][:: np.sign(fresh["I"][-1] - fresh["I"][0]).astype(int)])  # fmt: skip
    assert at == pytest.approx(one["phi"], abs=1e-8)


@pytest.mark.parametrize(
    ("eigenvalues", "kind"),
    [
        ([0.3, -1.0], "saddle"),
        ([0.3, -1.0 + 2j, -1.0 - 2j], "saddle-focus"),
        ([0.3, -0.5, -1.0 + 2j, -1.0 - 2j], "saddle"),
        ([0.3 + 1j, 0.3 - 1j, -1.0 + 2j, -1.0 - 2j], "bi-focus"),
        ([0.0, -1.0], "saddle-node"),
    ],
)
def test_the_leading_eigenvalues_tell_the_type(eigenvalues, kind):
    assert type_of_saddle(np.array(eigenvalues, complex)) == kind
    stable, unstable = leading(np.array(eigenvalues, complex))
    assert stable.imag >= 0
    assert np.isnan(unstable.real) or unstable.imag >= 0


def test_rows_of_a_subspace_annihilate_the_others_and_have_exact_slopes():
    generator = np.random.default_rng(5)
    matrix, change = generator.normal(size=(2, 6, 6))
    real = np.sort(np.linalg.eigvals(matrix).real)
    size = next(k for k in (2, 3, 1, 4) if real[k] - real[k - 1] > 0.1)
    space = Subspace.of(matrix, size, -1)
    v, h = generator.normal(size=6), 1e-5

    def subspace(at):
        rows, slopes = np.empty((size, 6)), np.empty((size, 1))
        assert left_subspace(at, space.frame, size, change[None], v, rows, slopes)
        return rows, slopes[:, 0]

    moved = matrix + 1e-3 * change
    values, vectors = np.linalg.eig(moved)
    others = vectors[:, np.argsort(values.real)[size:]]
    rows, slopes = subspace(moved)
    assert np.abs(rows @ others) == pytest.approx(0, abs=1e-12)
    assert rows == pytest.approx(space.rows(moved), abs=1e-12)
    ahead, behind = (subspace(moved + sign * h * change)[0] @ v for sign in (1, -1))
    # Central differences: h^2 and round-off / h.
    assert slopes == pytest.approx((ahead - behind) / (2 * h), abs=1e-8)


def test_too_short_a_cycle_is_refused():
    short = cycles().cycle(3)
    with pytest.raises(dl.SettingError, match=r"near no homoclinic orbit.*longer period"):
        dl.find_homoclinic(short, vary="I")
    with pytest.raises(dl.SettingError, match="does not pass two saddles"):
        dl.find_heteroclinic(short, vary="I")


@pytest.mark.parametrize(
    ("vary", "over", "error", "message"),
    [
        (("I", "phy"), OVER, dl.UnknownNameError, "Did you mean 'phi'"),
        (("I", "I"), OVER, dl.SettingError, "the same, 'I'"),
        ("I", OVER, dl.SettingError, "needs two parameters"),
        (("I", "phi"), {"I": (30, 38)}, dl.SettingError, "no range for 'phi'"),
        (("I", "phi"), (30, 38), dl.SettingError, "a range for each parameter"),
        (("I", "phi"), OVER | {"C": (1, 2)}, dl.UnknownNameError, "'C'"),
        (("I", "phi"), {"I": (40, 50), "phi": (0.1, 0.4)}, dl.SettingError, "Widen over="),
    ],
)
def test_a_curve_that_makes_no_sense_is_refused(vary, over, error, message):
    with pytest.raises(error, match=re.escape(message)):
        dl.continue_homoclinic(loop(), vary=vary, over=over)


def test_starts_that_are_none_are_refused():
    with pytest.raises(dl.UnknownNameError, match="'J'"):
        dl.find_homoclinic(cycles().cycle(-1), vary="J")
    onset = cycles().points(dl.Hopf).single()
    with pytest.raises(dl.SettingError, match="got Hopf"):
        dl.find_homoclinic(onset, vary="I")
    with pytest.raises(dl.SettingError, match="no Bogdanov-Takens point"):
        dl.continue_homoclinic(onset, vary=("I", "phi"), over={"I": (0, 90), "phi": (0.1, 0.4)})
    with pytest.raises(dl.SettingError, match="got int"):
        dl.continue_homoclinic(3, vary=("I", "phi"), over=OVER)


def test_systems_with_events_and_maps_are_refused():
    @zoo.van_der_pol.with_event(when=lambda x: x - 1, direction=+1)
    def kicked(y):
        return {y: y + 0.1}

    cycle = dl.find_cycle(zoo.van_der_pol)
    jumping = dl.Cycle(
        kicked, cycle.period, cycle.mesh, cycle.profile, cycle.eigenvalues, cycle.divergence
    )
    with pytest.raises(dl.UnsupportedSystemError, match="must be smooth"):
        dl.find_homoclinic(jumping, vary="mu")
    with pytest.raises(dl.UnsupportedSystemError):
        dl.continue_homoclinic(
            dl.find_equilibria(zoo.henon)[0], vary=("a", "b"), over={"a": (0, 1), "b": (0, 1)}
        )


def test_a_walk_stops_on_request():
    with dl.stop_after(0.0):
        found = dl.continue_homoclinic(loop(), vary=("I", "phi"), over=OVER)
    assert found.status is dl.Status.STOPPED
    assert len(found) >= 1
