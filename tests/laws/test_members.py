"""What holds for every ensemble: a member is what it is, whoever runs beside it, on any thread."""

import dataclasses
import json
import signal
import time

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo
from dynlab.errors import SettingError

METHOD = dl.Explicit8(rtol=1e-10, atol=1e-12)
TIMES = np.linspace(0.0, 3.0, 7)


@dataclasses.dataclass(frozen=True, slots=True)
class OneByOne(dl.Explicit8):
    """A method that lanes do not know, so every member is integrated by itself."""


@dl.flow
def rotor(x=1.0, v=0.0, *, omega=1.0, damping=0.0, push=0.0):
    return {x: v, v: -(omega**2) * dl.sin(x) - damping * v + push * dl.cos(dl.t)}


@dl.flow
def root(y=1.0, *, a=1.0):
    """Not defined below y = 0, which is reached from y = a t^2 / 4 backwards."""
    return {y: -a * dl.sqrt(y) - 0.1}


@dl.iterated_map
def henon(x=0.0, y=0.0, *, a=1.4, b=0.3):
    return {x: 1 - a * x**2 + y, y: b * x}


def members(count, seed=3):
    rng = np.random.default_rng(seed)
    return {"x": rng.normal(size=count), "v": rng.normal(size=count)}, {
        "omega": rng.uniform(0.5, 3, count),
        "push": rng.normal(size=count),
    }


def run_of(starts, parameters, method=METHOD, **others):
    settings = {"duration": 3.0, "at": TIMES, "method": method} | others
    return dl.ensemble(rotor, starts=starts, parameters=parameters, **settings)


def same(a, b):
    return np.array_equal(a, b, equal_nan=True)


@pytest.mark.parametrize(
    "keep", [dl.States(), dl.Moments(), dl.Extremes(), dl.Histogram("x", (-3, 3))]
)
def test_bit_equal_for_any_number_of_threads(keep):
    starts, parameters = members(700)
    found = []
    for count in (1, 2, 3):
        with dl.threads(count):
            found.append(run_of(starts, parameters, keep=keep).kept)
    for other in found[1:]:
        assert all(same(found[0][name], other[name]) for name in found[0])


@pytest.mark.parametrize("method", [METHOD, OneByOne(rtol=1e-6)], ids=["lanes", "one by one"])
def test_a_permutation_of_the_members_permutes_the_answers(method):
    starts, parameters = members(100)
    order = np.random.default_rng(0).permutation(100)
    plain = run_of(starts, parameters, method)
    mixed = run_of(*({k: v[order] for k, v in d.items()} for d in (starts, parameters)), method)
    assert all(same(plain[name][order], mixed[name]) for name in ("x", "v"))


@pytest.mark.parametrize("count", [1, 2, 15, 16, 17, 33])
def test_a_part_of_the_members_is_a_part_of_the_answers(count):
    starts, parameters = members(100)
    whole = run_of(starts, parameters)
    part = run_of(*({k: v[:count] for k, v in d.items()} for d in (starts, parameters)))
    assert same(whole["x"][:count], part["x"])


def test_one_by_one_is_integrate_exactly():
    starts, parameters = members(5)
    method = OneByOne(rtol=1e-7)
    run = run_of(starts, parameters, method)
    for k in range(5):
        system = rotor(**{name: values[k] for name, values in parameters.items()})
        start = {name: values[k] for name, values in starts.items()}
        one = dl.integrate(system, start=start, duration=3.0, at=TIMES, method=method)
        assert same(run["x"][k], one["x"])


@pytest.mark.parametrize("duration", [3.0, -3.0])
def test_lanes_are_integrate_but_for_rounding(duration):
    """Equal steps up to rounding; the difference is some units of it, enlarged by the flow."""
    starts, parameters = members(40)
    times = TIMES * np.sign(duration)
    run = run_of(starts, parameters, duration=duration, at=times)
    for k in range(0, 40, 7):
        system = rotor(**{name: values[k] for name, values in parameters.items()})
        start = {name: values[k] for name, values in starts.items()}
        one = dl.integrate(system, start=start, duration=duration, at=times, method=METHOD)
        assert run["v"][k] == pytest.approx(one["v"], abs=1e-11)


