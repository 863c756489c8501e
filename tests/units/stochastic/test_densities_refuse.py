"""What densities refuse, how they say it, and that what they return is kept when stored."""

import numpy as np
import pytest

import dynlab as dl


@dl.flow
def decay(x=0.0):
    return {x: -x}


@dl.flow
def pair(x=0.0, y=0.0):
    return {x: -x, y: -y}


@dl.flow
def pushed(x=0.0, *, w=1.0):
    return {x: -x + dl.cos(w * dl.t)}


@dl.flow
def herd(x: dl.PerNode, *, K=1.0):
    i, j = dl.nodes("i j")
    return {x[i]: x[i] - x[i] ** 3 + K * dl.Mean(x[j] - x[i], j)}


NOISY = decay.with_noise(x=1.0)
DRIVEN = pushed.with_noise(x=1.0)
HERD = herd.with_noise(x=0.8)
GRID = dl.Grid(x=(-4, 4, 64))


@dl.iterated_map
def doubling(x=0.1):
    return {x: 2 * x}


def asked(function, *arguments, **settings):
    return lambda: function(*arguments, **settings)


@pytest.mark.parametrize(
    ("ask", "error", "words"),
    [
        (asked(dl.Grid), dl.SettingError, "needs an axis"),
        (asked(dl.Grid, x=(-1, 1, 1)), dl.SettingError, "at least 2"),
        (asked(dl.Grid, x=(-1, 1, 2.5)), dl.SettingError, "whole number"),
        (asked(dl.Grid, x=(1, -1, 10)), dl.SettingError, "Put the lower end first"),
        (asked(dl.Grid, x=(1, 2)), dl.SettingError, "number of cells"),
        (asked(dl.Grid, x=(0, 1, 2000), y=(0, 1, 2000)), dl.SettingError, "Give fewer"),
        (asked(GRID.with_walls, y=dl.Absorbing()), dl.UnknownNameError, "axis of the grid"),
        (asked(GRID.with_walls, x="absorbing"), dl.SettingError, r"dl\.Absorbing\(\)"),
        (asked(GRID.with_walls, x=(dl.Periodic(), dl.Absorbing())), dl.SettingError, "joins both ends"),
        (asked(GRID.with_walls, x=dl.Reinjected(at=9)), dl.SettingError, "Give a place inside"),
        (asked(dl.Reinjected, at=0, after=-1), dl.SettingError, "after >= 0"),
        (asked(dl.stationary_density, decay), dl.UnsupportedSystemError, "no noise"),
        (asked(dl.stationary_density, doubling), dl.UnsupportedSystemError, "needs a flow"),
        (asked(dl.stationary_density, NOISY, grid=dl.Grid(y=(0, 1, 9))), dl.UnknownNameError, "'y' is not a state"),
        (asked(dl.stationary_density, pair.with_noise(x=1), grid=GRID), dl.SettingError, "no axis for y"),
        (asked(dl.stationary_density, NOISY, grid=GRID.with_walls(x=dl.Absorbing())), dl.SettingError, "absorbed"),
        (asked(dl.evolve_density, NOISY, start={"x": 0}), dl.SettingError, "no time is given"),
        (asked(dl.evolve_density, NOISY, start={"x": 9}, duration=1, grid=GRID), dl.SettingError, "outside the grid"),
        (asked(dl.evolve_density, NOISY, start={}, duration=1, grid=GRID), dl.SettingError, "names nothing"),
        (asked(dl.evolve_density, NOISY, start={"x": 0}, at=[-1], grid=GRID), dl.SettingError, "forward only"),
        (asked(dl.generator_spectrum, NOISY, count=0, grid=GRID), dl.SettingError, "from 1 to 62"),
        (asked(dl.escape_time, NOISY, start={"x": 0}, beyond={}), dl.SettingError, "Give a border"),
        (asked(dl.escape_time, NOISY, start={"x": 0}, beyond={"y": 1}), dl.UnknownNameError, "'y' is not a state"),
        (asked(dl.escape_time, NOISY, start={"x": 2}, beyond={"x": (-1, 1)}), dl.SettingError, "not between"),
        (asked(dl.committor, NOISY, source={"x": 0}, target={"x": 0}), dl.SettingError, "two different values"),
        (asked(dl.ring_transport, NOISY, along="x", grid=GRID), dl.SettingError, r"dl\.Periodic\(\)"),
        (asked(dl.stationary_density, DRIVEN, grid=GRID), dl.UnsupportedSystemError, "depends on the time"),
        (asked(dl.evolve_density, DRIVEN, start={"x": 0}, duration=1), dl.SettingError, "Give one: grid="),
        (asked(dl.periodic_density, DRIVEN, period=3, grid=GRID), dl.SettingError, "do not repeat after 3"),
        (asked(dl.periodic_density, DRIVEN, period=0, grid=GRID), dl.SettingError, "positive"),
        (asked(dl.periodic_density, DRIVEN, period=2 * np.pi, grid=GRID.with_walls(x=dl.Absorbing())), dl.SettingError, "nothing is left"),
        (asked(dl.mean_field_states, HERD), dl.SettingError, "No box|no box suits"),
        (asked(dl.mean_field_states, NOISY, grid=GRID), dl.UnsupportedSystemError, "not all per node"),
        (asked(dl.splitting_probabilities, NOISY, sets={"one": {"x": (0, 1)}}, grid=GRID), dl.SettingError, "at least two"),
        (asked(dl.splitting_probabilities, NOISY, sets={"a": {"x": (0, 1)}, "b": {"x": (0.5, 2)}}, grid=GRID), dl.SettingError, "overlap"),
        (asked(dl.splitting_probabilities, NOISY, sets={"a": {"x": (0, 1)}, "b": {"x": (9, 10)}}, grid=GRID), dl.SettingError, "holds no cell"),
        (asked(dl.splitting_probabilities, NOISY, sets={"a": {"x": (1, 0)}, "b": {"x": (2, 3)}}, grid=GRID), dl.SettingError, "Put the lower end first"),
        (asked(dl.splitting_probabilities, NOISY, sets={"a": {"z": (1, 2)}, "b": {"x": (2, 3)}}, grid=GRID), dl.UnknownNameError, "state or observable"),
        (asked(dl.susceptibility, NOISY, of="y", to="x", frequencies=[1]), dl.UnknownNameError, "state or observable"),
        (asked(dl.susceptibility, NOISY, of="x", to="z", frequencies=[1]), dl.UnknownNameError, "state or parameter"),
        (asked(dl.susceptibility, NOISY, of="x", to="x", frequencies=[np.nan]), dl.SettingError, "finite numbers"),
        (asked(dl.susceptibility, NOISY, of="x", to="x", frequencies=[1], grid=GRID.with_walls(x=dl.Absorbing())), dl.SingularProblem, "not unique"),
    ],
)  # fmt: skip
def test_refusals_say_what_where_and_what_to_try(ask, error, words):
    with pytest.raises(error, match=words):
        ask()


