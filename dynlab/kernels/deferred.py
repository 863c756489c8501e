"""Compiled functions of one signature whose machine code is made, or loaded, at their first use.

``numba.njit`` with a signature compiles, or loads from the disk, when the module is imported, and a
function that another one calls is loaded although its code stands inside the caller's.  Of 98 functions
that a first trajectory imported it ran 6; loading the others took 0.3 of 1.8 s.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba.core import sigutils, typeinfer
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import CPUDispatcher
from numba.core.typeconv import Conversion

__all__ = ["Deferred", "njit"]


class Deferred(CPUDispatcher):  # type: ignore[misc]
    """A function of the one signature it was promised; compiled when first called or compiled into a caller."""

    _promised: Any = None

    def promise(self, signature: Any) -> None:
        """Say which signature the function will have, the only one."""
        self._promised = signature

    def keep(self) -> None:
        """Compile or load what was promised, unless that is done."""
        with global_compiler_lock:
            promised, self._promised = self._promised, None
            if promised is None:
                return
            try:
                with typeinfer.register_dispatcher(self):
                    self.compile(promised)
            except BaseException:
                self._promised = promised  # an interrupt must not leave a function without code
                raise
            self.disable_compile()

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """Answer a caller that is being compiled."""
        self.keep()
        return super().get_call_template(args, kws)

    def _compile_for_args(self, *args: Any, **kws: Any) -> Any:
        """Answer the first call from Python; what cannot become the promised types is refused as ever."""
        self.keep()
        if self._can_compile:  # nothing was promised
            return super()._compile_for_args(*args, **kws)
        (overload,) = self.overloads.values()
        wanted = overload.signature.args
        if len(args) != len(wanted) or not all(map(self._becomes, args, wanted)):
            self._explain_matching_error(*args, **kws)
        return overload.entry_point

    def _becomes(self, value: Any, wanted: Any) -> bool:
        how = self.typingctx.can_convert(self.typeof_pyval(value), wanted)
        return how is not None and how <= Conversion.unsafe  # as numba does for a single signature


def njit(signature: Any = None, **options: Any) -> Callable[[Callable[..., Any]], Deferred]:
    """Return the decorator that compiles a function for a signature, or for whatever it is called with."""
    cache = options.pop("cache", False)
    if signature is not None:
        sigutils.normalize_signature(signature)  # a misspelt one is better heard at import

    def decorate(function: Callable[..., Any]) -> Deferred:
        made = Deferred(
            py_func=function, targetoptions={"nopython": True, "boundscheck": None, **options}
        )
        if cache:
            made.enable_caching()
        if signature is not None:
            made.promise(signature)
        return made

    return decorate
