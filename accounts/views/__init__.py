"""Pages about people and classes."""
