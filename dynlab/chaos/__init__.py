"""Chaos: exponents, their spectrum and vectors, and what tells chaos from order."""
