"""What holds of escape rates for weak noise: closed forms, and the exact times that they approach at the order claimed."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import eigs

import dynlab as dl


@dl.flow
def double_well(x=-1.0):
    return {x: x - x**3}


@dl.flow
def metastable(x=0.0):
    return {x: -x + x**2}


@dl.flow
def particle(x=-1.0, v=0.0, *, g=1.0):
    return {x: v, v: x - x**3 - g * v}


@dl.flow
def maier_stein(u=-1.0, v=0.0, *, alpha=1.0):
    return {u: u - u**3 - alpha * u * v**2, v: -(1 + u**2) * v}


def ordered(system):
    """Return the equilibria along the first state."""
    within = dict.fromkeys(system.state_names, (-2.0, 2.1))
    return sorted(dl.find_equilibria(system, within=within), key=lambda p: p.state[0])


LEFT, TOP, _ = ordered(double_well)
LOW, HIGH = ordered(metastable)


def with_strength(system, D):
    return system.with_noise(**dict.fromkeys(system.state_names, (2 * D) ** 0.5))


@pytest.mark.parametrize(
    ("D", "rate", "ratio"),
    [  # Kramers' formula; the slowest rate over twice that, by two independent methods to ten digits
        (0.1, 0.018475615893207, 0.0335452873080006 / 2 / 0.018475615893207),
        (0.05, 0.0015165709051696, 0.0027761406364 / 2 / 0.0015165709051696),
    ],
)
def test_double_well(D, rate, ratio):
    noisy = with_strength(double_well, D)
    found = dl.kramers_rate(noisy, well=LEFT, saddle=TOP)
    assert found.rate == pytest.approx(rate, rel=1e-12)
    assert found.barrier == pytest.approx(0.25 / D, rel=1e-12)
    assert found.correction == pytest.approx(1.5 * D, rel=1e-12)
    exact = dl.generator_spectrum(noisy, count=2).rates[1]
    assert exact / (2 * found.rate) == pytest.approx(ratio, rel=1e-8)


@pytest.mark.parametrize(
    ("system", "well", "saddle", "beyond", "strengths", "coefficient"),
    [
        (double_well, LEFT, TOP, 1.0, (0.01, 0.005), 1.5),
        # V = x^2/2 - x^3/3: twice 5 V3^2 / (24 V2^3) with V3 = 2
        (metastable, LOW, HIGH, 2.2, (0.008, 0.004), 5 / 3),
    ],
)
def test_exact_times_are_approached(system, well, saddle, beyond, strengths, coefficient):
    """Halving the noise halves the distance of the leading order, and quarters that of the next."""
    rows = []
    for D in strengths:
        noisy = with_strength(system, D)
        found = dl.kramers_rate(noisy, well=well, saddle=saddle)
        assert found.correction == pytest.approx(coefficient * D, rel=1e-10)
        cells = (
            dl.Grid(x=(-1.8, beyond, 2048))
            if system is double_well
            else dl.Grid(x=(-0.8, beyond, 2048))
        )
        exact = dl.escape_time(noisy, start=well.start, beyond={"x": beyond}, grid=cells)
        rows.append([exact.rate / found.rate - 1, exact.rate / found.corrected_rate - 1])
        assert abs(rows[-1][0]) == pytest.approx(found.error, rel=0.1)
    assert np.log2(np.divide(*np.abs(rows))) == pytest.approx([1.0, 2.0], abs=0.12)


@pytest.mark.parametrize("g", [0.5, 1.0, 10.0])
def test_a_particle_with_friction(g):
    """Kramers 1940: ((g^2/4 + w_b^2)^(1/2) - g/2) / w_b * w_0 / (2 pi) exp(-E/T); here w_b = 1, w_0^2 = 2, E = 1/4."""
    T = 0.05
    left, top, _ = ordered(particle(g=g))
    found = dl.kramers_rate(particle(g=g).with_noise(v=(2 * g * T) ** 0.5), well=left, saddle=top)
    expected = (np.sqrt(g**2 / 4 + 1) - g / 2) * np.sqrt(2) / (2 * np.pi) * np.exp(-0.25 / T)
    assert found.rate == pytest.approx(expected, rel=1e-11)
    # The action of a round at the height of the barrier is twice the integral of x sqrt(1 - x^2/2) from 0 to sqrt 2: 4/3.
    assert found.energy_loss == pytest.approx(g / T * 4 / 3, rel=1e-10)


def particle_gap(g, T, places, speeds, reach):
    """Return the slowest rate of a particle in the well x^4/4 - x^2/2: sinc functions times Hermite functions.

    Risken, The Fokker-Planck Equation, chapter 10: ``-g n - sqrt(T) (D_+ a + D_- a')`` between Hermite functions n.
    """
    h, k = 2 * reach / places, np.subtract.outer(np.arange(places), np.arange(places))
    x, n = -reach + h * (np.arange(places) + 0.5), np.arange(float(speeds))
    slope = np.where(k == 0, 0.0, (-1.0) ** k / (h * np.where(k == 0, 1, k)))
    force = np.diag(x - x**3) / (2 * np.sqrt(T))
    up, down = np.sqrt(T) * slope + force, np.sqrt(T) * slope - force
    matrix = -g * sparse.kron(sparse.diags(n), sparse.eye(places))
    matrix = matrix - sparse.kron(sparse.diags(np.sqrt(n[1:]), 1), up)
    matrix = matrix - sparse.kron(sparse.diags(np.sqrt(n[1:]), -1), down)
    values = eigs(sparse.csc_matrix(matrix), k=3, sigma=1e-9, v0=np.ones(places * speeds))[0]
    return np.sort(-values.real)[1]


def quiet_rate(system, T):
    """Return Kramers' rate from the left well, with its warning silenced where little friction calls it forth."""
    left, top, *_ = ordered(system)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dl.AccuracyWarning)
        return dl.kramers_rate(
            system.with_noise(v=(2 * system["g"] * T) ** 0.5), well=left, saddle=top
        )


