r"""Noise: amplitudes per state and source, how they are read, and what follows from them.

``dX = f dt + sum_k b_k dW_k`` with independent Wiener processes W_k.  What a product ``b(X) dW`` means
depends on where within dt the amplitude is taken, and that is said once, on the model (`Reading`).  With
``D = sum_k b_k b_k^T / 2`` the three readings are the drifts

=====================  ==============================  =====================================
reading                drift of the same process, Ito  stationary density in one dimension
=====================  ==============================  =====================================
Ito                    f                               exp(int f/D) / D
Stratonovich           f + sum_k (b_k . grad) b_k / 2  exp(int f/D) / sqrt(D)
Hanggi-Klimontovich    f + div D                       exp(int f/D)
=====================  ==============================  =====================================

Gardiner, Handbook of Stochastic Methods, section 4.3; Hanggi and Thomas 1982, Phys. Rep. 88, 207;
Klimontovich 1990, Physica A 163, 515 (the flux is ``f p - D grad p``).

Noise is kept in layers.  A layer has one amplitude per state; its numbers have a Wiener process each
(a private layer), or share one, which is how noises of different states are correlated.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import sympy

from dynlab.errors import DefinitionError, UnsupportedSystemError
from dynlab.names import finite
from dynlab.symbolic import indexed
from dynlab.symbolic.derivatives import derivative
from dynlab.symbolic.tree import from_tree, symbol, to_tree

if TYPE_CHECKING:
    from dynlab.symbolic.system import System

__all__ = [
    "HanggiKlimontovich",
    "Ito",
    "Layer",
    "Noise",
    "Reading",
    "Stratonovich",
    "additive_noise",
    "amplitude_system",
    "columns_of",
    "is_additive",
    "is_commutative",
    "is_diagonal",
    "ito_drift",
    "klimontovich_drift",
    "noise_of",
    "sources",
    "stratonovich_drift",
]

Expressions = tuple[sympy.Expr, ...]


class Reading(enum.Enum):
    """Where within a short time the amplitude of a noise is taken."""

    ITO = "Ito"
    STRATONOVICH = "Stratonovich"
    HANGGI_KLIMONTOVICH = "HanggiKlimontovich"


#: The amplitude at the beginning: ``dX = f dt + b dW``.
Ito = Reading.ITO
#: The amplitude in the middle, the limit of coloured noise; ordinary calculus holds.
Stratonovich = Reading.STRATONOVICH
#: The amplitude at the end; a density exp(-V/D) if ``f = -D V'/D``, also where D varies.
HanggiKlimontovich = Reading.HANGGI_KLIMONTOVICH


class Source(sympy.Symbol):
    """The Wiener increment of a named source, inside the body of a definition."""

    __slots__ = ()


@cache
def _source(name: str) -> Source:
    made: Source = Source.__xnew__(Source, name, real=True)
    return made


def sources(names: str) -> Any:
    """Return named noise sources, for noises that several states share.

    In a function under `with_noise` an amplitude that holds no source has one of its own; amplitudes that
    multiply the same source are driven by the same Wiener process.

    Parameters
    ----------
    names
        Names separated by blanks.

    Returns
    -------
    Source or tuple of Source
        One source, or as many as there are names.

    Raises
    ------
    DefinitionError
        If there is no name, or one is not an identifier or stands twice.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def pair(x=0.0, y=0.0):
    ...     return {x: -x, y: -y}
    >>> @pair.with_noise(dl.Ito)
    ... def correlated(x, y, *, r=0.5):
    ...     common, own = dl.sources("common own")
    ...     return {x: common, y: r * common + dl.sqrt(1 - r**2) * own}
    >>> len(correlated.noise.layers)
    2
    """
    found = str(names).split()
    if not found or any(not n.isidentifier() or found.count(n) > 1 for n in found):
        raise DefinitionError(
            f"{names!r} names no noise sources. Write different names with blanks between them: "
            'a, b = dl.sources("a b").'
        )
    made = tuple(_source(n) for n in found)
    return made[0] if len(made) == 1 else made


@dataclass(frozen=True, slots=True)
class Layer:
    """One amplitude per declared state; `source` names what they share, empty if each has its own."""

    source: str
    amplitudes: Expressions


@dataclass(frozen=True, slots=True)
class Noise:
    """The noise of a system: how its amplitudes are read, and the layers."""

    reading: Reading
    layers: tuple[Layer, ...]

    def mapped(self, change: Callable[[sympy.Expr], sympy.Expr]) -> Noise:
        """Return the noise with every amplitude changed."""
        return replace(self, layers=tuple(
            replace(a, amplitudes=tuple(map(change, a.amplitudes))) for a in self.layers
        ))  # fmt: skip

    def __stored__(self) -> list[Any]:
        """Return plain JSON data."""
        rows = [[a.source, [to_tree(e) for e in a.amplitudes]] for a in self.layers]
        return [self.reading.value, rows]

    @classmethod
    def __restored__(cls, data: Sequence[Any]) -> Noise:
        reading, rows = data
        layers = tuple(Layer(str(s), tuple(from_tree(e) for e in row)) for s, row in rows)
        return cls(Reading(reading), layers)

    def terms(self, place: int) -> list[tuple[sympy.Expr, str]]:
        """Return the amplitudes of a state, each with the name of its Wiener process."""
        found, number = [], 0
        for layer in self.layers:
            for k, amplitude in enumerate(layer.amplitudes):
                number += bool(not layer.source and amplitude != 0)
                if k == place and amplitude != 0:
                    found.append((amplitude, layer.source or str(number)))
        return found


def additive_noise(system: System, amplitudes: Mapping[str, Any]) -> Noise:
    """Return independent noises of constant amplitude, by the names of states."""
    values = {n: finite(v, f"the noise amplitude of {n!r}") for n, v in amplitudes.items()}
    row = tuple(sympy.Float(values[n]) if n in values else sympy.S.Zero for n in system.declared)
    return Noise(Ito, (Layer("", row),))


def noise_of(
    system: System, found: Any, reading: Reading, check: Callable[[Any, str], sympy.Expr]
) -> Noise:
    """Return the noise that the body of a function gave: ``{state: amplitude or several}``."""
    where = f"the noise of {system.name!r}"
    if not isinstance(found, Mapping):
        raise DefinitionError(
            f"{where} returns {type(found).__name__}; return a dict {{state: amplitude}}."
        )
    private: list[dict[str, sympy.Expr]] = []
    shared: dict[str, dict[str, sympy.Expr]] = {}
    for key, value in found.items():
        state, indices = _key(key, system, where)
        several = value if isinstance(value, list | tuple) else (value,)
        own = 0
        for term in several:
            parts = _by_source(term, f"the noise of {state!r}")
            for name, amplitude in parts.items():
                checked = check(amplitude, f"the noise of {state!r}")
                loose = indexed.free_indices(checked) - set(indices)
                if loose:
                    raise DefinitionError(
                        f"the noise of {state!r} depends on the index {min(loose)}, which nothing sums "
                        "over. Use dl.Sum or dl.Mean, or the index of the state itself."
                    )
                checked = indexed.canonical(checked, indices)
                if name:
                    shared.setdefault(name, {})
                    shared[name][state] = shared[name].get(state, sympy.S.Zero) + checked
                    continue
                if own == len(private):
                    private.append({})
                private[own][state] = checked
                own += 1
    rows = [("", row) for row in private] + list(shared.items())
    zero = sympy.S.Zero
    layers = tuple(Layer(s, tuple(r.get(n, zero) for n in system.declared)) for s, r in rows)
    if not any(e != 0 for layer in layers for e in layer.amplitudes):
        raise DefinitionError(
            f"{where} is zero for every state. Give an amplitude, or leave it out."
        )
    return Noise(reading, layers)


def _key(key: Any, system: System, where: str) -> tuple[str, tuple[str, ...]]:
    """Return the state and the indices of what an amplitude is for."""
    base, indices = (
        (key.base, key.indices)
        if isinstance(key, indexed.Element)
        else (getattr(key, "name", str(key)), ())
    )
    count = len(system.shapes.get(base, ()))
    if base not in system.declared or len(indices) != count or len(set(indices)) < count:
        form = {0: "", 1: "[i]", 2: "[i, j]"}[count]
        raise DefinitionError(
            f"{where} has an amplitude for {key!s:.40}. Its keys are states: "
            f"{', '.join(system.declared)}{f', with the index: {base}{form}' if form else ''}."
        )
    return base, indices


def _by_source(term: Any, where: str) -> dict[str, Any]:
    """Split ``a*xi + b*eta`` into amplitudes by source; without a source it is private, under ''."""
    try:
        named = sorted(sympy.sympify(term).atoms(Source), key=lambda s: s.name)
    except (sympy.SympifyError, AttributeError, TypeError):
        return {"": term}  # `check` says what is wrong with it
    if not named:
        return {"": term}
    parts = {s.name: sympy.expand(term).coeff(s) for s in named}
    rest = sympy.expand(term - sum(parts[s.name] * s for s in named))
    if rest != 0 or any(a.has(Source) for a in parts.values()):
        raise DefinitionError(
            f"{where} is {term!s:.60}, and must be a sum of amplitudes times sources: a*xi + b*eta. Put "
            "a noise of its own beside it in a list: [a*xi, b]."
        )
    return parts


# -- what follows ----------------------------------------------------------------------------


def amplitude_system(system: System, layer: Layer) -> System:
    """Return a system whose right-hand side is a layer; its kernels are those of the amplitudes."""
    return replace(system, rule=layer.amplitudes, **_bare(system))


def _bare(system: System) -> dict[str, Any]:
    # Where the arrays of a network stand depends on the links that its events deliver over.
    events = system.events if system.is_indexed else ()
    return {"noise": None, "observables": (), "events": events, "pairs": ()}


def columns_of(system: System) -> tuple[Expressions, ...]:
    """Return the amplitudes of each Wiener process, one per state, of a system without indices."""
    found: list[Expressions] = []
    for layer in system.noise.layers if system.noise else ():
        if layer.source:
            found.append(layer.amplitudes)
            continue
        for k, amplitude in enumerate(layer.amplitudes):
            if amplitude != 0:
                row = [sympy.S.Zero] * len(layer.amplitudes)
                row[k] = amplitude
                found.append(tuple(row))
    return tuple(found)


def ito_drift(system: System) -> System:
    """Return the flow without noise whose rule is the drift of the same process read as Ito's."""
    noise = system.noise
    assert noise is not None
    if noise.reading is Reading.ITO:
        return _with_rule(system, list(system.rule))
    is_middle = noise.reading is Reading.STRATONOVICH
    extra = _stratonovich(system) if is_middle else _divergence(system)
    return _with_rule(system, [f + e for f, e in zip(system.rule, extra, strict=True)])