def test_what_cannot_be_normalised_is_refused_by_name():
    @dl.flow
    def fleeing(x=0.0):
        return {x: x}

    with pytest.raises(dl.SingularProblem, match="'fleeing' cannot be normalised"):
        dl.stationary_density(fleeing.with_noise(x=1.0))


def test_noise_shared_along_no_line_of_cells_is_refused():
    @pair.with_noise(dl.Ito)
    def common(x, y):
        both = dl.sources("both")
        return {x: both, y: 0.377 * both}

    with pytest.raises(dl.UnsupportedSystemError, match="add a little noise of its own"):
        dl.stationary_density(common, grid=dl.Grid(x=(-1, 1, 8), y=(-1, 1, 8)))


def test_shared_noise_is_not_re_injected():
    @pair.with_noise(dl.Ito)
    def common(x, y):
        both, own = dl.sources("both own")
        return {x: both, y: both + own}

    walls = dl.Grid(x=(-1, 1, 8), y=(-1, 1, 8)).with_walls(x=(dl.Reflecting(), dl.Reinjected(at=0)))
    with pytest.raises(dl.UnsupportedSystemError, match="re-injects"):
        dl.stationary_density(common, grid=walls)


def test_no_noise_and_less_than_none():
    @decay.with_noise(dl.Ito)
    def spread(x, *, D=1.0):
        return {x: dl.sqrt(2 * D)}

    @pair.with_noise(dl.Ito)
    def turned(x, y, *, s=-1.0):
        one, other = dl.sources("one other")
        return {x: one + dl.sqrt(s) * other, y: one}

    with pytest.raises(dl.SingularProblem, match=r"noise is zero everywhere.*find_attractors"):
        dl.stationary_density(spread(D=0.0), grid=GRID)
    with pytest.raises(dl.SettingError, match="negative, which no noise has"):
        dl.stationary_density(spread(D=-1.0), grid=GRID)
    with pytest.raises(dl.SettingError, match="negative, which no noise has"):
        dl.stationary_density(turned, grid=PLANE)
    # Without noise a density moves along the drift alone, upwind: its mean decays to first order in the cells.
    errors = []
    for cells in (64, 128):
        grid = dl.Grid(x=(-4, 4, cells))
        run = dl.evolve_density(spread(D=0.0), start={"x": dl.Uniform(1, 2)}, at=[1], grid=grid)
        assert run.mass[0] == pytest.approx(1, abs=1e-13)
        assert run.values.min() >= 0
        errors.append(abs(run.mean("x")[0] - 1.5 * np.exp(-1)))
    assert errors[1] < 0.6 * errors[0] < 0.03


