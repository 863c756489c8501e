"""Following a solution as a parameter changes, and naming exactly what happens on the way.

``follow`` knows stepping and no dynamics; a curve (`curves/`) knows dynamics and no stepping;
`locate` solves the defining system of a special point; `normal_forms` says what the point is like.
"""
