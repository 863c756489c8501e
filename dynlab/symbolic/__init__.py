"""What a system is: its definition in the words of mathematics (sympy; no arrays, no numba)."""
