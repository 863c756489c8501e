r"""Paths of stochastic equations ``dX = f dt + sum_k b_k dW_k``: one step, and many paths step by step.

====================  =======  =====  ==========================  =========================================
step                  strong   weak   noise                       source
====================  =======  =====  ==========================  =========================================
Euler-Maruyama        1/2      1      any                         Kloeden and Platen 1992, eq 10.2.4
Milstein              1        1      commutative                 the same, eq 10.3.16
Heun (Stratonovich)   1/2      1      any; strong 1: commutative  Rumelin 1982, SIAM J. Numer. Anal. 19, 604
SRA1                  3/2      2      additive                    Rossler 2010, SIAM J. Numer. Anal. 48, 922
SRIW1                 3/2      2      diagonal, or one source     the same
Platen                1        2      any                         Kloeden and Platen 1992, eq 15.1.3
exact                 all      all    additive, linear f          van Loan 1978, IEEE Trans. Autom. Control 23
BAOAB                 -        2      friction and additive       Leimkuhler and Matthews 2013, AMRX 2013, 34
====================  =======  =====  ==========================  =========================================

The drift f handed in is the one that the step needs: Ito's, or Stratonovich's for Milstein and Heun.
Amplitudes come in layers (`dynlab.symbolic.noise`); source s is the entry `targets[s]` of its layer, or the
whole layer if that is -1.  Milstein's double integrals of commutative noise are, in Stratonovich's form,
``(b dW . grad) b dW / 2``, for which the derivative of each layer along ``b dW`` is all that is needed.

A run lives in arrays that the caller owns.  Between two times to keep, steps are equal and end on the later
one.  Every path draws from its own stream, a whole block of steps at once.
"""

from __future__ import annotations

import math

from dynlab.kernels.convention import DIVERGED, LEFT_DOMAIN, OK, RUNNING, call0, call1, pointer
from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import MODEL, OPTIONS, copy
from dynlab.kernels.random import fill_normals
from dynlab.kernels.run import is_finite

# Places in `plan`; behind HEADER the layers' kernels, then those of their derivatives.
SCHEME, DRIFT, LAYERS, NORMALS, CONSTANT, TOGETHER, HEADER = 0, 1, 2, 3, 4, 5, 6

# Schemes.
EULER, MILSTEIN, HEUN, SRA1, SRIW1, PLATEN, EXACT, BAOAB = range(8)

# Rows of `work`.
X, NEXT, F, A, B, C, D, E = range(8)
WORK_ROWS = 8
#: Sets of amplitudes that a step keeps.
SETS = 4

# Places in `progress`.
MEMBER, SEGMENT, TAKEN = range(3)

#: Steps whose random numbers are drawn at once.
BLOCK = 64
#: Beyond this a state that is no number next has diverged.
HUGE = 1e6

_KIND = "i8[::1], i8[:, ::1]"
_STEP = f"i8({_KIND}, f8, f8, f8[::1], f8[:, ::1], f8[:, :, ::1], {MODEL})"


@njit(f"void(i8[::1], f8, f8[::1], f8[:, ::1], {MODEL})", **OPTIONS)
def amplitudes(plan, t, x, out, z, p, d, k, w):
    """Write the amplitudes of every layer."""
    for layer in range(plan[LAYERS]):
        call0(plan[HEADER + layer], t, pointer(x), pointer(z), pointer(p), pointer(d), pointer(k),
              pointer(w), pointer(out[layer]))  # fmt: skip


@njit(f"void(i8[::1], f8, f8[::1], f8[::1], {MODEL})", **OPTIONS)
def drift(plan, t, x, out, z, p, d, k, w):
    """Write the drift."""
    call0(plan[DRIFT], t, pointer(x), pointer(z), pointer(p), pointer(d), pointer(k), pointer(w),
          pointer(out))  # fmt: skip


@njit("void(i8[:, ::1], f8[:, ::1], f8[::1], f8, f8[::1])", **OPTIONS)
def add_noise(sources, amplitude, xi, factor, out):
    """Add ``factor * sum_s b_s xi_s``."""
    for s in range(sources.shape[1]):
        layer, target = sources[0, s], sources[1, s]
        if target >= 0:
            out[target] += amplitude[layer, target] * (factor * xi[s])
        else:
            for i in range(out.size):
                out[i] += amplitude[layer, i] * (factor * xi[s])


