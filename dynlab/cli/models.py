"""``dynlab models``: which models there are."""

from __future__ import annotations

import argparse
from typing import Any

from dynlab.cli.answer import Answer
from dynlab.errors import UnknownNameError

__all__ = ["add", "run"]

_EPILOG = """\
examples:
  dynlab models                    all of them
  dynlab models neuron             those with this word in their name, subject, kind or reference
  dynlab models map 1976           those with both words
"""


def add(commands: Any) -> argparse.ArgumentParser:
    """Add the command."""
    made: argparse.ArgumentParser = commands.add_parser(
        "models", help="list the models of the zoo", epilog=_EPILOG,
        description="List the models of the zoo: name, kind, states, parameters, subject, reference.",
    )  # fmt: skip
    made.add_argument("words", nargs="*", metavar="WORD", help="only models that have every word")
    return made


def run(chosen: argparse.Namespace) -> Answer:
    """Return the table."""
    from dynlab import zoo

    rows = [row for row in zoo.catalogue() if all(w.lower() in _text(row) for w in chosen.words)]
    if not rows:
        known = sorted({row.subject for row in zoo.catalogue()} | set(zoo.names()))
        raise UnknownNameError("word in the table of models", " ".join(chosen.words), known)
    table = zoo.Catalogue(tuple(rows))
    return Answer(repr(table), {"models": [_document(row) for row in rows]})


def _text(row: Any) -> str:
    cells = (row.name, row.kind, row.subject, row.reference, *row.states, *row.parameters)
    return " ".join(cells).lower()


def _document(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _KEYS}


_KEYS = ("name", "kind", "states", "parameters", "subject", "reference")
