"""Noise as part of a definition: what is accepted, how readings convert, what is found in its structure."""

import numpy as np
import pytest
import sympy

import dynlab as dl
from dynlab.symbolic import noise as of

x, y, r = sympy.symbols("x y r", real=True)


@dl.flow
def plane(x=1.0, y=0.5, *, k=1.0):
    return {x: y - k * x**3, y: -x * y}


def with_columns(reading, columns):
    """Return the plane with shared sources of these amplitudes."""

    @plane.with_noise(reading)
    def noisy(x, y):
        sources = dl.sources(" ".join(f"w{k}" for k in range(len(columns))))
        sources = sources if len(columns) > 1 else (sources,)
        made = [[e(x, y) for e in column] for column in columns]
        return {
            state: sum(s * column[k] for s, column in zip(sources, made, strict=True))
            for k, state in enumerate((x, y))
        }

    return noisy


ROTATING = [(lambda x, y: dl.sin(y), lambda x, y: x * y), (lambda x, y: 1 + x**2, lambda x, y: x)]
COMMUTING = [(lambda x, y: x, lambda x, y: 2 * y), (lambda x, y: 3 * x, lambda x, y: -y)]


def fokker_planck(system, p):
    """Return p_t for a system read as Ito's: ``-div(f p) + sum_ij d_i d_j (D_ij p)``."""
    f, B = system.rule, sympy.Matrix(of.columns_of(system)).T
    D = B * B.T / 2
    variables = (x, y)
    flow = sum(sympy.diff(f[i] * p, variables[i]) for i in range(2))
    spread = sum(
        sympy.diff(D[i, j] * p, variables[i], variables[j]) for i in range(2) for j in range(2)
    )
    return spread - flow


def stated(reading, f, B, p):
    """Return p_t as each reading is defined, written without its Ito form."""
    variables = (x, y)
    if reading is dl.Stratonovich:  # sum_ijk d_i B_ik d_j (B_jk p) / 2
        spread = sum(
            sympy.diff(B[i, k] * sympy.diff(B[j, k] * p, variables[j]), variables[i]) / 2
            for i in range(2) for j in range(2) for k in range(B.shape[1])
        )  # fmt: skip
    else:  # div (D grad p)
        D = B * B.T / 2
        spread = sum(
            sympy.diff(D[i, j] * sympy.diff(p, variables[j]), variables[i])
            for i in range(2) for j in range(2)
        )  # fmt: skip
    return spread - sum(sympy.diff(f[i] * p, variables[i]) for i in range(2))


@pytest.mark.parametrize("reading", [dl.Stratonovich, dl.HanggiKlimontovich])
def test_a_reading_converted_to_ito_has_the_same_fokker_planck_equation(reading):
    system = with_columns(reading, ROTATING)
    p = sympy.exp(-(x**2) - y**2 / 2 + x * y / 3)
    B = sympy.Matrix(of.columns_of(system)).T
    as_ito = of.ito_drift(system)
    as_ito = fokker_planck(dl.System(
        "as_ito", system.states, system.parameters, as_ito.rule, noise=system.noise
    ), p)  # fmt: skip
    assert sympy.simplify(as_ito - stated(reading, system.rule, B, p)) == 0


def test_the_two_conversions_are_inverse():
    for reading in (dl.Ito, dl.Stratonovich, dl.HanggiKlimontovich):
        system = with_columns(reading, ROTATING)
        back = with_columns(dl.Stratonovich, ROTATING)
        back = of.ito_drift(
            dl.System(
                "b",
                back.states,
                back.parameters,
                of.stratonovich_drift(system).rule,
                noise=back.noise,
            )
        )
        differences = zip(back.rule, of.ito_drift(system).rule, strict=True)
        assert all(sympy.expand(a - b) == 0 for a, b in differences)


