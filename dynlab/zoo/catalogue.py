"""Which models there are, where they stand in print, and what is known about them.

The models are Python functions in the files of their subjects; the facts are data in
``facts.toml``, whose head explains every key.
"""

from __future__ import annotations

import html
import importlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from dynlab.errors import DefinitionError, UnknownNameError

if TYPE_CHECKING:
    from dynlab.symbolic.system import System

__all__ = ["Catalogue", "Entry", "Fact", "catalogue", "facts", "get", "names"]

#: The models of each subject; a subject is a file of this package.
_MODELS: Mapping[str, tuple[str, ...]] = {
    "neurons": (
        "linear_unit", "fitzhugh_nagumo", "hodgkin_huxley", "morris_lecar",
        "leaky_integrate_and_fire", "exponential_integrate_and_fire",
        "quadratic_integrate_and_fire", "izhikevich", "adaptive_exponential",
        "hindmarsh_rose",
    ),
    "populations": ("wilson_cowan", "jansen_rit"),
    "oscillators": ("van_der_pol", "forced_van_der_pol", "duffing", "ueda"),
    "mechanics": (
        "harmonic_oscillator",
        "pendulum",
        "double_well_oscillator",
        "henon_heiles",
        "toda",
        "kepler",
        "double_pendulum", "driven_pendulum", "magnetic_pendulum",
    ),
    "flows": (
        "lorenz", "roessler", "chen", "lu", "shimizu_morioka", "rucklidge", "rikitake",
        "rabinovich_fabrikant", "nose_hoover", "chua", "thomas", "halvorsen", "genesio_tesi",
        "roessler_hyperchaos",
    ),
    "simple_flows": ("sprott_jerk", *(f"sprott_{case}" for case in "bcdefghijklmnopqrs")),
    "turbulence": ("kuramoto_sivashinsky",),
    "maps": (
        "logistic",
        "henon",
        "ricker",
        "cubic",
        "tent",
        "delayed_logistic",
        "generalized_henon",
        "lozi",
        "sine_circle",
        "standard_map",
        "arnold_cat",
        "plrnn_unit",
        "gauss_map", "continued_fraction", "bakers_map", "kaplan_yorke_map", "ikeda", "tinkerbell",
        "duffing_map", "bogdanov_map", "gingerbread_man", "zaslavskii", "coupled_logistic",
        "newton_cubic",
    ),
    "chemistry": ("brusselator", "robertson", "oregonator", "hires"),
    "ecology": ("pp2", "hastings_powell"),
    "epidemics": ("sir",),
    "climate": ("lorenz84_extended", "lorenz84", "lorenz96"),
    "psychology": ("emotion",),
    "networks": (
        "kuramoto",
        "kuramoto_on_graph",
        "ctrnn",
        "hopfield_rates",
        "hopfield_inputs", "softmax_memory",
        "rate_network",
        "excitation_inhibition",
        "sir_on_graph",
        "consensus", "gradient_units", "flock",
        "layered_network", "izhikevich_network", "coupled_map_lattice",
    ),
    "synchrony": (
        "ott_antonsen", "ott_antonsen_bimodal", "two_population_chimera", "star_of_oscillators",
        "noisy_kuramoto_modes", "ring_of_oscillators",
    ),
    "hybrid": ("bouncing_ball", "stick_slip"),
    "delays": ("mackey_glass", "hutchinson", "ikeda_delay", "sprott_delay", "el_nino"),
}  # fmt: skip
_SUBJECT = {name: subject for subject, models in _MODELS.items() for name in models}

_KINDS = frozenset({"exact", "published", "computed"})
_WHATS = frozenset({
    "equilibrium", "fixed point", "fold", "hopf", "transcritical", "pitchfork", "branch point",
    "no hopf", "diagram",
    "period", "cycle period", "value at period", "cycle fold", "period doubling", "torus", "snic",
    "homoclinic", "heteroclinic", "isi", "no cycle",
    "orbit period", "divergence", "determinant", "exponents", "final size", "peak", "onset", "law", "end value",
})  # fmt: skip
_COUNTED = frozenset({"fold", "hopf", "branch point"})


def names() -> tuple[str, ...]:
    """Return the names of all models, sorted.

    Examples
    --------
    >>> from dynlab import zoo
    >>> "lorenz" in zoo.names()
    True
    """
    return tuple(sorted(_SUBJECT))


