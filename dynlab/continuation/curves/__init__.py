"""What is followed: one file per kind of curve."""