@njit("void(f8[::1], f8, f8[::1])", **OPTIONS)
def add(a, factor, out):
    """Add ``factor * a``."""
    for i in range(out.size):
        out[i] += factor * a[i]


@njit(_STEP, **OPTIONS)
def euler(plan, sources, t, h, xi, work, sets, z, p, d, k, w):
    """Take an Euler-Maruyama step."""
    x, new = work[X], work[NEXT]
    drift(plan, t, x, work[F], z, p, d, k, w)
    if not plan[CONSTANT]:
        amplitudes(plan, t, x, sets[0], z, p, d, k, w)
    for i in range(x.size):
        new[i] = x[i] + h * work[F, i]
    add_noise(sources, sets[0], xi, math.sqrt(h), new)
    return OK


@njit(_STEP, **OPTIONS)
def milstein(plan, sources, t, h, xi, work, sets, z, p, d, k, w):
    """Take a Milstein step with Stratonovich's drift, for commutative noise."""
    euler(plan, sources, t, h, xi, work, sets, z, p, d, k, w)
    x, new, moved, slope = work[X], work[NEXT], work[A], work[B]
    root = math.sqrt(h)
    moved[:] = 0.0
    add_noise(sources, sets[0], xi, root, moved)
    layers = plan[LAYERS]
    for layer in range(layers):
        address = plan[HEADER + layers + layer]
        if address == 0:
            continue
        call1(address, t, pointer(x), pointer(z), pointer(p), pointer(d), pointer(k), pointer(w),
              pointer(moved), pointer(slope))  # fmt: skip
        for s in range(sources.shape[1]):
            if sources[0, s] == layer:
                j = sources[1, s]
                if j >= 0:
                    new[j] += 0.5 * root * xi[s] * slope[j]
                else:
                    add(slope, 0.5 * root * xi[s], new)
    return OK


@njit(_STEP, **OPTIONS)
def heun(plan, sources, t, h, xi, work, sets, z, p, d, k, w):
    """Take a Heun step with Stratonovich's drift: the mean of both ends."""
    euler(plan, sources, t, h, xi, work, sets, z, p, d, k, w)
    x, new, tried = work[X], work[NEXT], work[A]
    copy(new, tried)
    drift(plan, t + h, tried, work[B], z, p, d, k, w)
    amplitudes(plan, t + h, tried, sets[1], z, p, d, k, w)
    half = 0.5 * math.sqrt(h)
    for i in range(x.size):
        new[i] = x[i] + 0.5 * h * (work[F, i] + work[B, i])
    add_noise(sources, sets[0], xi, half, new)
    add_noise(sources, sets[1], xi, half, new)
    return OK


@njit("void(f8[::1], i8)", **OPTIONS)
def mix_integrals(xi, m):
    """Turn the second m numbers into ``I_(1,0) / h**1.5``: half of xi plus another by sqrt(3)."""
    for s in range(m):
        xi[m + s] = 0.5 * (xi[s] + xi[m + s] / math.sqrt(3.0))


@njit(_STEP, **OPTIONS)
def sra1(plan, sources, t, h, xi, work, sets, z, p, d, k, w):
    """Take a step of SRA1, for additive noise."""
    x, new, stage = work[X], work[NEXT], work[A]
    m, root = sources.shape[1], math.sqrt(h)
    mix_integrals(xi, m)
    drift(plan, t, x, work[F], z, p, d, k, w)
    if not plan[CONSTANT]:
        amplitudes(plan, t, x, sets[0], z, p, d, k, w)
        amplitudes(plan, t + h, x, sets[1], z, p, d, k, w)
    late = sets[0] if plan[CONSTANT] else sets[1]
    for i in range(x.size):
        stage[i] = x[i] + 0.75 * h * work[F, i]
    add_noise(sources, late, xi[m:], 1.5 * root, stage)
    drift(plan, t + 0.75 * h, stage, work[B], z, p, d, k, w)
    for i in range(x.size):
        new[i] = x[i] + h * (work[F, i] + 2.0 * work[B, i]) / 3.0
    add_noise(sources, late, xi, root, new)
    if not plan[CONSTANT]:
        add_noise(sources, late, xi[m:], -root, new)
        add_noise(sources, sets[0], xi[m:], root, new)
    return OK


