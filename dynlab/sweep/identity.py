"""Which study it is: hashes of the design, the function and its systems, so that no journal is taken for another's.

A function is known by what it says, not by where it stands: its source without comments and layout, or its compiled code
where there is no source (then another version of Python is another function).  To it belong its defaults, the values it closes
over, and the functions, numbers, texts and arrays of its own module that it names, to any depth.  What it takes
from other modules counts by its name.  Systems are told apart: those that it closes over, is bound to or names, also as
``zoo.lorenz``, count by their content, and a result says which they were.
"""

from __future__ import annotations

import ast
import dis
import functools
import hashlib
import inspect
import sys
import textwrap
import types
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np

from dynlab import store
from dynlab.errors import StoreError
from dynlab.sweep.axis import Axis, token

__all__ = [
    "Model",
    "design_hash",
    "function_hash",
    "function_name",
    "object_token",
    "systems_of",
    "told_systems",
]

_BY_NAME = frozenset({"LOAD_GLOBAL", "LOAD_NAME"})
_ATTRIBUTES = frozenset({"LOAD_ATTR", "LOAD_METHOD"})
#: A network has a parameter for each node; its hash holds them.
_MOST_PARAMETERS = 50


@runtime_checkable
class Model(Protocol):
    """What a system is to those who know no systems."""

    name: str

    @property
    def state_names(self) -> tuple[str, ...]:
        """Names of the states."""

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Names of the parameters."""

    @property
    def parameter_values(self) -> tuple[float, ...]:
        """Their values."""


@dataclass(slots=True)
class _Seen:
    """What a walk has met: objects, by identity, and systems, by what they are."""

    objects: set[int] = field(default_factory=set)
    systems: dict[str, Model] = field(default_factory=dict)

    def note(self, value: Any) -> bool:
        """Keep a value that is a system; return whether it is one."""
        if isinstance(value, type) or not isinstance(value, Model):
            return False
        self.systems.setdefault(object_token(value), value)
        return True


def design_hash(axes: Iterable[Axis]) -> str:
    """Return a hash of the names and values of all axes."""
    total = hashlib.blake2b(digest_size=16)
    for axis in axes:
        for name, column in axis.columns.items():
            total.update(name.encode() + b"\0")
            if isinstance(column, np.ndarray):
                total.update(str(column.dtype.newbyteorder("<")).encode())
                total.update(column.astype(column.dtype.newbyteorder("<")).tobytes())
            else:
                total.update("\0".join(map(object_token, column)).encode())
        total.update(b"\1")
    return total.hexdigest()


def object_token(value: Any) -> str:
    """Return a text that stands for a value: what would be written to a file, else its repr."""
    if value is None or isinstance(value, bool | int | float | str):
        return token(value)
    if callable(value) and hasattr(value, "__code__"):
        return function_hash(value)
    try:
        return store.digest(value)
    except StoreError:
        return repr(value)


def function_name(function: Callable[..., Any]) -> str:
    """Return the name of a function, of a part of one, or of a callable object."""
    while isinstance(function, functools.partial):
        function = function.func
    return str(getattr(function, "__name__", type(function).__name__))


def function_hash(function: Any) -> str:
    """Return a hash of what a function computes, as far as that can be told from its text, but for its systems."""
    total = hashlib.blake2b(digest_size=16)
    for part in _parts(function, _Seen()):
        total.update(part.encode() + b"\0")
    return total.hexdigest()


def systems_of(function: Any, axes: Iterable[Axis]) -> dict[str, Model]:
    """Return the systems that a function uses, and those on axes, by hashes of their content."""
    seen = _Seen()
    for _ in _parts(function, seen):
        pass
    for axis in axes:
        for column in axis.columns.values():
            for value in column if isinstance(column, tuple) else ():
                seen.note(value)
    return dict(sorted(seen.systems.items()))


def told_systems(systems: dict[str, Model], varied: Iterable[str]) -> str:
    """Return which systems they are: names, parameters that are not varied, and hashes."""
    return "; ".join(
        f"{system.name}({_told_parameters(system, set(varied))}) {key[:16]}"
        for key, system in systems.items()
    )


def _told_parameters(system: Model, varied: set[str]) -> str:
    names = system.parameter_names
    if len(names) > _MOST_PARAMETERS:
        return f"{len(names)} parameters"
    pairs = zip(names, system.parameter_values, strict=False)
    return ", ".join(f"{name}={float(value)!r}" for name, value in pairs if name not in varied)


def _parts(function: Any, seen: _Seen) -> Iterable[str]:
    """Yield the texts that say what a function does."""
    if id(function) in seen.objects:
        return
    seen.objects.add(id(function))
    if isinstance(function, functools.partial):
        yield from _value(function.args, seen)
        yield from _value(function.keywords, seen)
        yield from _parts(function.func, seen)
        return
    if isinstance(function, types.MethodType):
        yield from _value(function.__self__, seen)
        yield from _parts(function.__func__, seen)
        return
    function = inspect.unwrap(function)
    code = getattr(function, "__code__", None)
    if code is None:  # an object that can be called, or a compiled function
        yield f"{type(function).__module__}.{type(function).__qualname__}"
        yield from _value(getattr(function, "__dict__", {}), seen)
        call = vars(type(function)).get("__call__")
        if isinstance(call, types.FunctionType):
            yield from _parts(call, seen)
        return
    yield _text(function)
    yield from _value((function.__defaults__, function.__kwdefaults__), seen)
    cells = [_content(cell) for cell in function.__closure__ or ()]
    for content in cells:
        yield from _value(content, seen)
    near = dict(zip(code.co_freevars, cells, strict=True))
    for chain in _chains(code):
        if seen.note(_at_end(chain, function.__globals__ | near)):
            yield ".".join(chain)
    for name in _names(code):
        if name in function.__globals__:
            yield name
            yield from _named(function.__globals__[name], function.__module__, seen)


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


def _text(function: types.FunctionType) -> str:
    if function.__name__ != "<lambda>":  # the source of a lambda is the whole line it stands in
        try:
            return ast.unparse(ast.parse(textwrap.dedent(inspect.getsource(function))))
        except (OSError, TypeError, SyntaxError, IndentationError):
            pass
    return f"{sys.version_info[:2]} {_code(function.__code__)}"


def _code(code: types.CodeType) -> str:
    constants = [
        _code(c) if isinstance(c, types.CodeType) else f"{type(c).__name__} {c!r}"
        for c in code.co_consts
    ]
    return f"{code.co_code.hex()} {constants} {code.co_names} {code.co_varnames}"


def _names(code: types.CodeType) -> list[str]:
    """Return the global names in a function and in the functions inside it, in order."""
    inner = [c for c in code.co_consts if isinstance(c, types.CodeType)]
    named = {i.argval for i in dis.get_instructions(code) if i.opname in _BY_NAME}
    return sorted({*named, *(name for c in inner for name in _names(c))})


def _chains(code: types.CodeType) -> list[tuple[str, ...]]:
    """Return the names with dots in a function and in the functions inside it, such as ``dl.zoo.lorenz``."""
    chains: set[tuple[str, ...]] = set()
    chain: tuple[str, ...] = ()
    for step in dis.get_instructions(code):
        if step.opname in _BY_NAME or step.opname == "LOAD_DEREF":
            chain = (str(step.argval),)
        elif step.opname in _ATTRIBUTES and chain:
            chain = (*chain, str(step.argval))
            chains.add(chain)
        elif step.opname not in {"EXTENDED_ARG", "CACHE"}:
            chain = ()
    inner = [c for c in code.co_consts if isinstance(c, types.CodeType)]
    return sorted({*chains, *(chain for c in inner for chain in _chains(c))})


def _at_end(chain: tuple[str, ...], names: dict[str, Any]) -> Any:
    """Return what a name with dots stands for, as long as modules lead there; None otherwise."""
    value = names.get(chain[0])
    for name in chain[1:]:
        if not isinstance(value, types.ModuleType):
            return None
        value = getattr(value, name, None)
    return value


def _named(value: Any, module: str, seen: _Seen) -> Iterable[str]:
    """Yield what a global name of the module stands for."""
    if isinstance(value, types.ModuleType):
        yield value.__name__
    elif isinstance(value, types.FunctionType | type):
        if value.__module__ == module and isinstance(value, types.FunctionType):
            yield from _parts(value, seen)
        else:
            yield f"{value.__module__}.{value.__qualname__}"
    else:
        yield from _value(value, seen)


def _value(value: Any, seen: _Seen) -> Iterable[str]:
    """Yield texts that stand for a value; of systems, which are kept apart, the name; of what cannot be stored, the class."""
    if seen.note(value):
        yield str(value.name)
    elif isinstance(value, types.FunctionType | functools.partial | types.MethodType):
        yield from _parts(value, seen)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from _value(item, seen)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _value(item, seen)
    elif isinstance(value, type | types.ModuleType):
        yield getattr(value, "__qualname__", value.__name__)
    else:
        seen.note(getattr(value, "system", None))  # of a result
        try:
            yield store.digest(value)
        except (StoreError, AttributeError, RecursionError, TypeError, ValueError):
            yield f"{type(value).__module__}.{type(value).__qualname__}"
