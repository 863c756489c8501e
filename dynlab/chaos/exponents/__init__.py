"""The exponents of an orbit: how fast neighbours part, and what that says of it."""