def stratonovich_drift(system: System) -> System:
    """Return the flow without noise whose rule is the drift of the same process read as Stratonovich's."""
    noise = system.noise
    assert noise is not None
    if noise.reading is Reading.STRATONOVICH:
        return _with_rule(system, list(system.rule))
    rule = zip(ito_drift(system).rule, _stratonovich(system), strict=True)
    return _with_rule(system, [f - e for f, e in rule])


def klimontovich_drift(system: System) -> System:
    """Return the flow without noise whose rule is the drift of the same process read as Hanggi and Klimontovich's."""
    noise = system.noise
    assert noise is not None
    if noise.reading is Reading.HANGGI_KLIMONTOVICH:
        return _with_rule(system, list(system.rule))
    rule = zip(ito_drift(system).rule, _divergence(system), strict=True)
    return _with_rule(system, [f - e for f, e in rule])


def _with_rule(system: System, rule: Sequence[sympy.Expr]) -> System:
    return replace(system, rule=tuple(rule), **_bare(system))


@cache
def _stratonovich(system: System) -> Expressions:
    """Return ``sum_k (b_k . grad) b_k / 2``."""
    if system.is_indexed:
        return tuple(e / 2 for e in _own_products(system))
    names = system.state_names
    return tuple(
        sympy.Add(*(b[k] * derivative(b[i], symbol(n)) / 2
                    for b in columns_of(system) for k, n in enumerate(names) if b[k] != 0))
        for i in range(len(names))
    )  # fmt: skip


