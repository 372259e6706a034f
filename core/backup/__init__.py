"""Backups without Django: how they are laid out, sealed, kept in a place, and thinned out."""
