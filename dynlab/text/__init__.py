"""Models that arrive as text, from anyone: nothing here ever evaluates Python."""
