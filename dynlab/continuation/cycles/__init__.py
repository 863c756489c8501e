"""Branches and curves of limit cycles."""
