"""``dynlab show``: the equations of a model, its parameters, and what is known about it."""

from __future__ import annotations

import argparse
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from dynlab.cli.answer import Answer
from dynlab.cli.model import add_model, chosen_model
from dynlab.symbolic import display
from dynlab.symbolic.system import System
from dynlab.text.latex import to_latex

if TYPE_CHECKING:
    from dynlab.zoo.catalogue import Fact

__all__ = ["add", "run"]

_EPILOG = """\
examples:
  dynlab show lorenz                  equations as text and as LaTeX, parameters, facts with sources
  dynlab show switch.toml --json      the same of a model file, for a program
"""


def add(commands: Any) -> argparse.ArgumentParser:
    """Add the command."""
    made: argparse.ArgumentParser = commands.add_parser(
        "show", help="equations, parameters and known facts of a model", epilog=_EPILOG,
        description="Show a model: equations as text and as LaTeX, states, parameters, and the facts "
        "from the literature that the tests hold it to.",
    )  # fmt: skip
    add_model(made)
    return made


def run(chosen: argparse.Namespace) -> Answer:
    """Return the model as text and as a document."""
    from dynlab import zoo

    system = chosen_model(chosen)
    facts = zoo.facts(chosen.model) if chosen.model in zoo.names() else ()
    latex = to_latex(system)
    parts = [
        f"{system.name} ({_kind(system)})",
        *_paragraph(system.reference),
        "\nequations", *map(_indented, _equations(system)),
        "\nLaTeX", textwrap.indent(latex, "  "),
        "\nstates", *_rows([(s.name, _value(s.start), s.unit, s.domain.value) for s in system.states]),
        *_titled("\nparameters", [(p.called, _value(p.value), p.unit) for p in system.parameters]),
        *_titled("\nfacts", [(_what(f), _of(f), f.kind, f.source) for f in facts]),
    ]  # fmt: skip
    return Answer("\n".join(parts), _document(system, latex, facts))


def _kind(system: System) -> str:
    kind = "map" if system.is_discrete else "flow"
    parts = [p for p, held in (("noise", system.noise), ("events", system.events)) if held]
    unit = f", time in {system.time.unit}" if system.time.unit and not system.is_discrete else ""
    return kind + (f" with {' and '.join(parts)}" if parts else "") + unit


def _paragraph(reference: str) -> list[str]:
    return [
        textwrap.fill(
            " ".join(part.split()), 96, initial_indent="  ", subsequent_indent="  ",
            break_long_words=False, break_on_hyphens=False,
        )
        for part in reference.split("\n\n") if part.strip()
    ]  # fmt: skip


def _equations(system: System) -> list[str]:
    if system.noise:
        rows = display.stochastic_lines(system)
    else:
        rows = [f"{n}' = {e}" for n, e in zip(system.declared, system.rule, strict=True)]
    rows += [f"{m.name} = {m.expression}" for m in system.intermediates]
    rows += [f"{o.name} = {o.expression}" for o in system.observables]
    return [*rows, *(f"event {event}" for event in system.events)]


def _indented(text: str) -> str:
    return f"  {text}"


def _value(value: Any) -> str:
    if np.ndim(value) == 0:
        return f"{value:.10g}"
    return f"{np.size(value)} values"


def _titled(title: str, rows: list[tuple[str, ...]]) -> list[str]:
    return [title, *_rows(rows)] if rows else []


def _rows(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  " + "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _what(fact: Fact) -> str:
    where = {**fact.at, **({fact.vary: fact.value} if fact.vary and fact.value is not None else {})}
    listed = ", ".join(f"{name} = {value:.10g}" for name, value in where.items())
    return f"{fact.what} at {listed}" if listed else fact.what


def _of(fact: Fact) -> str:
    """Return the numbers of a fact, other than where it is."""
    named = {**fact.state, **fact.end}
    found = [f"{name} = {value:.6g}" for name, value in named.items()]
    found += [f"period {fact.period:.8g}"] if fact.period is not None else []
    found += [f"omega {fact.omega:.6g}"] if fact.omega is not None else []
    found += (
        [f"exponents {', '.join(f'{e:.4g}' for e in fact.exponents)}"] if fact.exponents else []
    )
    found += [f"{fact.value:.8g}"] if fact.vary is None and fact.value is not None else []
    return "; ".join(found)


def _document(system: System, latex: str, facts: tuple[Fact, ...]) -> dict[str, Any]:
    return {
        "name": system.name,
        "kind": "map" if system.is_discrete else "flow",
        "time": "" if system.is_discrete else system.time.unit,
        "reference": system.reference,
        "equations": _equations(system),
        "latex": latex,
        "states": [
            {"name": s.name, "start": s.start, "unit": s.unit, "domain": s.domain.value}
            for s in system.states
        ],
        "parameters": [
            {"name": p.called, "value": p.value, "unit": p.unit} for p in system.parameters
        ],
        "facts": [_fact(fact) for fact in facts],
    }


_KEYS = (
    "what", "kind", "source", "tolerance", "vary", "value", "at", "state", "eigenvalues", "exponents",
    "omega", "period", "stable", "duration", "end", "note",
)  # fmt: skip


def _fact(fact: Fact) -> dict[str, Any]:
    """Return what a fact says; what does not apply is left out."""
    found = {key: getattr(fact, key) for key in _KEYS}
    return {
        key: value
        for key, value in found.items()
        if value is not None and value not in ("", (), {})
    }