def test_a_state_in_pieces_is_refused():
    @dl.flow
    def frozen(x=0.0, y=0.0):
        return {x: -x, y: 0 * y}

    with pytest.raises(dl.SingularProblem, match="not unique"):
        dl.stationary_density(frozen.with_noise(x=1.0), grid=dl.Grid(x=(-1, 1, 20), y=(1, 2, 20)))


def test_outside_the_domain_is_named():
    @dl.flow
    def root(x=1.0):
        return {x: dl.sqrt(x) - x}

    with pytest.raises(dl.LeftDomain, match=r"not a number at \(-"):
        dl.stationary_density(root.with_noise(x=0.1), grid=dl.Grid(x=(-1, 3, 50)))


def test_a_start_that_reaches_over_the_end_is_scaled_with_a_warning():
    with pytest.warns(dl.AccuracyWarning, match="mass 0.5"):
        run = dl.evolve_density(NOISY, start={"x": dl.Gaussian(4, 0.1)}, at=[0, 1], grid=GRID)
    assert run.mass == pytest.approx(1, abs=1e-14)


def test_mass_that_leaves_is_reported():
    lossy = GRID.with_walls(x=(dl.Reflecting(), dl.Absorbing()))
    run = dl.evolve_density(NOISY, start={"x": 3.0}, at=[0, 0.1, 1], grid=lossy)
    assert np.all(np.diff(run.mass) < 0)
    assert "at the end" in repr(run)


@dl.flow
def swung(x=0.0, *, A=1.0):
    return {x: -x + A * dl.cos(dl.t)}


@swung.with_noise(dl.Ito)
def SWUNG(x, *, D=1.0):
    return {x: dl.sqrt(2 * D)}


ENDS = {"left": {"x": (-np.inf, -1)}, "right": {"x": (1, np.inf)}}
RING = dl.Grid(x=(0, 1, 64)).with_walls(x=dl.Periodic())
RESET = GRID.with_walls(x=(dl.Reflecting(), dl.Reinjected(at=0.5, after=1)))
PLANE = dl.Grid(x=(-4, 4, 16), y=(-4, 4, 20))
BOTH = pair.with_noise(x=1, y=1)
RESULTS = {
    "line": asked(dl.stationary_density, NOISY, grid=RESET),
    "plane": asked(dl.stationary_density, BOTH, grid=PLANE),
    "evolution": asked(dl.evolve_density, NOISY, start={"x": 0.3}, at=[0, 1], grid=GRID),
    "spectrum": asked(dl.generator_spectrum, NOISY, count=3, grid=GRID),
    "escape": asked(dl.escape_time, NOISY, start={"x": 0.3}, beyond={"x": 1}, grid=GRID),
    "committor": asked(dl.committor, NOISY, source={"x": -1}, target={"x": 1}),
    "current": asked(dl.stationary_current, BOTH, grid=PLANE),
    "ring": asked(dl.ring_transport, NOISY, along="x", grid=RING),
    "periodic": asked(dl.periodic_density, DRIVEN, period=2 * np.pi, grid=GRID),
    "mean field": asked(dl.mean_field_states, HERD, grid=GRID),
    "sets": asked(dl.splitting_probabilities, NOISY, sets=ENDS, grid=GRID),
    "response": asked(dl.susceptibility, NOISY, of="x", to="x", frequencies=[0, 1], grid=GRID),
    "resonance": asked(
        dl.stochastic_resonance, SWUNG, of="x", drive="A", vary="D", over=[0.3, 1], grid=GRID
    ),
}


@pytest.mark.parametrize("kind", RESULTS)
def test_results_are_drawn_tabulated_and_kept(kind, tmp_path):
    result = RESULTS[kind]()
    import matplotlib.pyplot as plt

    assert result.plot().has_data()
    plt.close("all")
    assert result.status.ok
    assert repr(result).count("\n") == 1
    table = result.to_table()
    assert len({len(column) for column in table.values()}) == 1
    again = dl.load(result.save(tmp_path / "result"))
    for name, column in table.items():
        assert np.array_equal(again.to_table()[name], column)


def test_marginals_and_moments():
    density = dl.stationary_density(
        pair.with_noise(x=1, y=2), grid=dl.Grid(y=(-12, 12, 120), x=(-6, 6, 80))
    )
    assert density.grid.names == ("x", "y")
    single = density.marginal("y")
    assert single.mass == pytest.approx(1, abs=1e-13)
    assert single.variance("y") == pytest.approx(density.variance("y"), rel=1e-13)
    assert density.variance("y") == pytest.approx(2, rel=1e-12)
    assert abs(density.moment(x=1, y=1)) < 1e-14
