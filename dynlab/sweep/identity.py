"""Which study it is: hashes of the design and of the function, so that no journal is taken for another's.

A function is known by what it says, not by where it stands: its source without comments and layout, or its compiled code
where there is no source (then another version of Python is another function).  To it belong its defaults, the values it closes
over, and the functions, numbers, texts, arrays and systems of its own module that it names, to any depth.  What it takes
from other modules counts by its name.
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
from typing import Any

import numpy as np

from dynlab import store
from dynlab.errors import StoreError
from dynlab.sweep.axis import Axis, token

__all__ = ["design_hash", "function_hash", "function_name", "object_token"]

_BY_NAME = frozenset({"LOAD_GLOBAL", "LOAD_NAME"})


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
    """Return a hash of what a function computes, as far as that can be told from its text."""
    total = hashlib.blake2b(digest_size=16)
    for part in _parts(function, set()):
        total.update(part.encode() + b"\0")
    return total.hexdigest()


def _parts(function: Any, seen: set[int]) -> Iterable[str]:
    """Yield the texts that say what a function does."""
    if id(function) in seen:
        return
    seen.add(id(function))
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
    for cell in function.__closure__ or ():
        yield from _value(_content(cell), seen)
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


def _named(value: Any, module: str, seen: set[int]) -> Iterable[str]:
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


def _value(value: Any, seen: set[int]) -> Iterable[str]:
    """Yield texts that stand for a value; of objects that cannot be stored, the class."""
    if isinstance(value, types.FunctionType | functools.partial | types.MethodType):
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
        try:
            yield store.digest(value)
        except (StoreError, AttributeError, RecursionError, TypeError, ValueError):
            yield f"{type(value).__module__}.{type(value).__qualname__}"