@cache
def _divergence(system: System) -> Expressions:
    """Return ``div D``."""
    if system.is_indexed:
        return _own_products(system)
    names = system.state_names
    return tuple(
        sympy.Add(*(derivative(b[i] * b[k], symbol(n)) / 2
                    for b in columns_of(system) for k, n in enumerate(names)))
        for i in range(len(names))
    )  # fmt: skip


def _own_products(system: System) -> Expressions:
    """Return ``b db/dx`` for each state of a network, where only a node's own state matters."""
    assert system.noise is not None
    found = [sympy.S.Zero] * len(system.rule)
    for layer in system.noise.layers:
        for k, amplitude in enumerate(layer.amplitudes):
            held = _states_in(amplitude, system)
            in_sums = any(_states_in(s, system) for s in indexed.sums_of(amplitude))
            if in_sums or (layer.source and held) or amplitude.has(*_intermediates(system)):
                raise UnsupportedSystemError(
                    f"the noise of {system.states[k].name!r} of {system.name!r} depends on other nodes, and "
                    "its reading cannot be converted there. Name dl.Ito and use dl.EulerMaruyama, which "
                    "needs no conversion."
                )
            state = system.states[k]
            own = _own(system, k)
            if not layer.source and own in held:
                rate = derivative(amplitude, own)
                found[k] += amplitude * rate
                assert state.shape or own == symbol(state.name)
    return tuple(found)


