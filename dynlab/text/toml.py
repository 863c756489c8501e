"""Models in TOML: the format of dynlab for a model as a file.

::

    [model]                                  # all optional
    name = "lorenz"
    kind = "flow"                            # or "map"
    time = "s"                               # unit label
    reference = "Lorenz 1963, J. Atmos. Sci. 20, 130."

    [states]                                 # name = start
    x = 1.0
    theta = { start = 0.1, unit = "rad", domain = "circle" }     # or "positive", "line"

    [parameters]                             # name = value
    sigma = 10
    g = { value = 0.3, unit = "mS/cm^2" }

    [equations]
    x = "sigma*(y - x)"
    theta = "1"

    [observables]                            # optional; equations may use them
    r = "sqrt(x^2 + y^2)"
    u = { expression = "x/2", unit = "mV" }
"""

from __future__ import annotations

import json
import re
import tomllib
import warnings
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from dynlab.errors import AccuracyWarning, TextError, UnknownNameError, UnsupportedSystemError
from dynlab.names import finite
from dynlab.symbolic.quantities import ContinuousTime, DiscreteTime, Domain, Parameter, State
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import to_tree
from dynlab.text.expression import written
from dynlab.text.model import Texts

__all__ = ["from_tables", "from_toml", "tables_of", "to_toml"]

#: No model in print comes near; the reader of Python needs a second for a million characters.
LONGEST = 200_000
_LONGEST_LINE = 25_000
_MOST_LEVELS = 50

_TABLES = ("model", "states", "parameters", "equations", "observables")
_TITLES = ("name", "kind", "time", "reference")


def from_toml(text: str) -> System:
    """Read a model from TOML.

    Parameters
    ----------
    text
        The text; `dynlab.read_model` reads it from a file.

    Returns
    -------
    System
        The model.

    Raises
    ------
    TextError
        If the text is no TOML, or a key is missing or has the wrong type; the message gives the
        path to the key.
    UnknownNameError, DefinitionError
        As for `dynlab.system`.

    Examples
    --------
    >>> import dynlab as dl
    >>> decay = dl.from_toml('''
    ... [states]
    ... x = 1.0
    ... [parameters]
    ... rate = 2
    ... [equations]
    ... x = "-rate*x"
    ... ''')
    >>> decay
    <flow model: x' = -rate*x; rate = 2>
    """
    return from_tables(tables_of(text, "model"))


def from_tables(data: Mapping[str, Any]) -> System:
    """Build a model from the tables of a TOML text; see `from_toml`."""
    for table, content in data.items():
        if table not in _TABLES:
            raise UnknownNameError("table of a model in TOML", table, _TABLES)
        if not isinstance(content, dict):
            raise TextError(f"{table} is {content!r:.40}, not a table. Write [{table}].")
    title = {k: _title(k, v) for k, v in data.get("model", {}).items()}
    kind = title.get("kind", "flow")
    if kind not in ("flow", "map"):
        raise TextError(f'model.kind is {kind!r}; write "flow" or "map".')
    if kind == "map" and "time" in title:
        raise TextError("model.time is given, but a map counts steps. Remove the line.")
    return Texts(
        name=title.get("name", "model"),
        states=tuple(_state(n, v) for n, v in data.get("states", {}).items()),
        parameters=tuple(_parameter(n, v) for n, v in data.get("parameters", {}).items()),
        equations={n: _text(v, f"equations.{n}") for n, v in data.get("equations", {}).items()},
        observables={n: _observable(n, v) for n, v in data.get("observables", {}).items()},
        time=DiscreteTime() if kind == "map" else ContinuousTime(title.get("time", "")),
        reference=title.get("reference", ""),
    ).system()


def tables_of(text: str, what: str) -> dict[str, Any]:
    """Return what a TOML text holds, within limits of size; ``what`` it is stands in the messages."""
    if not text.strip():
        raise TextError(f"the {what} is empty. Write its tables, such as [states] and [equations].")
    if len(text) > LONGEST:
        raise TextError(
            f"the {what} has {len(text)} characters; the limit is {LONGEST}. Shorten its equations."
        )
    for number, line in enumerate(text.split("\n"), 1):
        # Dotted keys and nested arrays cost the square of their length; no model has them.
        if (
            len(line) > _LONGEST_LINE
            or max(line.count(mark) for mark in ".[{") > _LONGEST_LINE // 9
        ):
            raise TextError(f"line {number} of the {what} is too long. Break it into several.")
    try:
        return tomllib.loads(text, parse_float=_float)
    except tomllib.TOMLDecodeError as error:
        raise TextError(
            f'this is not TOML: {error}. Names and texts stand as in x = "-x".'
        ) from None
    except RecursionError:
        raise TextError(f"the {what} is nested too deep. Write one value to a line.") from None
    except (ValueError, OverflowError) as error:
        raise TextError(f"a value of the {what} cannot be read ({error!s:.80}).") from None


def _float(text: str) -> float:
    value = float(text)
    if value == 0 and re.search(r"[1-9]", re.split("[eE]", text)[0]):
        warnings.warn(
            f"the number {text:.20} is below double precision and becomes 0.",
            AccuracyWarning, stacklevel=2,
        )  # fmt: skip
    return value


