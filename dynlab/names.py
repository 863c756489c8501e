"""Names: which are allowed, and the only place where a name becomes a position."""

from __future__ import annotations

import keyword
import math
import numbers
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from dynlab.errors import DefinitionError, DuplicateNameError, SettingError, UnknownNameError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Layout", "by_name", "checked_name", "checked_names", "finite", "require_kind"]

#: The words of the equation language, and the few names that generated code needs.
RESERVED = frozenset({
    "t", "float", "minimum", "maximum", "np", "numpy", "numba", "math", "dl", "pi",
    "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh",
    "exp", "log", "log1p", "expm1", "sqrt", "abs", "sign", "heaviside", "min", "max", "mod",
    "floor", "where", "erf", "sigmoid", "exprel", "sinc", "bernoulli", "logrel", "tanhc",
    "pulse", "pulse_train", "ramp", "step", "recorded", "delayed", "each", "nodes", "Sum", "Mean",
})  # fmt: skip


#: Characters that fonts do not draw (Unicode: Default_Ignorable_Code_Point) beside category Cf.
_INVISIBLE = (
    (0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x3164, 0x3164),
    (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xE0100, 0xE01EF),
)  # fmt: skip


def checked_name(name: str, what: str) -> str:
    """Return the name in Unicode normal form, or raise if it cannot stand in an equation.

    Parameters
    ----------
    name
        The name as the user wrote it.
    what
        What it names, for the message.

    Raises
    ------
    DefinitionError
        If it is not an identifier, is a word of Python, or is a word of the language.
    """
    plain = unicodedata.normalize("NFKC", str(name))
    unseen = [c for c in str(name) + plain if _is_invisible(c)]
    if unseen:
        raise DefinitionError(
            f"{str(name)!a} is not a valid name for a {what}. It holds the invisible character "
            f"U+{ord(unseen[0]):04X}; a name holds letters, digits and underscores. Type it again."
        )
    if keyword.iskeyword(plain) or keyword.issoftkeyword(plain):
        hint = f"It is a word of Python; write {plain + '_'!r} or a longer name."
    elif plain in RESERVED:
        used = "the time" if plain == "t" else "a word of the equation language"
        hint = f"It is {used}; choose another, such as {plain + '_0'!r}."
    elif not plain.isidentifier():
        hint = "A name holds letters, digits and underscores and begins with a letter."
    elif plain.startswith("_"):
        hint = f"Names must not begin with an underscore; write {plain.lstrip('_')!r}."
    else:
        return plain
    raise DefinitionError(f"{plain!r} is not a valid name for a {what}. {hint}")


def _is_invisible(character: str) -> bool:
    """Whether a character shows nothing, so that two names with and without it look the same."""
    return unicodedata.category(character) == "Cf" or any(
        first <= ord(character) <= last for first, last in _INVISIBLE
    )


def checked_names(names: Iterable[str], what: str) -> tuple[str, ...]:
    """Check each name and that no two are the same after normalisation."""
    done: dict[str, str] = {}
    for name in names:
        plain = checked_name(name, what)
        if plain in done:
            raise DuplicateNameError(
                f"Two of the names given for a {what} are both printed {plain!r} "
                f"({done[plain]!a} and {name!a}). Rename one of them."
            )
        done[plain] = name
    return tuple(done)


def finite(value: Any, what: str) -> float:
    """Return a float, or say which value is not a finite real number."""
    if isinstance(value, str | bytes | bool):
        raise SettingError(f"{what} is {value!r}, which is not a number.")
    if isinstance(value, numbers.Complex) and not isinstance(value, numbers.Real):
        raise SettingError(
            f"{what} is complex ({value!r}); this model is real. Give a real number."
        )
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise SettingError(f"{what} is {value!r}, which is not a number.") from error
    except OverflowError as error:
        raise SettingError(
            f"{what} is too large for double precision. Give a number below 1e308."
        ) from error
    if not math.isfinite(number):
        raise SettingError(f"{what} is {number}; give a finite number.")
    return number


def require_kind(value: Any, kind: type, what: str, such_as: str) -> None:
    """Refuse a value of another kind, and say what to give instead."""
    if not isinstance(value, kind):
        raise SettingError(f"{what} is {value!r}; give {such_as}.")