def test_maps_are_iterate_but_for_rounding():
    """Twenty steps of Henon enlarge rounding by at most some e^(0.42 * 20) = 4000."""
    starts = {"x": np.linspace(-0.5, 0.5, 37)}
    run = dl.ensemble(henon, starts=starts, duration=20, at=[0, 3, 20])
    for k in range(37):
        one = dl.iterate(henon, start={"x": starts["x"][k]}, duration=20, at=[0, 3, 20])
        assert run["x"][k] == pytest.approx(one["x"], abs=1e-11)


def test_oscillators_have_their_closed_form():
    @dl.flow
    def oscillator(x=1.0, v=0.0, *, omega=1.0):
        return {x: v, v: -(omega**2) * x}

    omega, x = np.linspace(0.5, 4, 40)[:, None], np.linspace(-2, 2, 5)[None, :]
    run = dl.ensemble(
        oscillator, starts={"x": x}, parameters={"omega": omega}, duration=5, at=[0, 2.5, 5],
        method=dl.Explicit8(rtol=1e-12, atol=1e-14),
    )  # fmt: skip
    assert run["x"].shape == (40, 5, 3)
    # 20 radians at 1e-12 for each step.
    assert run["x"] == pytest.approx(x[..., None] * np.cos(omega[..., None] * run.t), abs=1e-10)


def test_a_member_that_fails_is_masked_and_leaves_the_others_alone():
    """A runaway, and one whose rates are not a number, in a corner of the arrays."""

    @dl.flow
    def growth(x=1.0, *, a=0.0, b=1.0):
        return {x: a * x**2 - 0.1 * x + dl.log(b) * x}

    a, b = np.zeros(50), np.ones(50)
    plain = dl.ensemble(growth, parameters={"a": a, "b": b}, duration=2, at=[0.5, 2])
    a[20], b[30] = 1.0, -1.0
    run = dl.ensemble(growth, parameters={"a": a, "b": b}, duration=2, at=[0.5, 2])
    good = run.ok
    assert np.flatnonzero(~good).tolist() == [20, 30]
    assert same(run["x"][good], plain["x"][good])
    assert dl.Status(run.statuses[20]) is dl.Status.DIVERGED
    assert dl.Status(run.statuses[30]) is dl.Status.LEFT_DOMAIN
    # x' = x^2 - x/10 from 1 blows up at 10 log(10/9)
    assert run.ends[20] == pytest.approx(10 * np.log(10 / 9), abs=1e-6)
    # ... and is 1 / (10 - 9 exp(t / 10)) * 10 / 10 before
    assert run["x"][20, 0] == pytest.approx(0.1 / (1 - 0.9 * np.exp(0.05)), rel=1e-8)
    assert np.isnan(run["x"][20, 1])
    assert np.isnan(run["x"][30]).all()
    failures = run.failures
    assert failures["member"].tolist() == [20, 30]
    assert failures["status"].tolist() == ["diverged", "left domain"]
    assert failures["b"].tolist() == [1.0, -1.0]
    assert run.status in (dl.Status.DIVERGED, dl.Status.LEFT_DOMAIN)


def test_failures_of_flows_and_maps_are_those_of_one_run():
    run = dl.ensemble(
        root, parameters={"a": [0.0, 1.0, 4.0]}, starts={"y": [9.0, 1.0, 1.0]}, duration=3
    )
    assert [str(dl.Status(s)) for s in run.statuses] == ["ok", "left domain", "left domain"]
    ones = [dl.integrate(root(a=a), start={"y": 1.0}, duration=3) for a in (1.0, 4.0)]
    assert run.ends[1:].tolist() == [one.end[0] for one in ones]
    orbit = dl.ensemble(henon, starts={"x": [0.0, 5.0]}, duration=100)
    assert [str(dl.Status(s)) for s in orbit.statuses] == ["ok", "diverged"]
    assert orbit.ends[1] == dl.iterate(henon, start={"x": 5.0}, duration=100).end[0]


def test_too_many_steps_is_a_failure_of_that_member():
    method = dl.Explicit8(max_steps=60)
    run = dl.ensemble(rotor, parameters={"omega": [0.1, 50.0]}, duration=20, method=method)
    assert [str(dl.Status(s)) for s in run.statuses] == ["ok", "too many steps"]


