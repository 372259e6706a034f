"""Pages of exercises and attempts."""
