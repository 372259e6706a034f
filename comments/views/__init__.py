"""Writing, changing, and deleting comments."""
