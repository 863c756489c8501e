"""Printed source -> a module on disk -> machine code, found again by the next process.

The file is named by the hash of its text, written under a temporary name and renamed, so a race or
a crash leaves no half file.  The module stands in ``sys.modules`` before it runs; otherwise the next
process could not read what numba stored for it.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

from numba import cfunc

from dynlab.errors import CompileError
from dynlab.kernels import caching
from dynlab.kernels.convention import CONVENTION_VERSION, kernel_signature

__all__ = ["compile_function", "compile_kernel", "module_of"]


def compile_kernel(text: str, name: str, directions: int) -> Any:
    """Return the compiled model kernel `name` of the source text, from disk if it is there."""
    return compile_function(text, name, kernel_signature(directions))


def compile_function(text: str, name: str, signature: Any) -> Any:
    """Return the compiled C function `name` of the source text, from disk if it is there.

    Raises
    ------
    CompileError
        If numba refuses the source; the message shows the failing line.
    """
    module = module_of(text)
    function = getattr(module, name)
    decorate = cfunc(signature, cache=True, error_model="numpy")
    try:
        try:
            compiled = decorate(function)
        except (OSError, EOFError, RuntimeError, ValueError, KeyError, ImportError):
            compiled = cfunc(signature, error_model="numpy")(function)
    except Exception as error:
        line = str(error).strip().splitlines()
        raise CompileError(
            f"the kernel {name!r} cannot be compiled: {line[-1] if line else error}. "
            f"Its source is {module.__file__}."
        ) from error
    return compiled


def module_of(text: str) -> ModuleType:
    """Return the module with this source, writing its file first if it is not there."""
    digest = hashlib.sha256(f"{CONVENTION_VERSION}\n{text}".encode()).hexdigest()[:24]
    name = f"_dynlab_model_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    path = caching.directory() / f"{name}.py"
    if not _holds(path, text):
        _write_whole(path, text)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise CompileError(f"the generated module {path} cannot be loaded; clear the cache.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    exec(compile(text, str(path), "exec"), module.__dict__)
    return module


def _holds(path: Path, text: str) -> bool:
    try:
        return path.read_text(encoding="utf-8") == text
    except (OSError, UnicodeDecodeError):
        return False


def _write_whole(path: Path, text: str) -> None:
    with contextlib.suppress(OSError):
        handle, partial = tempfile.mkstemp(dir=path.parent, prefix=".part-", suffix=".py")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(partial).replace(path)