def get(name: str) -> System:
    """Return the model of that name.

    Parameters
    ----------
    name
        As in `names`.

    Raises
    ------
    UnknownNameError
        If there is no such model; the message lists the nearest names.

    Examples
    --------
    >>> from dynlab import zoo
    >>> zoo.get("van_der_pol").state_names
    ('x', 'y')
    """
    if name not in _SUBJECT:
        raise UnknownNameError("model of the zoo", name, names())
    system: System = getattr(importlib.import_module(f"dynlab.zoo.{_SUBJECT[name]}"), name)
    return system


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the catalogue."""

    name: str
    kind: str
    states: tuple[str, ...]
    parameters: tuple[str, ...]
    subject: str
    reference: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The models of the zoo as a table."""

    rows: tuple[Entry, ...]

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def to_table(self) -> dict[str, list[Any]]:
        """Return the columns by name."""
        return {f.name: [getattr(row, f.name) for row in self.rows] for f in fields(Entry)}

    def __repr__(self) -> str:
        rows = [_HEAD, *map(_cells, self.rows)]
        widths = [min(max(map(len, column)), _WIDEST) for column in zip(*rows, strict=True)]
        return "\n".join(
            "  ".join(_cut(cell, w).ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
            for row in rows
        )

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{cell}</th>" for cell in _HEAD)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in _cells(row)) + "</tr>"
            for row in self.rows
        )
        return f"<table><tr>{head}</tr>{body}</table>"


_HEAD = ("name", "kind", "states", "parameters", "subject", "reference")
_WIDEST = 48


def _cells(row: Entry) -> tuple[str, ...]:
    return (
        row.name, row.kind, " ".join(row.states), " ".join(row.parameters),
        row.subject, row.reference,
    )  # fmt: skip


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."


@cache
def catalogue() -> Catalogue:
    """Return the table of all models: name, kind, states, parameters, subject, reference.

    Loads every model.

    Examples
    --------
    >>> from dynlab import zoo
    >>> [row.name for row in zoo.catalogue() if row.kind == "map"]
    ['logistic', 'henon', 'ricker', 'cubic', ...]
    """
    return Catalogue(tuple(_entry(name) for name in _SUBJECT))


def _entry(name: str) -> Entry:
    system = get(name)
    return Entry(
        name=name,
        kind=_kind(system),
        states=system.declared,
        parameters=tuple(p.name for p in system.parameters),
        subject=_SUBJECT[name],
        reference=_printed_source(system.reference),
    )


def _kind(system: System) -> str:
    if system.is_discrete:
        return "map"
    return "hybrid" if system.events else "delay" if system.is_delayed else "flow"


def _printed_source(docstring: str) -> str:
    """Return the second paragraph of a model's docstring: the paper, without the final stop."""
    paragraphs = docstring.split("\n\n")
    return " ".join(paragraphs[1].split()).rstrip(".") if len(paragraphs) > 1 else ""


def _empty() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing known about a model.

    The attributes are the keys of ``facts.toml``, where each is explained; what does not apply is
    None or empty.
    """

    model: str
    what: str
    kind: str
    source: str
    tolerance: float
    vary: str | None = None
    value: float | None = None
    at: Mapping[str, float] = field(default_factory=_empty, hash=False)
    start: Mapping[str, float] = field(default_factory=_empty, hash=False)
    over: tuple[float, float] | None = None
    state: Mapping[str, float] = field(default_factory=_empty, hash=False)
    eigenvalues: tuple[complex, ...] = ()
    exponents: tuple[float, ...] = ()
    omega: float | None = None
    l1: float | None = None
    coefficient: float | None = None
    period: float | None = None
    stable: bool | None = None
    minimum: Mapping[str, float] = field(default_factory=_empty, hash=False)
    maximum: Mapping[str, float] = field(default_factory=_empty, hash=False)
    duration: float | None = None
    end: Mapping[str, float] = field(default_factory=_empty, hash=False)
    finds: Mapping[str, int] = field(default_factory=_empty, hash=False)
    note: str = ""

    @property
    def parameters(self) -> dict[str, float]:
        """Parameters that differ from the model's own, with the varied one at its value."""
        if self.vary is None or self.value is None:
            return dict(self.at)
        return {**self.at, self.vary: self.value}

    def __repr__(self) -> str:
        at = "" if self.value is None else f" {self.value:.10g}"
        at = f" at {self.vary} ={at}" if self.vary and at else at
        return f"<{self.kind} fact: {self.model} {self.what}{at}; {self.source}>"


def facts(name: str) -> tuple[Fact, ...]:
    """Return what is known about a model.

    Parameters
    ----------
    name
        As in `names`.

    Returns
    -------
    tuple of Fact
        In the order of ``facts.toml``; never empty.

    Raises
    ------
    UnknownNameError
        If there is no such model.

    Examples
    --------
    >>> from dynlab import zoo
    >>> [round(fact.value, 4) for fact in zoo.facts("fitzhugh_nagumo") if fact.what == "hopf"]
    [0.3313, 1.4187]
    """
    if name not in _SUBJECT:
        raise UnknownNameError("model of the zoo", name, names())
    return _all_facts()[name]


