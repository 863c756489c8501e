"""Flows interrupted by impacts and friction."""

from dynlab.symbolic import language as dl
from dynlab.symbolic.define import flow


@flow
def falling(x=1.0, v=0.0, *, g=9.81):
    """Body that falls freely."""
    return {x: v, v: -g}


@falling.with_event(when=lambda x: x, direction=-1, name="bounce")
def bouncing_ball(x, v, *, e=0.8):
    """Ball that loses a part of its speed at every bounce.

    Goebel, Sanfelice and Teel 2009, IEEE Control Syst. Mag. 29(2), 28.

    Famous for infinitely many bounces in a finite time: dropped from x, it comes to rest at
    sqrt(2 x / g) (1 + e) / (1 - e).
    """
    return {v: -e * v}


@flow
def block_on_belt(x=0.0, v=0.0, stuck=0.0, *, u=0.25, m=1.0, k=1.0, Fs=1.5, Fk=1.0):
    """Block on a belt, without what makes it stick or slip."""
    sliding = (Fk * dl.sign(u - v) - k * x) / m
    return {x: v, v: dl.where(stuck > 0.5, 0, sliding), stuck: 0}


@block_on_belt.with_event(when=lambda v, u: v - u, name="stick")
def sticking_block(x, v, stuck, *, u=0.25, k=1.0, Fs=1.5):
    """Block that sticks but does not slip again."""
    return {v: u, stuck: dl.where(dl.abs(k * x) < Fs, 1, 0)}


@sticking_block.with_event(when=lambda x, k, Fs: dl.abs(k * x) - Fs, direction=+1, name="slip")
def stick_slip(x, v, stuck):
    """Block held by a spring on a moving belt, with static friction above sliding friction.

    Galvanetto and Bishop 1999, Meccanica 34, 337.

    Famous as the mechanism of squealing brakes and bowed strings. ``stuck`` is 1 while the block
    rides on the belt and 0 while it slides. With w = sqrt(k / m) and D = (Fs - Fk) / k the period is
    2 D / u + 2 (pi - atan(D w / u)) / w.
    """
    return {stuck: 0}
