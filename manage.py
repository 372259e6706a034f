#!/usr/bin/env python
"""Practika's command line; `python manage.py help` lists the commands."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line


def main() -> None:
    """Run the command; settings that cannot be used end it with their sentences and exit code 1."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "practika_project.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
