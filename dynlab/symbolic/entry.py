"""One entry of a parameter that a network has per node or per link: ``omega[3]``, ``W[2, 1]``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from dynlab.errors import SettingError, UnknownNameError

if TYPE_CHECKING:
    from dynlab.links import Bound

__all__ = ["base_of", "place_of_entry", "spelled"]

_FORM = re.compile(r"\s*([^\W\d]\w*)\s*\[\s*(\d{1,9})\s*(?:,\s*(\d{1,9})\s*)?\]\s*")


def spelled(name: str) -> str:
    """Return the name of an entry as it is printed; any other name as it is."""
    found = _FORM.fullmatch(str(name))
    if found is None:
        return str(name)
    return f"{found[1]}[{', '.join(str(int(k)) for k in found.groups()[1:] if k is not None)}]"


def base_of(name: str) -> str:
    """Return the quantity that an entry belongs to; empty if the name is not of that form."""
    found = _FORM.fullmatch(str(name))
    return "" if found is None else found[1]


def place_of_entry(name: str, shapes: Mapping[str, tuple[str, ...]], bound: Bound) -> int:
    """Return where an entry stands among the numbers of its quantity.

    Raises
    ------
    UnknownNameError
        If there is no quantity per node or link of that name.
    SettingError
        If it has other indices, or there is no such node or link.
    """
    found = _FORM.fullmatch(str(name))
    if found is None or found[1] not in shapes:
        raise UnknownNameError("quantity per node or link", name.partition("[")[0], shapes)
    indices = [int(k) for k in found.groups()[1:] if k is not None]
    shape = shapes[found[1]]
    if len(indices) != len(shape):
        form = "[2]" if len(shape) == 1 else "[2, 1], the link from 1 to 2"
        raise SettingError(
            f"{name!r} has {len(indices)} ind{'ex' if len(indices) == 1 else 'ices'}, and {found[1]!r} "
            f"has a value per {'node' if len(shape) == 1 else 'link'}. Write {found[1]}{form}."
        )
    return bound.place(spelled(name), shape, indices)