def test_the_gap_of_a_particle_is_the_known_one():
    """g = 0.5 and 1 at T = 0.25, by three independent methods to seven digits: the measure of the tests below."""
    assert particle_gap(0.5, 0.25, 70, 50, 3.2) == pytest.approx(0.1503155, abs=1e-7)
    assert particle_gap(1.0, 0.25, 70, 50, 3.2) == pytest.approx(0.1365079, abs=1e-7)


@pytest.mark.parametrize("loss", [0.5, 2.0, 20.0])
def test_the_turnover_follows_the_exact_rate_from_little_friction_to_much(loss):
    """At a barrier of 5 to one over it, where the rate of strong friction is up to seven times too fast."""
    T = 0.05
    g = loss * T * 3 / 4
    found, exact = quiet_rate(particle(g=g), T), particle_gap(g, T, 60, 110, 2.0) / 2
    assert found.energy_loss == pytest.approx(loss, rel=1e-9)
    assert exact / found.turnover_rate == pytest.approx(1, abs=1.1 / found.barrier)
    assert bool(found.rate > 6 * exact) == (loss == 0.5)


def test_what_the_turnover_misses_falls_with_the_noise():
    """At a loss of 4 temperatures: 9 % at a barrier of 5, 5.5 % at one of 10."""
    off = []
    for T, places, speeds in ((0.05, 56, 70), (0.025, 72, 110)):
        g = 4 * T * 3 / 4
        off.append(
            particle_gap(g, T, places, speeds, 1.9) / 2 / quiet_rate(particle(g=g), T).turnover_rate
            - 1
        )
    assert off[0] == pytest.approx(-0.092, abs=0.01)
    assert abs(off[1]) < 0.7 * abs(off[0])


def test_limits_of_the_factor_of_little_friction():
    """Y(d) = d (1 + zeta(1/2) sqrt(d / pi) + ...) for one well: Kramers' rate for little friction; 1 for much."""

    @dl.flow
    def cubic(x=0.0, v=0.0, *, g=1.0):
        return {x: v, v: -x + x**2 - g * v}

    zeta = -1.4603545088095868
    for loss in (1e-4, 1e-3):
        found = quiet_rate(cubic(g=0.02 * loss * 5 / 6), 0.02)  # the action of a round is 6/5
        assert found.energy_loss == pytest.approx(loss, rel=1e-8)
        assert found.depopulation / loss == pytest.approx(
            1 + zeta * np.sqrt(loss / np.pi), abs=0.5 * loss
        )
    assert quiet_rate(cubic(g=1.0), 0.01).depopulation == pytest.approx(1, abs=1e-12)
    assert quiet_rate(particle(g=1.0), 0.01).turnover_rate == pytest.approx(
        quiet_rate(particle(g=1.0), 0.01).rate
    )
    # Without speeds there is nothing to lose.
    assert (
        dl.kramers_rate(with_strength(double_well, 0.05), well=LEFT, saddle=TOP).depopulation == 1.0
    )


