"""What bases refuse, how they say it, and that what is found in them is kept when stored."""

import pickle

import numpy as np
import pytest

import dynlab as dl

H = dl.Hermite


@dl.flow
def decay(x=0.0):
    return {x: -x}


@dl.flow
def pair(x=0.0, y=0.0):
    return {x: -x, y: -y}


@dl.flow
def ring(phase: dl.Angle = 0.0):
    return {phase: 1 - dl.sin(phase)}


@dl.flow
def growth(n: dl.Positive = 1.0):
    return {n: n * (1 - n)}


@dl.flow
def wandering(x=0.0, y=0.0):
    return {x: 0 * x, y: -y}


@dl.flow
def root(x=1.0):
    return {x: -dl.sqrt(x)}


NOISY, RING, PAIR = decay.with_noise(x=1.0), ring.with_noise(phase=0.5), pair.with_noise(x=1, y=1)
HERE = dl.Basis(x=H(20, centre=0, width=0.7))


def asked(function, *arguments, **settings):
    return lambda: function(*arguments, **settings)


@pytest.mark.parametrize(
    ("ask", "error", "words"),
    [
        (asked(dl.Basis), dl.SettingError, "needs an axis"),
        (asked(dl.Basis, x=40), dl.SettingError, r"x=dl\.Hermite\(40\)"),
        (asked(dl.Basis, x=H(400), y=H(400)), dl.SettingError, "Give fewer"),
        (asked(H, 3), dl.SettingError, "from 4 to"),
        (asked(H, 10.5), dl.SettingError, "whole number"),
        (asked(H, "ten"), dl.SettingError, "number of Hermite functions"),
        (asked(H, float("nan")), dl.SettingError, "number of Hermite functions"),
        (asked(H, 20, width=0), dl.SettingError, "positive"),
        (asked(H, 20, centre=float("inf")), dl.SettingError, "centre"),
        (asked(dl.Fourier, 0), dl.SettingError, "harmonics"),
        (asked(dl.Sinc, 20, between=(1, -1)), dl.SettingError, "Put the lower end first"),
        (asked(dl.Sinc, 20, between=3), dl.SettingError, "two ends"),
        (asked(dl.stationary_density, decay, grid=HERE), dl.UnsupportedSystemError, "no noise"),
        (asked(dl.stationary_density, NOISY, grid=dl.Basis(y=H(20))), dl.UnknownNameError, "'y' is not a state"),
        (asked(dl.stationary_density, PAIR, grid=HERE), dl.SettingError, "no functions for y"),
        (asked(dl.stationary_density, RING, grid=dl.Basis(phase=H(20))), dl.SettingError, "is an angle"),
        (asked(dl.stationary_density, NOISY, grid=dl.Basis(x=dl.Fourier(8))), dl.SettingError, "no angle"),
        (asked(dl.stationary_density, growth.with_noise(n=0.1), grid=dl.Basis(n=H(20))), dl.SettingError, "is positive"),
        (asked(dl.stationary_density, root.with_noise(x=0.1), grid=HERE), dl.LeftDomain, "not a number"),
        (asked(dl.stationary_density, wandering.with_noise(x=1, y=1), grid=dl.Basis(x=H(20), y=H(20))),
         dl.SingularProblem, "walkers did not come to rest"),
        (asked(dl.generator_spectrum, NOISY, count=0, grid=HERE), dl.SettingError, "from 1 to 18"),
        (asked(dl.evolve_density, NOISY, start={"x": 0}, grid=HERE), dl.SettingError, "no time is given"),
        (asked(dl.evolve_density, NOISY, start={"y": 0}, duration=1, grid=HERE), dl.SettingError, "for each of x"),
        (asked(dl.evolve_density, NOISY, start={"x": "left"}, duration=1, grid=HERE), dl.SettingError, "is no distribution"),
        (asked(dl.escape_time, NOISY, start={"x": 0}, beyond={"x": 1}, grid=HERE), dl.SettingError, r"dl\.Grid"),
        (asked(dl.stationary_current, NOISY, grid=HERE), dl.SettingError, r"dl\.Grid"),
    ],
)  # fmt: skip
def test_bad_input_is_named(ask, error, words):
    with pytest.raises(error, match=words):
        ask()