def test_structure_is_found():
    additive = plane.with_noise(x=0.4)
    diagonal = with_private(lambda x, y: {x: x, y: 2 * y})
    crossed = with_private(lambda x, y: {x: y, y: 1.0})
    for system, is_additive, is_diagonal, is_commutative in (
        (additive, True, True, True),
        (diagonal, False, True, True),
        (crossed, False, False, False),
        (with_columns(dl.Ito, ROTATING), False, False, False),
        (with_columns(dl.Ito, COMMUTING), False, False, True),
        (with_columns(dl.Ito, ROTATING[:1]), False, False, True),
        (with_private(lambda x, y: {x: [x, 1.0]}), False, False, False),
    ):
        found = of.is_additive(system), of.is_diagonal(system), of.is_commutative(system)
        assert found == (is_additive, is_diagonal, is_commutative), system


def with_private(body):
    @plane.with_noise(dl.Ito)
    def noisy(x, y):
        return body(x, y)

    return noisy


def test_amplitude_and_reading_are_part_of_what_a_system_is():
    a, b = plane.with_noise(x=0.4), plane.with_noise(x=0.5)
    assert a.is_stochastic
    assert not plane.is_stochastic
    assert a != b != plane
    assert a == plane.with_noise(x=0.4)
    assert hash(a) == hash(plane.with_noise(x=0.4))
    assert a.without_noise() == plane
    # noise does not touch what is compiled for the drift
    assert a.rule_hash == plane.rule_hash
    assert with_columns(dl.Ito, ROTATING) != with_columns(dl.Stratonovich, ROTATING)


def test_noise_is_written_and_read(tmp_path):
    for reading in (dl.Ito, dl.Stratonovich, dl.HanggiKlimontovich):
        system = with_columns(reading, ROTATING)
        assert dl.load(system.save(tmp_path / "system")) == system
    for refusing in (dl.to_toml, dl.to_ode):
        with pytest.raises(dl.UnsupportedSystemError, match="noise"):
            refusing(system)


def test_parameters_of_noise_are_parameters():
    @plane.with_noise(dl.Ito)
    def noisy(x, *, s=0.5, q=2.0):
        return {x: s * q}

    assert noisy(s=0.1)["s"] == 0.1
    assert noisy.tie(q="3*s").noise.layers[0].amplitudes[0] == 3 * sympy.Symbol("s", real=True) ** 2
    assert noisy.name == "noisy"


def test_it_is_shown_as_it_is_read():
    shown = {
        dl.Ito: r"\,\mathrm{d}", dl.Stratonovich: r"\circ \mathrm{d}",
        dl.HanggiKlimontovich: r"\bullet \mathrm{d}",
    }  # fmt: skip
    for reading, mark in shown.items():
        system = with_columns(reading, ROTATING)
        assert mark in system._repr_latex_()
        assert mark in system._repr_html_()
        assert mark in dl.to_latex(system)
    assert "Stratonovich" in with_columns(dl.Stratonovich, ROTATING)._repr_latex_()
    assert "(0.4) dW_1" in repr(plane.with_noise(x=0.4))


def test_network_conversions_hold_for_each_node():
    @dl.flow
    def ring(u: dl.PerNode = 0.1, *, A: dl.PerLink = 1.0):
        i, j = dl.nodes("i j")
        return {u[i]: -u[i] + dl.Sum(A[i, j] * u[j], j)}

    @ring.with_noise(dl.Stratonovich)
    def noisy(u, *, s=0.3):
        k = dl.nodes("k")
        return {u[k]: s * u[k] ** 2}

    bound = noisy.on(np.ones((3, 3)))
    point = np.array([0.3, -0.5, 0.7])
    from dynlab.codegen.kernels import kernels_of

    p = np.array(bound.parameter_values)
    apart = kernels_of(of.ito_drift(bound)).rhs(0.0, point, p) - kernels_of(
        bound.without_noise()
    ).rhs(0.0, point, p)
    assert np.allclose(apart, 0.09 * point**3, rtol=1e-14)  # (s u^2)(2 s u) / 2

    @ring.with_noise(dl.Stratonovich)
    def summed(u, *, A, s=0.3):
        i, j = dl.nodes("i j")
        return {u[i]: dl.Sum(A[i, j] * u[j], j)}

    with pytest.raises(dl.UnsupportedSystemError, match="EulerMaruyama"):
        of.ito_drift(summed.on(np.ones((3, 3))))


