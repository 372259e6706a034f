#!/usr/bin/env python
"""Practika's command line; `python manage.py help` lists the commands."""

import os
import select
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

READER_LEFT = 141  # what a shell calls a program that ended because nobody read on: 128 + SIGPIPE


def main() -> None:
    """Run the command; settings that cannot be used end it with their sentences and exit code 1."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "practika_project.settings")
    try:
        try:
            execute_from_command_line(sys.argv)
        finally:
            sys.stdout.flush()
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    except BrokenPipeError:
        if not nobody_reads(sys.stdout.fileno()):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still held goes nowhere
        sys.exit(READER_LEFT)


def nobody_reads(descriptor: int) -> bool:
    """Return whether the other end of a pipe was closed, as `| head` does when it has seen enough."""
    asked = select.poll()
    asked.register(descriptor, 0)
    return any(event & select.POLLERR for _, event in asked.poll(0))


if __name__ == "__main__":
    main()
