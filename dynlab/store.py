"""Writing results and definitions: one ``.npz`` file of arrays and a JSON header; no pickle.

A value is encoded into plain JSON in which every compound node carries its kind, and arrays are
referred to by number.  Reading accepts only the kinds written here and the classes handed in by
the reader (`dynlab.load` knows them all), so a file can never make code run.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import json
import math
import os
import uuid
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dynlab.errors import StoreError
from dynlab.status import Status

__all__ = ["FORMAT_VERSION", "digest", "packed", "read", "unpacked", "write"]

FORMAT_VERSION = 1
_HEADER = "dynlab"
_SIZE_LIMIT = 4 << 30
_HEADER_LIMIT = 256 << 20


def write(path: str | os.PathLike[str], value: Any) -> Path:
    """Write a result or a system to a ``.npz`` file; the file appears whole or not at all."""
    text, named = _laid_out(value)
    target = Path(path)
    if not target.name:
        raise StoreError(f"cannot write to {str(path)!r}: it names no file. Choose another path.")
    if target.suffix != ".npz":
        target = target.with_name(target.name + ".npz")
    partial = target.with_name(f".{target.name}.{os.getpid()}.{uuid.uuid4().hex}.part")
    try:
        with partial.open("xb") as stream:
            np.savez_compressed(
                stream, allow_pickle=False, **{_HEADER: np.frombuffer(text.encode(), np.uint8)},
                **named,
            )  # fmt: skip
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(target)
    except (OSError, ValueError) as error:
        raise StoreError(f"cannot write {str(target)!r}: {error}. Choose another path.") from error
    finally:
        with contextlib.suppress(OSError, ValueError):
            partial.unlink(missing_ok=True)
    return target


def read(path: str | os.PathLike[str], known: Mapping[str, Callable[..., Any]]) -> Any:
    """Read what `write` wrote; `known` maps each allowed class name to its constructor.

    Raises
    ------
    StoreError
        If the file is absent, no dynlab file, damaged, from a newer version, or names a class
        that is not known.
    """
    source = Path(path)
    try:
        header, arrays = _unpacked(source, str(source))
    except FileNotFoundError:
        raise StoreError(f"there is no file {str(source)!r}. Check the path.") from None
    except StoreError:
        raise
    except Exception as error:
        # zipfile, zlib, numpy and json each raise what they like on damaged bytes.
        raise StoreError(
            f"{str(source)!r} cannot be read as a dynlab file ({error}). "
            "It is damaged, holds pickled objects, or was not written by .save()."
        ) from error
    return _checked_decode(str(source), header, arrays, known)


def packed(value: Any) -> bytes:
    """Return a value as bytes, in the form of a file that `write` wrote, without compression."""
    text, named = _laid_out(value)
    stream = io.BytesIO()
    header = np.frombuffer(text.encode(), np.uint8)
    np.savez(stream, allow_pickle=False, **{_HEADER: header}, **named)
    return stream.getvalue()


def unpacked(content: bytes, known: Mapping[str, Callable[..., Any]], source: str) -> Any:
    """Read what `packed` returned; `source` names where it was found, for messages."""
    try:
        header, arrays = _unpacked(io.BytesIO(content), source)
    except StoreError:
        raise
    except Exception as error:  # as in `read`
        raise StoreError(f"{source} is damaged ({error}). Compute it again.") from error
    return _checked_decode(source, header, arrays, known)


def digest(value: Any) -> str:
    """Return a hash of what would be written of a value."""
    text, named = _laid_out(value)
    total = hashlib.blake2b(text.encode(), digest_size=16)
    for array in named.values():
        little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        total.update(f"{little.dtype.str}{little.shape}".encode())
        total.update(little.tobytes())
    return total.hexdigest()


def _laid_out(value: Any) -> tuple[str, dict[str, np.ndarray[Any, Any]]]:
    """Return the header of a file and its arrays by name."""
    arrays: list[np.ndarray[Any, Any]] = []
    header = {"version": FORMAT_VERSION, "value": _encode(value, arrays)}
    text = json.dumps(header, allow_nan=False, separators=(",", ":"))
    return text, {f"a{i}": array for i, array in enumerate(arrays)}


def _unpacked(source: Path | io.BytesIO, name: str) -> tuple[Any, dict[str, Any]]:
    """Return the header and the arrays; nothing is unpacked before its size is known."""
    with zipfile.ZipFile(source) as archive:
        if sum(member.file_size for member in archive.infolist()) > _SIZE_LIMIT:
            raise StoreError(f"{name!r} unpacks to more than {_SIZE_LIMIT >> 30} GiB.")
    with np.load(source, allow_pickle=False) as archive:
        raw = archive[_HEADER]
        if raw.dtype != np.uint8 or raw.size > _HEADER_LIMIT:
            raise StoreError(f"{name!r} has no valid header; it was not saved by dynlab.")
        header = json.loads(raw.tobytes())
        return header, {name: archive[name] for name in archive.files if name != _HEADER}


def _checked_decode(
    source: str, header: Any, arrays: Mapping[str, Any], known: Mapping[str, Callable[..., Any]]
) -> Any:
    version = header.get("version") if isinstance(header, dict) else None
    if not isinstance(version, int) or isinstance(version, bool):
        raise StoreError(f"{source!r} has no format version; it was not saved by dynlab.")
    if version > FORMAT_VERSION:
        raise StoreError(
            f"{source!r} has format version {version}, and this dynlab reads up to "
            f"{FORMAT_VERSION}. Update dynlab."
        )
    try:
        return _decode(header["value"], arrays, known)
    except StoreError:
        raise
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise StoreError(f"{source!r} is damaged: {error!r}. Save it again.") from error


def _encode(value: Any, arrays: list[np.ndarray[Any, Any]]) -> Any:
    if isinstance(value, Status):
        return {"$": "status", "v": int(value)}
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        number = float(value)
        return number if math.isfinite(number) else {"$": "float", "v": repr(number)}
    if isinstance(value, complex | np.complexfloating):
        return {"$": "complex", "v": [_encode(value.real, arrays), _encode(value.imag, arrays)]}
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "biufcU":
            raise StoreError(f"an array of dtype {value.dtype} cannot be stored.")
        arrays.append(value)
        return {"$": "array", "v": len(arrays) - 1}
    if isinstance(value, tuple | list):
        return {"$": "tuple", "v": [_encode(item, arrays) for item in value]}
    if isinstance(value, Mapping):
        pairs = [[_encode(k, arrays), _encode(v, arrays)] for k, v in value.items()]
        return {"$": "dict", "v": pairs}
    if hasattr(value, "__stored__"):
        node = {"$": "object", "class": type(value).__name__, "v": value.__stored__()}
        extra: dict[str, Any] = getattr(value, "__stored_arrays__", dict)()
        return node | {"a": {n: _encode(a, arrays) for n, a in extra.items()}} if extra else node
    if dataclasses.is_dataclass(value):
        fields = {
            f.name: _encode(getattr(value, f.name), arrays)
            for f in dataclasses.fields(value)
            if f.init
        }
        return {"$": "record", "class": type(value).__name__, "v": fields}
    raise StoreError(
        f"a {type(value).__name__} cannot be stored; only numbers, texts, arrays and results can."
    )


def _decode(node: Any, arrays: Mapping[str, Any], known: Mapping[str, Callable[..., Any]]) -> Any:
    if not isinstance(node, dict):
        if node is None or isinstance(node, bool | int | float | str):
            return node
        raise StoreError(f"unexpected item of type {type(node).__name__} in the header.")
    kind, value = node["$"], node["v"]
    if kind == "status":
        return Status(value)
    if kind == "float":
        return float(value)
    if kind == "complex":
        return complex(_decode(value[0], arrays, known), _decode(value[1], arrays, known))
    if kind == "array":
        return arrays[f"a{int(value)}"]
    if kind == "tuple":
        return tuple(_decode(item, arrays, known) for item in value)
    if kind == "dict":
        return {_decode(k, arrays, known): _decode(v, arrays, known) for k, v in value}
    if kind not in {"object", "record"} or node["class"] not in known:
        raise StoreError(f"unknown item {kind!r} of class {node.get('class')!r}. Update dynlab.")
    make = known[node["class"]]
    if kind == "object":
        extra = {n: _decode(a, arrays, known) for n, a in node.get("a", {}).items()}
        return make.__restored__(value, extra) if extra else make.__restored__(value)  # type: ignore[attr-defined]
    return make(**{name: _decode(item, arrays, known) for name, item in value.items()})