def test_both_ways_over_a_saddle_are_lowered_alike():
    """Detailed balance: the factor belongs to the saddle."""

    @dl.flow
    def tilted(x=0.0, v=0.0, *, g=0.02):
        return {x: v, v: x - x**3 + 0.1 - g * v}

    left, top, right = ordered(tilted)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dl.AccuracyWarning)
        one, other = (
            dl.kramers_rate(tilted.with_noise(v=(0.04 * 0.03) ** 0.5), well=w, saddle=top)
            for w in (left, right)
        )
    assert one.energy_loss < 0.8 * other.energy_loss
    assert one.depopulation == pytest.approx(other.depopulation, rel=1e-8)
    assert one.depopulation < 0.5


def test_linear_changes_of_variables_change_nothing():
    """A stiff direction beside the well, seen in slanted coordinates: correlated noise, the same rate."""

    @dl.flow
    def slanted(a=-1.0, b=0.0):
        x, y = a + 0.5 * b, b - 0.3 * a  # the well and y' = -3 y
        fx, fy = x - x**3, -3 * y
        return {a: (fx - 0.5 * fy) / 1.15, b: (0.3 * fx + fy) / 1.15}

    @slanted.with_noise(dl.Ito)
    def noisy(a, b, *, s=0.2**0.5):
        one, other = dl.sources("one other")
        return {a: s * (one - 0.5 * other) / 1.15, b: s * (0.3 * one + other) / 1.15}

    left, top, _ = ordered(slanted)
    found = dl.kramers_rate(noisy, well=left, saddle=top)
    plain = dl.kramers_rate(with_strength(double_well, 0.1), well=LEFT, saddle=TOP)
    assert found.rate == pytest.approx(plain.rate, rel=1e-11)
    assert found.error == pytest.approx(1 / 2.5)
    with pytest.raises(dl.UnsupportedSystemError, match="known for one state"):
        _ = found.corrected_rate


def test_a_saddle_with_other_curvature_across():
    """alpha = 1 is the gradient of -u^2/2 + u^4/4 + (1 + u^2) v^2 / 2: across, 2 in the well and 1 at the saddle."""
    left, top, _ = ordered(maier_stein)
    found = dl.kramers_rate(with_strength(maier_stein, 0.05), well=left, saddle=top)
    expected = 1 / (2 * np.pi) * np.sqrt(2 * 2 / (1 * 1)) * np.exp(-5)
    assert found.rate == pytest.approx(expected, rel=1e-11)


def test_a_result_is_kept_and_drawn(tmp_path):
    found = dl.kramers_rate(with_strength(double_well, 0.1), well=LEFT, saddle=TOP)
    assert dl.load(found.save(tmp_path / "rate.npz")).rate == found.rate
    assert found.plot().get_xlabel()
    assert found.to_table()["Phi"][-1] == found.barrier


@double_well.with_noise(dl.Ito)
def uneven(x):
    return {x: 0.1 * dl.sqrt(1 + x**2)}


def test_what_is_refused_or_doubted():
    noisy = with_strength(double_well, 0.1)
    with pytest.raises(dl.SettingError, match="is not stable"):
        dl.kramers_rate(noisy, well=TOP, saddle=LEFT)
    with pytest.raises(dl.SettingError, match="0 unstable directions"):
        dl.kramers_rate(noisy, well=LEFT, saddle=LEFT)
    with pytest.raises(dl.UnsupportedSystemError, match="depends on the state"):
        dl.kramers_rate(uneven, well=LEFT, saddle=TOP)
    left, top, _ = ordered(maier_stein(alpha=3))
    with pytest.raises(dl.UnsupportedSystemError, match=r"no gradient .* dl\.quasipotential"):
        dl.kramers_rate(with_strength(maier_stein(alpha=3), 0.05), well=left, saddle=top)
    with pytest.warns(dl.AccuracyWarning, match="high barriers"):
        dl.kramers_rate(with_strength(double_well, 0.5), well=LEFT, saddle=TOP)
    left, top, _ = ordered(particle(g=0.05))
    with pytest.warns(dl.AccuracyWarning, match="upper bound"):
        dl.kramers_rate(particle(g=0.05).with_noise(v=(0.1 * 0.05) ** 0.5), well=left, saddle=top)