def test_mistakes_are_named():
    for make, kind, words in (
        (lambda: plane.with_noise(z=1.0), dl.UnknownNameError, "state"),
        (lambda: plane.with_noise(x=np.nan), dl.DynlabError, "'x'"),
        (lambda: plane.with_noise(), dl.DefinitionError, "dl.Ito"),
        (lambda: plane.with_noise("Ito"), dl.DefinitionError, "dl.Stratonovich"),
        (lambda: plane.with_noise(x=1.0).with_noise(y=1.0), dl.DefinitionError, "without_noise"),
        (lambda: plane.with_noise(x=0.0).with_noise(dl.Ito), dl.DefinitionError, "already"),
        (lambda: with_private(lambda x, y: 3), dl.DefinitionError, "dict"),
        (lambda: with_private(lambda x, y: {x: 0}), dl.DefinitionError, "zero"),
        (lambda: with_private(lambda x, y: {"x": 1.0, "q": 2}), dl.DefinitionError, "q"),
        (lambda: with_private(lambda x, y: {x: dl.sources("a") ** 2}), dl.DefinitionError, "sum"),
        (lambda: with_private(lambda x, y: {x: dl.sources("a") + 1}), dl.DefinitionError, "sum"),
        (lambda: dl.sources("a a"), dl.DefinitionError, "different"),
        (lambda: dl.sources(""), dl.DefinitionError, "names no"),
        (lambda: dl.zoo.henon.with_noise(dl.Stratonovich), dl.UnsupportedSystemError, "map"),
        (lambda: plane.with_noise(dl.Ito)(3), dl.DefinitionError, "function"),
    ):
        with pytest.raises(kind, match=words):
            make()


NOISY = plane.with_noise(x=0.1)
QUESTIONS = {
    "integrate": lambda s: dl.integrate(s, duration=1),
    "find_equilibria": dl.find_equilibria,
    "bifurcation_diagram": lambda s: dl.bifurcation_diagram(s, vary="k", over=(0, 1)),
    "lyapunov_exponent": lambda s: dl.lyapunov_exponent(s, duration=10),
    "lyapunov_spectrum": lambda s: dl.lyapunov_spectrum(s, duration=10),
    "covariant_vectors": lambda s: dl.covariant_vectors(s, duration=10, transient=1),
    "alignment_indices": lambda s: dl.alignment_indices(s, duration=10),
    "find_cycle": dl.find_cycle,
    "phase_portrait": lambda s: dl.phase_portrait(s, within={"x": (-1, 1), "y": (-1, 1)}),
    "poincare_map": lambda s: dl.poincare_map(s, when=lambda x: x),
    "find_attractors": lambda s: dl.find_attractors(s, within={"x": (-1, 1), "y": (-1, 1)}),
    "euler_map": lambda s: dl.euler_map(s, step=0.1),
    "frozen": lambda s: s.frozen(at=0),
    "finite_time_exponents": lambda s: dl.finite_time_exponents(s, duration=5),
    "expansion_entropy": lambda s: dl.expansion_entropy(
        s, within={"x": (-1, 1), "y": (-1, 1)}, duration=5
    ),
    "exponent_chart": lambda s: dl.exponent_chart(s, vary={"k": [0, 1]}, duration=5),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_deterministic_questions_refuse_noise_by_name(question):
    with pytest.raises(dl.UnsupportedSystemError, match="noise"):
        QUESTIONS[question](NOISY)
