"""One way from data to samples, named errors for what cannot be used, and results that are kept."""

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo
from dynlab.chaos.series.samples import samples_of

NOISE = np.random.default_rng(0).random(300)


def test_a_flow_is_sampled_by_its_polynomials():
    run = dl.integrate(zoo.lorenz, duration=30)
    found = samples_of(run, of=("z", "x"), every=0.1)
    assert (len(found), found.every, found.names) == (301, 0.1, ("z", "x"))
    np.testing.assert_array_equal(found.values[:, 1], run.at(0.1 * np.arange(301))["x"])


def test_a_run_at_equal_times_needs_nothing_and_can_be_thinned():
    run = dl.integrate(zoo.lorenz, duration=30, at=np.arange(0, 30, 0.05))
    assert samples_of(run).every == pytest.approx(0.05)
    np.testing.assert_array_equal(samples_of(run, every=0.15).values, run.values[::3])


def test_a_map_has_whole_steps():
    run = dl.iterate(zoo.henon, duration=500)
    np.testing.assert_array_equal(samples_of(run, every=2).values, run.values[::2])


def test_an_angle_is_its_cosine_and_sine():
    run = dl.iterate(zoo.standard_map(K=1), duration=200)
    found = samples_of(run, of="theta")
    assert found.names == ("cos theta", "sin theta")
    np.testing.assert_allclose(np.sum(found.values**2, axis=1), 1.0, rtol=1e-14)


def test_the_correlation_time_of_a_wave():
    """cos(w n) falls below 1/e at acos(1/e)/w = 1.194/w."""
    found = samples_of(np.cos(0.01 * np.arange(50_000)))
    assert abs(found.correlation_time - 119.4) <= 2


