"""The weak order of first-passage times: 1/2 where the ends of steps alone are looked at, at least 1 with the bridge.

An Ornstein-Uhlenbeck process (theta = 1, D = 0.5) leaves [-1, 1] from 0 after 1.44524561338835 on average (mpmath).  Its steps
are exact, so all of the error is that of finding the passage.
"""

import numpy as np

import dynlab as dl

EXACT = 1.44524561338835


@dl.flow
def decay(x=0.0):
    return {x: -x}


def looking_at_the_ends(step, size, seed):
    """Return the mean over passages seen at the ends of exact steps."""
    random, x, total, count = np.random.default_rng(seed), np.zeros(size), 0.0, 0
    kept, spread = np.exp(-step), np.sqrt((1 - np.exp(-2 * step)) / 2)
    while x.size:
        count += 1
        x = kept * x + spread * random.standard_normal(x.size)
        out = np.abs(x) >= 1
        total += count * step * np.count_nonzero(out)
        x = x[~out]
    return total / size


def test_without_the_bridge_the_order_is_one_half():
    """Slope from steps of 1/32 to 1/128; the next term of the series, of order 1, still lifts it above 1/2."""
    coarse, fine = (looking_at_the_ends(h, 20_000, 1) - EXACT for h in (1 / 32, 1 / 128))
    assert 0.45 < np.log(coarse / fine) / np.log(4) < 0.7


def test_with_the_bridge_it_is_at_least_one():
    """A step of 1/2 errs by 2 %; one of 1/8 by a quarter of that or less, within four standard errors."""
    coarse, fine = (
        dl.first_passage_times(
            decay.with_noise(x=1.0), beyond={"x": (-1, 1)}, duration=100, size=300_000, seed=7,
            method=dl.ExactLinear(step=h),
        )
        for h in (1 / 2, 1 / 8)
    )  # fmt: skip
    error = abs(coarse.mean - EXACT)
    assert error > 8 * coarse.standard_error  # there is something to fall
    assert abs(fine.mean - EXACT) < error / 4 + 4 * fine.standard_error
    # Looking at the ends alone errs by 1.14 at this step: three hundred times as much.
    assert abs(fine.mean - EXACT) < 0.02
