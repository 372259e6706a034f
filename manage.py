#!/usr/bin/env python
"""Practika's command line; `python manage.py help` lists the commands."""

import os
import select
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import DatabaseError, InterfaceError

from core.log_output import write_to_standard_error

READER_LEFT = 141  # what a shell calls a program that ended because nobody read on: 128 + SIGPIPE
COULD_NOT_TELL = 2
UNDEFINED_TABLE = "42P01"
LOOK = "What is wrong says: python manage.py preflight. Where it was met says the same command with --traceback."


def main() -> None:
    """Run the command; settings that cannot be used end it with their sentences and exit code 1, a database with 2."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "practika_project.settings")
    if "--json" in sys.argv:  # a program reads standard output, and what is logged is no part of the answer
        write_to_standard_error()
    try:
        try:
            execute_from_command_line(sys.argv)
        finally:
            sys.stdout.flush()
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    except (DatabaseError, InterfaceError) as error:
        if "--traceback" in sys.argv or not is_not_usable(error):
            raise
        sys.stderr.write(f"The database cannot be used: {str(error).strip()}\n{LOOK}\n")
        sys.exit(COULD_NOT_TELL)
    except BrokenPipeError:
        if not nobody_reads(sys.stdout.fileno()):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still held goes nowhere
        sys.exit(READER_LEFT)


def is_not_usable(error: Exception) -> bool:
    """Return whether the database is away or was never migrated, rather than asked something wrong by the program."""
    from practika_project.errors import is_database_away  # needs settings

    return is_database_away(error) or getattr(error.__cause__, "sqlstate", "") == UNDEFINED_TABLE


def nobody_reads(descriptor: int) -> bool:
    """Return whether the other end of a pipe was closed, as `| head` does when it has seen enough."""
    asked = select.poll()
    asked.register(descriptor, 0)
    return any(event & select.POLLERR for _, event in asked.poll(0))


if __name__ == "__main__":
    main()