def _title(key: str, value: Any) -> str:
    if key not in _TITLES:
        raise UnknownNameError("key of [model] in TOML", key, _TITLES)
    return _text(value, f"model.{key}")


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise TextError(f"{path} is {value!r:.40} ({_kind(value)}); write a text in quotes.")
    return value


def _state(name: str, value: Any) -> State:
    given = _entry(value, f"states.{name}", "start", ("start", "unit", "domain"))
    domain = given.get("domain", "line")
    words = [d.value for d in Domain]
    if domain not in words:
        raise UnknownNameError(f"domain (states.{name}.domain)", str(domain), words)
    return State(
        name, _number(given.get("start", 0.0), f"states.{name}"),
        _text(given.get("unit", ""), f"states.{name}.unit"), Domain(domain),
    )  # fmt: skip


def _parameter(name: str, value: Any) -> Parameter:
    given = _entry(value, f"parameters.{name}", "value", ("value", "unit"))
    if "value" not in given:
        raise TextError(f"parameters.{name} has no value. Write {name} = {{ value = 1.0 }}.")
    return Parameter(
        name, _number(given["value"], f"parameters.{name}"),
        _text(given.get("unit", ""), f"parameters.{name}.unit"),
    )  # fmt: skip


def _observable(name: str, value: Any) -> tuple[str, str]:
    path = f"observables.{name}"
    given = _entry(value, path, "expression", ("expression", "unit"))
    if "expression" not in given:
        raise TextError(f'{path} has no expression. Write {name} = "...".')
    return _text(given["expression"], path), _text(given.get("unit", ""), f"{path}.unit")


def _entry(value: Any, path: str, first: str, known: tuple[str, ...]) -> Mapping[str, Any]:
    """Return a table of keys: a bare value stands for the first."""
    if not isinstance(value, dict):
        return {first: value}
    for key in value:
        if key not in known:
            raise UnknownNameError(f"key of {path}", key, known)
    return value


def _number(value: Any, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TextError(f"{path} is {value!r:.40} ({_kind(value)}); write a number.")
    try:
        return finite(value, path)
    except ValueError as error:
        raise TextError(str(error)) from None


def _kind(value: Any) -> str:
    names = {bool: "a truth value", str: "a text", list: "a list", dict: "a table"}
    return names.get(type(value), f"a {type(value).__name__}")


def to_toml(system: System) -> str:
    """Return a model as TOML, which `dynlab.from_toml` reads back as an equal system.

    Parameters
    ----------
    system
        The system; its equations are written with every constant exact.

    Returns
    -------
    str
        The text.

    Raises
    ------
    UnsupportedSystemError
        If the system has a part that the format does not hold.

    Examples
    --------
    >>> import dynlab as dl
    >>> text = dl.to_toml(dl.zoo.lorenz)
    >>> dl.from_toml(text) == dl.zoo.lorenz
    True
    """
    require_plain(system, "TOML")
    title = {"name": system.name, "kind": "map" if system.is_discrete else "flow"}
    if system.time.unit and not system.is_discrete:
        title["time"] = system.time.unit
    if system.reference:
        title["reference"] = system.reference
    tables: dict[str, dict[str, str]] = {
        "model": {key: quoted(value) for key, value in title.items()},
        "states": {s.name: _written_state(s) for s in system.states},
        "parameters": {
            p.name: _with_unit(repr(p.value), "value", p.unit) for p in system.parameters
        },
        "equations": {
            s.name: quoted(written(to_tree(e)))
            for s, e in zip(system.states, system.rule, strict=True)
        },
        "observables": {
            o.name: _with_unit(quoted(written(to_tree(o.expression))), "expression", o.unit)
            for o in system.observables
        },
    }
    return "\n".join(
        f"[{table}]\n" + "".join(f"{_key(key)} = {value}\n" for key, value in rows.items())
        for table, rows in tables.items()
        if rows
    )


def require_plain(system: System, what: str) -> None:
    """Raise if a system has parts that a text format does not hold."""
    held = {"name", "states", "parameters", "rule", "time", "observables", "reference"}
    for part in fields(system):
        if part.name not in held and getattr(system, part.name) != part.default:
            raise UnsupportedSystemError(
                f"{system.name!r} has {part.name}, which a model in {what} does not hold. "
                "Keep the whole definition with system.save(path)."
            )
    items: tuple[State | Parameter, ...] = (*system.states, *system.parameters)
    for item in items:
        if item.shape:
            raise UnsupportedSystemError(
                f"{item.name!r} of {system.name!r} is indexed over a network, which a model in "
                f"{what} does not hold. Keep the whole definition with system.save(path)."
            )


def _written_state(state: State) -> str:
    if not state.unit and state.domain is Domain.LINE:
        return repr(state.start)
    parts = [f"start = {state.start!r}"]
    parts += [f"unit = {quoted(state.unit)}"] if state.unit else []
    parts += [f"domain = {quoted(state.domain.value)}"] if state.domain is not Domain.LINE else []
    return "{ " + ", ".join(parts) + " }"


def _with_unit(value: str, key: str, unit: str) -> str:
    return f"{{ {key} = {value}, unit = {quoted(unit)} }}" if unit else value


def quoted(text: str) -> str:
    """Return a text as TOML writes it; several lines stay several lines."""
    escaped = json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")
    if "\n" not in text or "\r" in text:
        return escaped
    inner = escaped[1:-1].replace("\\n", "\n")
    return f'"""\n{inner}"""'


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_]+", name) else quoted(name)
