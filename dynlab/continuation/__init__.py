"""Following a solution as a parameter changes, and naming exactly what happens on the way.

``follow`` knows stepping and no dynamics; a curve (`curves/`) knows dynamics and no stepping;
`locate` solves the defining system of a special point; `normal_forms` says what the point is like.  Here
stand the branches of equilibria and of cycles of maps, and the diagram that joins all branches;

=============  ==================================================================
`cycles`       branches of limit cycles, their ends and points; their curves over two parameters
`plane`        bifurcations over two parameters, and the points of codimension two
`connections`  homoclinic and heteroclinic orbits
=============  ==================================================================
"""
