"""How things are computed: numba on floats and arrays, knowing nothing of systems or names."""

from dynlab.kernels import caching as _caching

_caching.install()
