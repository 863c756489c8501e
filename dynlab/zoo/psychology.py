"""Feelings and how they act on each other."""

from dynlab.symbolic.define import flow


@flow
def emotion(M=1.0, A=0.5, *, a_M=0.8, a_A=0.2, b_M=1.0, b_A=0.4):
    """Two feelings, each raised by the other and fading by itself.

    Linear form after Strogatz 1988, Math. Mag. 61, 35.

    Known for what it cannot do: the divergence -(b_M + b_A) is negative, so no coupling gives an
    oscillation (Bendixson). With positive coupling the rest state is stable if a_M a_A < b_M b_A.
    """
    return {M: a_M * A - b_M * M, A: a_A * M - b_A * A}
