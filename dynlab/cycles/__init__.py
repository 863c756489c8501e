"""Limit cycles: finding one, its Floquet multipliers, its response to disturbances."""