GIVEN = {
    "too short": (lambda: dl.correlation_dimension(NOISE[:50]), "50 samples.*at least 100"),
    "constant": (lambda: dl.zero_one_test(np.ones(500)), "x is constant .*nothing to measure"),
    "one constant": (
        lambda: dl.box_dimension(np.column_stack([NOISE, np.ones(300)])), "x2 is constant",
    ),
    "nan": (
        lambda: dl.recurrence_quantification(np.append(NOISE, np.nan)), "x is nan at sample 300",
    ),
    "inf": (lambda: dl.surrogate_test(np.append(NOISE, np.inf)), "x is inf at sample 300"),
    "huge": (lambda: dl.zero_one_test(1e300 * NOISE), "squares cannot be represented"),
    "tiny": (lambda: dl.box_dimension(1e-300 * NOISE), "Measure it in another unit"),
    "two values": (
        lambda: dl.recurrence_quantification(np.tile([0.0, 1.0], 100)), "one pair in twenty.*is equal",
    ),
    "one spike": (
        lambda: dl.embedding_dimension(np.append(np.zeros(299), 1.0), delay=1, largest=2),
        "most values are equal",
    ),
    "complex": (lambda: dl.mutual_information(NOISE + 1j), "no series of real numbers"),
    "text": (lambda: dl.zero_one_test(["a", "b"]), "no series of real numbers"),
    "ragged": (lambda: dl.zero_one_test([[1, 2], [3]]), "no series of real numbers"),
    "on its side": (lambda: dl.box_dimension(NOISE[None]), r"shape \(1, 300\); give one row"),
    "uneven": (
        lambda: dl.zero_one_test(dl.integrate(zoo.lorenz, duration=30), of="x"),
        r"unequal intervals.*Give every=",
    ),
    "a part of a step": (
        lambda: samples_of(dl.iterate(zoo.henon, duration=300), every=1.5), "whole multiple",
    ),
    "every below 0": (lambda: dl.zero_one_test(NOISE, every=-1.0), "every is -1.0"),
    "wrong name": (
        lambda: dl.box_dimension(dl.iterate(zoo.henon, duration=300), of="X"), "Did you mean 'x'",
    ),
    "name of an array": (lambda: dl.box_dimension(NOISE, of="x"), "of='x' names a state of a run"),
    "several": (
        lambda: dl.zero_one_test(dl.iterate(zoo.henon, duration=300)), r"has 2 \(x, y\)",
    ),
    "every of an embedding": (
        lambda: dl.box_dimension(dl.delay_embedding(NOISE, dimension=2, delay=1), every=2.0),
        "knows its own",
    ),
    "window": (lambda: dl.correlation_dimension(NOISE, window=-1), "window is -1; give a time"),
    "long window": (lambda: dl.exponent_from_data(NOISE, window=200), "quarter of the series"),
    "references": (lambda: dl.correlation_dimension(NOISE, references=3), "references is 3"),
    "delay": (lambda: dl.delay_embedding(NOISE, dimension=2, delay=0.5), "whole multiple"),
    "dimension": (lambda: dl.delay_embedding(NOISE, dimension=0, delay=1), "dimension is 0"),
    "no room": (lambda: dl.delay_embedding(NOISE, dimension=5, delay=60), "300 samples are too few"),
    "longest": (lambda: dl.mutual_information(NOISE, longest=200), "half the series"),
    "largest": (lambda: dl.embedding_dimension(NOISE, delay=1, largest=1), "largest is 1"),
    "radius": (lambda: dl.recurrence_quantification(NOISE, radius=0), "radius is 0"),
    "shortest": (lambda: dl.recurrence_quantification(NOISE, shortest=1), "shortest is 1"),
    "ball": (lambda: dl.Kantz(radius=-1.0), "radius of Kantz is -1"),
    "method": (lambda: dl.exponent_from_data(NOISE, method="kantz"), r"dl\.Rosenstein\(\)"),
    "surrogates": (lambda: dl.surrogate_test(NOISE, method="iaaft"), r"dl\.PhaseRandomised\(\)"),
    "count": (lambda: dl.surrogate_test(NOISE, count=5), "count is 5"),
    "statistic": (
        lambda: dl.surrogate_test(NOISE, statistic=lambda x: np.nan), "is nan for a series of 300",
    ),
    "iterations": (lambda: dl.IteratedAmplitudeAdjusted(0), "most_iterations is 0"),
    "short 0-1": (lambda: dl.zero_one_test(NOISE), "needs at least 400"),
    "many coordinates": (
        lambda: dl.box_dimension(np.random.default_rng(0).random((300, 13))), "at most 12",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", GIVEN)
def test_what_cannot_be_used_is_named(case):
    call, message = GIVEN[case]
    with pytest.raises(dl.DefinitionError, match=message):
        call()


RESULTS = {
    "zero-one": lambda x: dl.zero_one_test(x),
    "recurrence": lambda x: dl.recurrence_quantification(x),
    "correlation": lambda x: dl.correlation_dimension(x),
    "box": lambda x: dl.box_dimension(x),
    "information": lambda x: dl.information_dimension(x),
    "mutual information": lambda x: dl.mutual_information(x, longest=10),
    "dimension": lambda x: dl.embedding_dimension(x, delay=1, largest=4),
    "embedding": lambda x: dl.delay_embedding(x, delay=1, dimension=2),
    "exponent": lambda x: dl.exponent_from_data(x, method=dl.Kantz()),
    "surrogates": lambda x: dl.surrogate_test(x, count=19, statistic=dl.time_asymmetry, seed=1),
}


@pytest.mark.parametrize("name", RESULTS)
def test_results_are_kept_drawn_and_tabled(name, tmp_path):
    x = dl.iterate(zoo.logistic(r=3.9), duration=1000)["x"]
    found = RESULTS[name](x)
    again = dl.load(found.save(tmp_path / "found.npz"))
    assert repr(again) == repr(found)
    assert len(repr(found).splitlines()) == 2
    table, other = found.to_table(), again.to_table()
    assert len({len(column) for column in table.values()}) == 1
    for column in table:
        np.testing.assert_array_equal(table[column], other[column])
    assert found.provenance.function
    ax = found.plot()
    assert ax.get_xlabel()
    assert ax.get_ylabel()


def test_a_result_without_a_number_is_kept_and_drawn_too(tmp_path):
    none = dl.exponent_from_data(np.random.default_rng(1).normal(size=2000))
    again = dl.load(none.save(tmp_path / "none.npz"))
    assert again.scaling is None
    assert again.plot().get_ylabel()
    assert dl.correlation_dimension(np.random.default_rng(0).random((500, 8)), window=0).plot()


def test_rounding_is_not_taken_for_a_dimension():
    """Below the step of rounding every set looks like single points, of dimension 0; that is no answer."""
    x = np.round(np.random.default_rng(0).random(5000), 2)
    for function in (dl.correlation_dimension, dl.box_dimension, dl.information_dimension):
        found = function(x)
        assert not found.status.ok or abs(found.value - 1) < 3 * found.standard_error


def test_everything_can_be_stopped():
    x = np.random.default_rng(0).random(5000)
    with dl.stop_after(0.0):
        found = [
            dl.correlation_dimension(x),
            dl.mutual_information(x),
            dl.exponent_from_data(x, method=dl.Kantz()),
            dl.surrogate_test(x, statistic=dl.time_asymmetry),
            dl.alignment_indices(zoo.lorenz, duration=100),
            dl.expansion_entropy(zoo.logistic(r=4), within={"x": (0, 1)}, duration=10),
        ]
    assert [each.status for each in found] == [dl.Status.STOPPED] * 6
    assert all(each.to_table() and repr(each) for each in found)
