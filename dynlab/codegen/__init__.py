"""Where the two meet: a system's equations become compiled kernels."""