@njit(_STEP, **OPTIONS)
def sriw1(plan, sources, t, h, xi, work, sets, z, p, d, k, w):
    """Take a step of SRIW1, for diagonal noise or a single source; the amplitudes are one layer."""
    x, new, stage, f = work[X], work[NEXT], work[A], work[F]
    m, root, n = sources.shape[1], math.sqrt(h), work.shape[1]
    g1, g2, g3, g4 = sets[0, 0], sets[1, 0], sets[2, 0], sets[3, 0]
    mix_integrals(xi, m)
    drift(plan, t, x, f, z, p, d, k, w)
    amplitudes(plan, t, x, sets[0], z, p, d, k, w)
    for i in range(n):
        stage[i] = x[i] + 0.25 * h * f[i] + 0.5 * root * g1[i]
    amplitudes(plan, t + 0.25 * h, stage, sets[1], z, p, d, k, w)
    for i in range(n):
        stage[i] = x[i] + h * f[i] - root * g1[i]
    amplitudes(plan, t + h, stage, sets[2], z, p, d, k, w)
    for i in range(n):
        stage[i] = x[i] + 0.25 * h * f[i] + root * (-5.0 * g1[i] + 3.0 * g2[i] + 0.5 * g3[i])
    amplitudes(plan, t + 0.25 * h, stage, sets[3], z, p, d, k, w)
    for i in range(n):
        stage[i] = x[i] + 0.75 * h * f[i]
    add_noise(sources, sets[0], xi[m:], 1.5 * root, stage)
    drift(plan, t + 0.75 * h, stage, work[B], z, p, d, k, w)
    for i in range(n):
        new[i] = x[i] + h * (f[i] + 2.0 * work[B, i]) / 3.0
    for s in range(m):
        i1 = xi[s]
        i11 = 0.5 * (i1 * i1 - 1.0)
        i10 = xi[m + s]
        i111 = (i1 * i1 - 3.0) * i1 / 6.0
        c1 = root * (-i1 - i11 + 2.0 * i10 - 2.0 * i111)
        c2 = root * (4.0 * i1 + 4.0 * i11 - 4.0 * i10 + 5.0 * i111) / 3.0
        c3 = root * (2.0 * i1 - i11 - 2.0 * i10 - 2.0 * i111) / 3.0
        c4 = root * i111
        j = sources[1, s]
        for i in range(n) if j < 0 else range(j, j + 1):
            new[i] += c1 * g1[i] + c2 * g2[i] + c3 * g3[i] + c4 * g4[i]
    return OK


