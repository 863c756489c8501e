"""Turbulence in a few modes of a partial differential equation."""

from dynlab.symbolic.define import flow


@flow
def kuramoto_sivashinsky(
    a1=0.1, a2=0.1, a3=0.1, a4=0.0, a5=0.0, a6=0.0, a7=0.0, a8=0.0,
    a9=0.0, a10=0.0, a11=0.0, a12=0.0, a13=0.0, a14=0.0, a15=0.0, a16=0.0,
    *, nu=0.0299,
):  # fmt: skip
    """Flickering flame front: the 16 longest waves of its odd solutions.

    Christiansen, Cvitanovic and Putkaradze 1997, Nonlinearity 10, 55, after Kuramoto 1976 and
    Sivashinsky 1977.

    Famous as the simplest turbulence of a field: u_t = (u^2)_x - u_xx - nu u_xxxx with period 2 pi and
    u = -2 sum a_k sin(k x). The squares move energy between the waves and make none.
    """
    waves = (a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16)

    def wave(k):
        """Amplitude at any whole number: odd in k, zero beyond the last."""
        if k == 0 or k > len(waves) or -k > len(waves):
            return 0
        return waves[k - 1] if k > 0 else -waves[-k - 1]

    def rate(k):
        mixed = sum(wave(m) * wave(k - m) for m in range(k - len(waves), len(waves) + 1))
        return (k**2 - nu * k**4) * wave(k) - k * mixed

    return {a: rate(k) for k, a in enumerate(waves, 1)}