def test_stopped_at_once_with_the_members_that_were_done():
    starts = {"x": np.linspace(0.5, 1.5, 4000)}
    began = time.perf_counter()
    with dl.stop_after(0.15):
        run = dl.ensemble(zoo.lorenz, starts=starts, duration=2000.0)
    # 50 ms for the chunk that is under way; the machine may be busy with other things.
    assert time.perf_counter() - began < 1.0
    assert run.status is dl.Status.STOPPED
    assert set(run.statuses.tolist()) <= {dl.Status.OK, dl.Status.STOPPED}
    assert same(np.isfinite(run["x"]), run.ok)


def test_ctrl_c_keeps_what_is_done():
    def interrupt(done, total, note):
        if done > 0:
            signal.raise_signal(signal.SIGINT)

    starts = {"x": np.linspace(0.5, 1.5, 4000)}
    with dl.observe(interrupt):
        run = dl.ensemble(zoo.lorenz, starts=starts, duration=200.0)
    assert run.status is dl.Status.STOPPED
    assert run.ok.any()
    assert same(np.isfinite(run["x"]), run.ok)


def test_progress_is_told_and_ends_at_the_whole():
    seen = []
    with dl.observe(lambda done, total, note: seen.append((done, total, note))):
        run_of(*members(50))
    assert seen[-1] == (50.0, 50.0, "ensemble")
    assert all(done <= total for done, total, _ in seen)


@pytest.mark.parametrize("system", [rotor, henon])
def test_saved_and_loaded(system, tmp_path):
    keeps = (dl.States(), dl.Moments(), dl.Extremes("x"), dl.Histogram("x", (-3, 3), bins=5))
    for keep in keeps:
        run = dl.ensemble(system, starts={"x": [0.1, 0.2]}, duration=3, at=[0, 3], keep=keep)
        again = dl.load(run.save(tmp_path / "run.npz"))
        assert repr(again) == repr(run)
        assert all(same(run.kept[name], again.kept[name]) for name in run.kept)
        assert same(run["t"], again["t"])
        assert again.keep == keep


def test_the_same_seed_draws_the_same_whatever_runs_where():
    starts = {"x": dl.Gaussian(0, 1), "v": dl.Uniform(-1, 1)}

    def drawn(seed, count=1):
        with dl.threads(count):
            return dl.ensemble(rotor, starts=starts, duration=1.0, size=200, seed=seed)

    first = drawn(7)
    assert same(first["x"], drawn(7, count=2)["x"])
    assert not same(first["x"], drawn(8)["x"])
    assert first.provenance.seed == 7
    fresh = drawn(None)
    assert same(fresh["x"], drawn(fresh.provenance.seed)["x"])
    from_generator = drawn(np.random.default_rng(1))
    assert same(from_generator["x"], drawn(np.random.default_rng(1))["x"])
    state = json.loads(from_generator.provenance.settings["generator"])
    assert state == np.random.default_rng(1).bit_generator.state
    with pytest.raises(SettingError, match=r"the seed is -1\. Give a whole number"):
        drawn(-1)
    # One stream for each name: another distribution beside it changes nothing.
    alone = dl.ensemble(rotor, starts={"x": dl.Gaussian(0, 1)}, duration=1.0, size=200, seed=7)
    assert same(alone.starts["x"], first.starts["x"])


def test_networks_run_one_by_one_exactly():
    swarm = zoo.kuramoto.on(dl.AllToAll(6))
    couplings = np.array([0.5, 2.0])
    starts = {"theta": dl.Uniform(-np.pi, np.pi)}
    run = dl.ensemble(
        swarm, starts=starts, parameters={"K": couplings}, duration=3, at=[1, 3], seed=2,
        method=METHOD,
    )  # fmt: skip
    assert run["theta"].shape == (2, 2, 6)
    assert run.starts["theta"].shape == (2, 6)
    for k in range(2):
        one = dl.integrate(
            swarm(K=couplings[k]), start={"theta": run.starts["theta"][k]}, duration=3, at=[1, 3],
            method=METHOD,
        )  # fmt: skip
        assert same(run["theta"][k], one["theta"])
    assert same(run["theta[4]"], run["theta"][..., 4])
    with pytest.raises(SettingError, match=r"shape \(2,\), but there are 6 nodes"):
        dl.ensemble(swarm, starts={"theta": [0.0, 1.0]}, duration=1, size=2)