def test_no_noise_where_sinc_functions_need_it():
    @decay.with_noise(dl.Ito)
    def fading(x):
        return {x: x}

    with pytest.raises(dl.SettingError, match="no noise"):
        dl.stationary_density(fading, grid=dl.Basis(x=dl.Sinc(21, between=(-1, 1))))


def test_two_pieces_are_no_unique_state():
    """Wells that no noise connects within rounding."""

    @dl.flow
    def wells(x=1.0):
        return {x: x - x**3}

    basis = dl.Basis(x=H(60, centre=0, width=0.17))
    with pytest.raises(dl.NotConverged, match="not unique"):
        dl.stationary_density(wells.with_noise(x=0.08), grid=basis)


def test_places_and_names():
    density = dl.stationary_density(NOISY, grid=HERE)
    with pytest.raises(dl.SettingError, match="Give each a number"):
        density.at(y=1)
    with pytest.raises(dl.UnknownNameError, match="axis of the basis"):
        density.moment(y=2)
    with pytest.raises(dl.UnknownNameError, match="axis of the basis"):
        density.marginal("y")
    run = dl.evolve_density(NOISY, start=density, at=[0, 1])
    with pytest.raises(dl.SettingError, match="was not asked for"):
        run.at(0.5)
    with pytest.raises(dl.SettingError, match="Give the same"):
        dl.evolve_density(NOISY, start=density, at=[1], grid=dl.Basis(x=H(30)))
    with pytest.raises(dl.SettingError, match="give a place or a distribution"):
        dl.evolve_density(NOISY, start=density, at=[1], grid=dl.Grid(x=(-4, 4, 40)))


def test_unconfirmed_rates_are_no_rates():
    with pytest.warns(dl.AccuracyWarning, match="are confirmed by another basis"):
        found = dl.generator_spectrum(
            NOISY, count=12, grid=dl.Basis(x=dl.Sinc(14, between=(-3, 3)))
        )
    assert found.status is dl.Status.UNRESOLVED
    assert len(found.rates) < 12
    assert found.rates == pytest.approx(np.arange(len(found.rates)), abs=0.1)


def test_results_are_kept(tmp_path):
    density = dl.stationary_density(PAIR, grid=dl.Basis(x=H(16), y=dl.Sinc(40)))
    spectrum = dl.generator_spectrum(NOISY, grid=HERE, count=3)
    run = dl.evolve_density(NOISY, start={"x": dl.Gaussian(0, 0.5)}, at=[0, 1], grid=HERE)
    turned = dl.stationary_density(RING, grid=dl.Basis(phase=dl.Fourier(16)))
    for number, result in enumerate((density, spectrum, run, turned)):
        again = dl.load(result.save(tmp_path / f"{number}.npz"))
        assert type(again) is type(result)
        assert again.status == result.status
        for key, column in result.to_table().items():
            assert np.array_equal(again.to_table()[key], column)
        assert len(repr(result).splitlines()) <= 2
        assert result.plot() is not None
    assert dl.load(tmp_path / "0.npz").basis == density.basis
    assert pickle.loads(pickle.dumps(density.basis)) == density.basis
    assert hash(density.basis) == hash(dl.load(tmp_path / "0.npz").basis)


def test_a_marginal_of_two_is_one():
    density = dl.stationary_density(PAIR, grid=dl.Basis(x=H(18), y=H(20)))
    part = density.marginal("y")
    assert part.basis.names == ("y",)
    assert part.mass == pytest.approx(1, abs=1e-13)
    assert part.variance("y") == pytest.approx(0.5, abs=1e-9)
    assert part.at(y=0) == pytest.approx(np.pi**-0.5, abs=1e-6)