@njit(_STEP, **OPTIONS)
def platen(plan, sources, t, h, xi, work, sets, z, p, d, k, w):
    """Take a step of weak order 2; behind the m increments stand m (m - 1) / 2 numbers of chance."""
    euler(plan, sources, t, h, xi, work, sets, z, p, d, k, w)
    x, new, base, plus, minus = work[X], work[NEXT], work[A], work[B], work[C]
    m, root, n = sources.shape[1], math.sqrt(h), work.shape[1]
    copy(new, plus)
    drift(plan, t + h, plus, work[D], z, p, d, k, w)
    for i in range(n):
        base[i] = x[i] + h * work[F, i]
        new[i] = x[i] + 0.5 * h * (work[F, i] + work[D, i])
    add_noise(sources, sets[0], xi, 0.5 * root, new)
    column = work[E]
    for s in range(1 if plan[TOGETHER] and m else m):
        column[:] = 0.0
        for r in range(m):
            if r == s or plan[TOGETHER]:
                layer, target = sources[0, r], sources[1, r]
                for i in range(n) if target < 0 else range(target, target + 1):
                    column[i] = sets[0, layer, i]
        for side in range(2):
            sign = 1.0 - 2.0 * side
            for i in range(n):
                plus[i] = base[i] + sign * root * column[i]
            amplitudes(plan, t + h, plus, sets[1], z, p, d, k, w)
            for r in range(m):
                if r == s or plan[TOGETHER]:
                    weight = 0.25 * root * (xi[r] + sign * (xi[r] * xi[r] - 1.0))
                    layer, target = sources[0, r], sources[1, r]
                    for i in range(n) if target < 0 else range(target, target + 1):
                        new[i] += weight * sets[1, layer, i]
            if plan[TOGETHER]:
                continue
            for i in range(n):
                minus[i] = x[i] + sign * root * column[i]
            amplitudes(plan, t, minus, sets[2], z, p, d, k, w)
            for r in range(m):
                if r == s:
                    continue
                low, high = min(r, s), max(r, s)
                chance = 1.0 if xi[m + high * (high - 1) // 2 + low] > 0.0 else -1.0
                v = chance if s < r else -chance
                weight = 0.25 * root * (xi[r] + sign * (xi[r] * xi[s] + v))
                rest = -0.25 * root * xi[r]
                layer, target = sources[0, r], sources[1, r]
                for i in range(n) if target < 0 else range(target, target + 1):
                    new[i] += weight * sets[2, layer, i] + rest * sets[0, layer, i]
    return OK


@njit("i8(f8[::1], f8[::1], f8[:, ::1])", **OPTIONS)
def exact(table, xi, work):
    """Take the exact step ``F x + c + L xi``; the table has F, c and L one after another."""
    x, new = work[X], work[NEXT]
    n = x.size
    for i in range(n):
        value = table[n * n + i]
        for j in range(n):
            value += table[i * n + j] * x[j]
        for j in range(i + 1):
            value += table[n * n + n + i * n + j] * xi[j]
        new[i] = value
    return OK


@njit(f"i8(i8[::1], i8[:, ::1], f8, f8, f8[::1], f8[::1], f8[:, ::1], {MODEL})", **OPTIONS)
def baoab(plan, pairs, t, h, table, xi, work, z, p, d, k, w):
    """Take a step of Langevin's equation: kick, drift, friction and noise, drift, kick.

    The table has for each pair the factor of its momentum in the velocity, the decay of the momentum and
    the deviation of the noise.  The force at the end is the one at the next beginning; nan if unknown.
    """
    x, new, force = work[X], work[NEXT], work[F]
    m = pairs.shape[1]
    if force[0] != force[0]:
        drift(plan, t, x, force, z, p, d, k, w)
    for j in range(m):
        a, b = pairs[0, j], pairs[1, j]
        speed, decay, spread = table[3 * j], table[3 * j + 1], table[3 * j + 2]
        before = x[b] + 0.5 * h * force[j]
        after = decay * before + spread * xi[j]
        new[a] = x[a] + 0.5 * h * speed * (before + after)
        new[b] = after
    drift(plan, t + h, new, force, z, p, d, k, w)
    for j in range(m):
        new[pairs[1, j]] += 0.5 * h * force[j]
    return OK


@njit(f"i8({_KIND}, f8, f8, f8[::1], f8[::1], f8[:, ::1], f8[:, :, ::1], {MODEL})", **OPTIONS)
def step(plan, sources, t, h, table, xi, work, sets, z, p, d, k, w):
    """Take a step of the plan's scheme; leave the state and say why if it is no number."""
    scheme = plan[SCHEME]
    if scheme == EULER:
        euler(plan, sources, t, h, xi, work, sets, z, p, d, k, w)
    elif scheme == MILSTEIN:
        milstein(plan, sources, t, h, xi, work, sets, z, p, d, k, w)
    elif scheme == HEUN:
        heun(plan, sources, t, h, xi, work, sets, z, p, d, k, w)
    elif scheme == SRA1:
        sra1(plan, sources, t, h, xi, work, sets, z, p, d, k, w)
    elif scheme == SRIW1:
        sriw1(plan, sources, t, h, xi, work, sets, z, p, d, k, w)
    elif scheme == PLATEN:
        platen(plan, sources, t, h, xi, work, sets, z, p, d, k, w)
    elif scheme == EXACT:
        exact(table, xi, work)
    else:
        baoab(plan, sources, t, h, table, xi, work, z, p, d, k, w)
    if is_finite(work[NEXT]):
        copy(work[NEXT], work[X])
        return OK
    largest = 0.0
    for i in range(work.shape[1]):
        largest = max(largest, abs(work[X, i]))
    return DIVERGED if largest > HUGE else LEFT_DOMAIN


@njit(f"i8({_KIND}, f8, f8, i8, f8[::1], f8[:, ::1], f8[:, ::1], {MODEL})", **OPTIONS)
def euler_block(plan, sources, t, h, count, xi, work, amplitude, z, p, d, k, w):
    """Take Euler-Maruyama steps with constant amplitudes; return how many, fewer if one is no number.

    What `step` does, in one loop: calls with a dozen arrays cost several times what the step does.
    """
    address, m, n, root = plan[DRIFT], sources.shape[1], work.shape[1], math.sqrt(h)
    x, new, f = work[X], work[NEXT], work[F]
    x_at, f_at, z_at, p_at = pointer(x), pointer(f), pointer(z), pointer(p)
    d_at, k_at, w_at = pointer(d), pointer(k), pointer(w)
    scale = work[A]
    diagonal = plan[LAYERS] == 1 and m > 0 and sources[1, 0] >= 0
    if diagonal:
        for s in range(m):
            scale[s] = root * amplitude[0, sources[1, s]]
    for j in range(count):
        call0(address, t + j * h, x_at, z_at, p_at, d_at, k_at, w_at, f_at)
        for i in range(n):
            new[i] = x[i] + h * f[i]
        if diagonal:
            for s in range(m):
                new[sources[1, s]] += scale[s] * xi[j * m + s]
        else:
            add_noise(sources, amplitude, xi[j * m : (j + 1) * m], root, new)
        total = 0.0
        for i in range(n):
            total += 0.0 * new[i]
        if total != 0.0:
            return j
        for i in range(n):
            x[i] = new[i]
    return count


@njit(
    f"i8({_KIND}, f8[::1], f8[::1], i8[::1], i8[::1], f8[:, ::1], u8[:, ::1], f8[:, ::1], f8[:, ::1],"
    f" i8[::1], i8[::1], f8[::1], f8[:, :, ::1], f8[:, ::1], f8[:, :, ::1], f8[::1], {MODEL}, i8)",
    **OPTIONS,
)  # fmt: skip
def paths(
    plan, sources, ends, sizes, counts, which, table, streams, states, parameters,
    progress, status, ended, out, work, sets, xi, z, p, d, k, w, budget,
):  # fmt: skip
    """Run the members one after another; return RUNNING after `budget` steps, OK when all are done.

    Segment s ends at ``ends[s]``, after ``counts[s]`` steps of ``sizes[s]``, with row ``which[s]`` of the
    table; the state there is kept in `out`.
    """
    each = plan[NORMALS]
    while progress[MEMBER] < states.shape[0]:
        member = progress[MEMBER]
        parameters_of = parameters[member]
        if progress[SEGMENT] == 0 and progress[TAKEN] == 0:
            copy(states[member], work[X])
            work[F, 0] = math.nan
            if plan[CONSTANT]:
                amplitudes(plan, 0.0, work[X], sets[0], z, parameters_of, d, k, w)
        while progress[SEGMENT] < ends.size:
            segment = progress[SEGMENT]
            begins = ends[segment - 1] if segment > 0 else 0.0
            h = sizes[segment]
            while progress[TAKEN] < counts[segment]:
                if budget <= 0:
                    copy(work[X], states[member])
                    return RUNNING
                block = min(BLOCK, counts[segment] - progress[TAKEN])
                fill_normals(streams[member], xi[: block * each])
                done = 0
                if plan[SCHEME] == EULER and plan[CONSTANT]:
                    done = euler_block(plan, sources, begins + progress[TAKEN] * h, h, block, xi, work,
                                       sets[0], z, parameters_of, d, k, w)  # fmt: skip
                for j in range(done, block):
                    now = begins + (progress[TAKEN] + j) * h
                    found = step(plan, sources, now, h, table[which[segment]],
                                 xi[j * each : (j + 1) * each], work, sets, z, parameters_of, d, k,
                                 w)  # fmt: skip
                    if found != OK:
                        status[member], ended[member] = found, now
                        break
                if status[member] != RUNNING:
                    break
                progress[TAKEN] += block
                budget -= block
            if status[member] != RUNNING:
                break
            copy(work[X], out[member, segment])
            progress[SEGMENT] += 1
            progress[TAKEN] = 0
        if status[member] == RUNNING:
            status[member] = OK
            ended[member] = ends[ends.size - 1]
        copy(work[X], states[member])
        progress[MEMBER] += 1
        progress[SEGMENT] = progress[TAKEN] = 0
    return OK
