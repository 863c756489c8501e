"""Functions of the language that sympy lacks, with derivatives that stay accurate."""

from __future__ import annotations

from typing import Any

import sympy

__all__ = ["sigmoid"]


class sigmoid(sympy.Function):  # noqa: N801  (a function's name)
    """The logistic function 1 / (1 + exp(-x)).

    Its derivative is written s(x) s(-x): no cancellation and no overflow at any x.
    """

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        x = self.args[0]
        return sigmoid(x) * sigmoid(-x)

    def _eval_rewrite_as_exp(self, x: sympy.Expr, **_: Any) -> sympy.Expr:
        return 1 / (1 + sympy.exp(-x))

    def _eval_evalf(self, prec: int) -> sympy.Expr:
        return self.rewrite(sympy.exp)._eval_evalf(prec)

    def _eval_is_extended_real(self) -> bool | None:
        return self.args[0].is_extended_real

    def _latex(self, printer: Any) -> str:
        return rf"\sigma\left({printer._print(self.args[0])}\right)"