@cache
def _all_facts() -> Mapping[str, tuple[Fact, ...]]:
    text = Path(__file__).with_name("facts.toml").read_text(encoding="utf-8")
    return read_facts(text)


def read_facts(text: str) -> Mapping[str, tuple[Fact, ...]]:
    """Return the facts in a text of the form of ``facts.toml``, by model.

    Raises
    ------
    UnknownNameError
        If a model, key or kind of fact does not exist.
    DefinitionError
        If an entry lacks a key or a value has the wrong type.
    """
    import tomllib

    found: dict[str, tuple[Fact, ...]] = {}
    for model, entries in tomllib.loads(text).items():
        if model not in _SUBJECT:
            raise UnknownNameError("model of the zoo", model, names())
        found[model] = tuple(
            _fact(model, entry, f"{model}[{number}]") for number, entry in enumerate(entries)
        )
    return MappingProxyType(found)


_REQUIRED = ("what", "kind", "source", "tolerance")
_TEXTS = frozenset({"what", "kind", "source", "vary", "note"})
_NAMED = frozenset({"at", "start", "state", "minimum", "maximum", "end"})


def _fact(model: str, entry: Mapping[str, Any], where: str) -> Fact:
    known = [f.name for f in fields(Fact) if f.name != "model"]
    for key in entry:
        if key not in known:
            raise UnknownNameError(f"key of a fact, at {where}", key, known)
    for key in _REQUIRED:
        if key not in entry:
            raise DefinitionError(f"The fact {where} has no {key!r}. Add a line: {key} = ...")
    for key, allowed in (("what", _WHATS), ("kind", _KINDS)):
        if entry[key] not in allowed:
            raise UnknownNameError(f"word for {key!r}, at {where}", entry[key], sorted(allowed))
    if ("vary" in entry) < ("over" in entry):
        raise DefinitionError(f"The fact {where} has a range and no parameter. Add: vary = ...")
    return Fact(model=model, **{k: _checked(k, v, f"{where}.{k}") for k, v in entry.items()})


def _checked(key: str, value: Any, where: str) -> Any:
    """Return a value of the type that its key asks for."""
    if key in _TEXTS:
        return _checked_text(value, where)
    if key == "stable":
        if not isinstance(value, bool):
            raise DefinitionError(f"{where} is {value!r}; write true or false.")
        return value
    if key in _NAMED:
        table = _checked_table(value, where)
        return MappingProxyType({k: _checked_number(v, f"{where}.{k}") for k, v in table.items()})
    if key == "finds":
        return _checked_counts(_checked_table(value, where), where)
    if key == "over":
        low, high = (_checked_number(v, where) for v in _checked_list(value, where, 2))
        if not low < high:
            raise DefinitionError(f"{where} is [{low}, {high}]; write the lower end first.")
        return low, high
    if key == "exponents":
        return tuple(_checked_number(v, where) for v in _checked_list(value, where))
    if key == "eigenvalues":
        return tuple(_checked_complex(v, where) for v in _checked_list(value, where))
    return _checked_number(value, where)


def _checked_text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise DefinitionError(f"{where} is {value!r}; write a text in quotes.")
    return value


def _checked_table(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict) or not value:
        raise DefinitionError(f"{where} is {value!r}; write {{ name = number }}.")
    return value


def _checked_list(value: Any, where: str, length: int | None = None) -> list[Any]:
    if not isinstance(value, list) or (length is not None and len(value) != length):
        count = "some" if length is None else str(length)
        raise DefinitionError(f"{where} is {value!r}; write a list of {count} numbers.")
    return value


def _checked_counts(table: Mapping[str, Any], where: str) -> Mapping[str, int]:
    for kind, count in table.items():
        if kind not in _COUNTED:
            raise UnknownNameError(f"kind of point, at {where}", kind, sorted(_COUNTED))
        if type(count) is not int or count < 0:
            raise DefinitionError(f"{where}.{kind} is {count!r}; write how many there are.")
    return MappingProxyType(dict(table))


def _checked_complex(value: Any, where: str) -> complex:
    if isinstance(value, list):
        real, imaginary = (_checked_number(v, where) for v in _checked_list(value, where, 2))
        return complex(real, imaginary)
    return complex(_checked_number(value, where))


def _checked_number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise DefinitionError(f"{where} is {value!r}; write a finite number.")
    return float(value)
