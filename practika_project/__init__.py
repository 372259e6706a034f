"""Practika's site: environment, settings, URLs, and the WSGI entry.

The version is written here and nowhere else.
"""

__version__ = "1.0.0"
