"""Where numba keeps machine code for dynlab: one directory that only its owner may write.

numba stamps a cached function with its own file alone, so an edited helper in another file would
leave a caller with the old machine code.  Therefore machine code is kept under a hash over the
source of its module and of every module of `dynlab.kernels` that it imports, near or far (`stamp`);
the directory is keyed by the versions, Python and processor that all code depends on.  Without a
usable directory everything is compiled afresh; nothing fails.

``DYNLAB_CACHE`` names another place than the user's cache directory.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import os
import platform
import re
import shutil
import stat
import sys
import tempfile
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding
import numba
from numba.core import caching

__all__ = ["directory", "folders", "install", "key", "root", "stamp"]

_SOURCES = Path(__file__).resolve().parent
#: An import from this package, at the start of a line (parsing every source takes 40 ms).
_IMPORT = re.compile(r"^from dynlab\.kernels(?:\.(\w+))? import (\([^)]*\)|.*)", re.MULTILINE)


def root() -> Path:
    """Return the directory under which every version of dynlab keeps its compiled code."""
    chosen = os.environ.get("DYNLAB_CACHE")
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "dynlab"


@functools.cache
def key() -> str:
    """Return the hash of what all compiled code depends on beside sources."""
    state = hashlib.sha256()
    for part in (
        numba.__version__,
        llvmlite.__version__,
        platform.python_version(),
        platform.machine(),
        llvmlite.binding.get_host_cpu_name(),
    ):
        state.update(part.encode() + b"\0")
    return state.hexdigest()[:16]


@functools.cache
def stamp(source: Path) -> str:
    """Return the hash of a source and of all modules of `dynlab.kernels` that it leads to.

    A generated module is known by its name, which is the hash of its text; it counts as its imports.
    """
    state = hashlib.sha256()
    for path in sorted(_reached(source), key=lambda p: p.name):
        state.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return state.hexdigest()[:16]


def _reached(source: Path) -> set[Path]:
    """Return the modules of `dynlab.kernels` that a source imports, directly or not, and itself."""
    found = {source} if source.parent == _SOURCES else set()
    pending = [source]
    while pending:
        for path in _imported(pending.pop()) - found:
            found.add(path)
            pending.append(path)
    return found


@functools.cache
def _imported(source: Path) -> frozenset[Path]:
    """Return the modules of `dynlab.kernels` that stand in the imports of a source."""
    names: set[str] = set()
    for module, imported in _IMPORT.findall(source.read_text(encoding="utf-8")):
        names |= {module} if module else set(re.findall(r"\w+", imported))
    paths = (_SOURCES / f"{name}.py" for name in names)
    return frozenset(path for path in paths if path.is_file())


@functools.cache
def directory() -> Path:
    """Return the directory for this version's code; a temporary one if none can be trusted."""
    try:
        base = root()
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        _require_private(base)
        chosen = base / key()
        chosen.mkdir(mode=0o700, exist_ok=True)
        _require_private(chosen)
    except (OSError, RuntimeError):
        chosen = Path(tempfile.mkdtemp(prefix="dynlab-"))
        atexit.register(shutil.rmtree, chosen, ignore_errors=True)
    return chosen


def folders() -> list[Path]:
    """Return the directories of compiled code, of every version, and nothing else beside them."""
    place = root()
    if not place.is_dir():
        return []
    return sorted(
        p for p in place.iterdir() if p.is_dir() and re.fullmatch(r"[0-9a-f]{16}", p.name)
    )


def _require_private(path: Path) -> None:
    """Refuse a directory in which somebody else could place code for us to run."""
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise PermissionError(f"{path} is not a directory")
    if sys.platform == "win32":
        return
    if found.st_uid != os.getuid():
        raise PermissionError(f"{path} belongs to another user")
    if found.st_mode & 0o022:
        raise PermissionError(f"{path} may be written by others")
    if not os.access(path, os.W_OK):
        raise PermissionError(f"{path} cannot be written")


class _Locator(caching._CacheLocator):  # type: ignore[misc]
    """Sends the cached code of our own functions, and of nobody else's, to `directory`."""

    def __init__(self, py_func: Any, py_file: str) -> None:
        self._file = Path(py_file).resolve()
        self._line = py_func.__code__.co_firstlineno

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> _Locator | None:
        parent = Path(py_file).resolve().parent
        if parent != _SOURCES and parent != directory():
            return None
        return cls(py_func, py_file)

    def get_cache_path(self) -> str:
        return str(directory() / "machine_code" / stamp(self._file))

    def get_source_stamp(self) -> str:
        return stamp(self._file)

    def get_disambiguator(self) -> str:
        return f"{self._file.stem}-{self._line}"


class _ForgivingFile(caching.IndexDataCacheFile):  # type: ignore[misc]
    """A cache file of numba's that, when it is one of ours and damaged, counts as absent."""

    def load(self, key: Any) -> Any:
        try:
            return super().load(key)
        except Exception:
            if Path(self._cache_path).parent != directory() / "machine_code":
                raise
            Path(self._index_path).unlink(missing_ok=True)
            return None


def install() -> None:
    """Make numba ask our locator first, and forgive damage; both for our own files only."""
    classes = caching.CacheImpl._locator_classes
    if _Locator not in classes:
        classes.insert(0, _Locator)
        caching.IndexDataCacheFile = _ForgivingFile