def _own(system: System, place: int) -> sympy.Symbol:
    """Return a state as its own equation writes it."""
    state = system.states[place]
    if not state.shape:
        return symbol(state.name)
    return indexed.element(state.name, *indexed.LETTERS[: len(state.shape)])


def _intermediates(system: System) -> list[sympy.Symbol]:
    return [indexed.element(m.name, "i") for m in system.intermediates]


def _states_in(expression: sympy.Expr, system: System) -> set[Any]:
    """Return the states, or entries of them, that an expression holds, inside sums as well."""
    atoms = set(expression.free_symbols)
    for sum_ in indexed.sums_of(expression):
        atoms |= _states_in(sum_.summand, system)
    return {a for a in atoms if getattr(a, "base", getattr(a, "name", "")) in system.declared}


def is_additive(system: System) -> bool:
    """Whether no amplitude depends on a state."""
    return system.noise is not None and not any(
        _states_in(e, system) for layer in system.noise.layers for e in layer.amplitudes
    )


def is_diagonal(system: System) -> bool:
    """Whether each number of the state has one noise of its own, whose amplitude holds no other state."""
    noise = system.noise
    if noise is None or len(noise.layers) != 1 or noise.layers[0].source:
        return False
    return all(
        _states_in(e, system) <= {_own(system, k)} for k, e in enumerate(noise.layers[0].amplitudes)
    )


@cache
def is_commutative(system: System) -> bool:
    """Whether ``(b_j . grad) b_k = (b_k . grad) b_j`` for all pairs of sources.

    Then schemes of strong order 1 need no areas of the Wiener processes.
    """
    if is_additive(system) or is_diagonal(system):
        return True
    if system.is_indexed:
        return False
    names, columns = system.state_names, columns_of(system)

    def along(b: Expressions, c: Expressions, i: int) -> sympy.Expr:
        return sympy.Add(*(b[k] * derivative(c[i], symbol(n)) for k, n in enumerate(names)))

    pairs = [(b, c) for j, b in enumerate(columns) for c in columns[:j]]
    return all(
        sympy.expand(along(b, c, i) - along(c, b, i)).equals(0) is True
        for b, c in pairs
        for i in range(len(names))
    )