def by_name(value: Any, what: str) -> dict[str, Any]:
    """Return a mapping from names, empty for None; refuse anything else."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise SettingError(f"{what} is {value!r}; give a dict by name, such as {{'x': (0, 1)}}.")
    return {str(name): item for name, item in value.items()}


class HasNames(Protocol):
    """What a Layout needs to know of a system."""

    @property
    def name(self) -> str: ...
    @property
    def state_names(self) -> tuple[str, ...]: ...
    @property
    def parameter_names(self) -> tuple[str, ...]: ...
    @property
    def is_indexed(self) -> bool: ...
    @property
    def blocks(self) -> Mapping[str, slice]: ...


@dataclass(frozen=True, slots=True)
class Layout:
    """Packs named values into arrays and unpacks them again.

    Examples
    --------
    >>> layout = Layout("oscillator", ("x", "v"), ("k",))
    >>> layout.state("v")
    1
    >>> layout.pack({"v": 2}, default=(0.5, 0.0))
    array([0.5, 2. ])
    """

    system: str
    states: tuple[str, ...]
    parameters: tuple[str, ...]
    blocks: tuple[tuple[str, int, int], ...] = ()

    @classmethod
    def of(cls, system: HasNames) -> Layout:
        """Return the layout of a system."""
        blocks = tuple(
            (name, block.start, block.stop) for name, block in system.blocks.items()
            if system.is_indexed and name not in system.state_names
        )  # fmt: skip
        return cls(system.name, system.state_names, system.parameter_names, blocks)

    def state(self, name: str) -> int:
        """Return the position of a state."""
        if name not in self.states:
            raise UnknownNameError(f"state of {self.system!r}", name, self.states)
        return self.states.index(name)

    def places(self, name: str) -> slice:
        """Return the positions of a state; of all its nodes if it is one per node."""
        for block, begin, end in self.blocks:
            if block == name:
                return slice(begin, end)
        if name not in self.states:
            known = (*(block for block, _, _ in self.blocks), *self.states)
            raise UnknownNameError(f"state of {self.system!r}", name, known)
        place = self.states.index(name)
        return slice(place, place + 1)

    def parameter(self, name: str) -> int:
        """Return the position of a parameter."""
        if name not in self.parameters:
            raise UnknownNameError(f"parameter of {self.system!r}", name, self.parameters)
        return self.parameters.index(name)

    def pack(
        self, start: Mapping[str, Any] | Sequence[float] | None, default: Sequence[float]
    ) -> NDArray[np.float64]:
        """Return the state vector: given values, and defaults for what is not given.

        Raises
        ------
        UnknownNameError
            If a name is not a state.
        SettingError
            If a value is not a finite real number, or a sequence has the wrong length.
        """
        import numpy as np

        values = np.array(default, dtype=float)
        start = getattr(start, "start", start)  # an equilibrium or special point: its state by name
        if start is None:
            return values
        if isinstance(start, Mapping):
            for name, value in start.items():
                values[self.places(str(name))] = self._block(str(name), value)
            return values
        return self._in_order(start)

    def _block(self, name: str, value: Any) -> Any:
        """Return the value of a state, or one for each of its nodes."""
        import numpy as np

        count = len(range(*self.places(name).indices(1 << 62)))
        if np.ndim(value) == 0 or name in self.states:
            return finite(value, f"start[{name!r}]")
        if np.size(value) != count:
            raise SettingError(
                f"start[{name!r}] has length {np.size(value)}, and {name!r} of {self.system!r} "
                f"has {count}. Give one value for each, or one for all."
            )
        return _all_finite(value, [f"start[{name!r}][{k}]" for k in range(count)])

    def _in_order(self, start: Sequence[float]) -> NDArray[np.float64]:
        import numpy as np

        count = np.size(np.asarray(start, dtype=object))
        if count != len(self.states):
            listed = ", ".join(self.states[:8]) + (", ..." if len(self.states) > 8 else "")
            raise SettingError(
                f"start has length {count}, but {self.system!r} has {len(self.states)} "
                f"states ({listed}). Give one value each, or a dict by name."
            )
        return _all_finite(start, [f"start[{name!r}]" for name in self.states])

    def unpack(self, values: Sequence[float] | NDArray[np.float64]) -> dict[str, Any]:
        """Return the state vector by name; one array for each state per node."""
        import numpy as np

        if not self.blocks:
            return {name: float(v) for name, v in zip(self.states, values, strict=True)}
        whole = np.asarray(values, float)
        covered = {k for _, begin, end in self.blocks for k in range(begin, end)}
        found: dict[str, Any] = {name: whole[begin:end] for name, begin, end in self.blocks}
        alone = {n: float(whole[k]) for k, n in enumerate(self.states) if k not in covered}
        return found | alone


def _all_finite(values: Any, names: Sequence[str]) -> NDArray[np.float64]:
    """Return numbers as floats; say which one is not a finite real number."""
    import numpy as np

    array = np.atleast_1d(np.asarray(values))
    if array.dtype.kind in "iuf" and np.isfinite(array).all():
        return array.astype(float).ravel()
    given = np.atleast_1d(np.asarray(values, dtype=object)).ravel()
    return np.array([finite(v, name) for name, v in zip(names, given, strict=True)])
