"""Running a command as operators type it."""

from io import StringIO

import pytest
from django.core.management import call_command

from tests.functional.test_backup_postgres import server  # noqa: F401


def run(*arguments, **options):
    """Return the exit code and what the command printed."""
    out, err = StringIO(), StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command(*arguments, stdout=out, stderr=err, **options)
    return ended.value.code, out.getvalue() + err.getvalue()


def lines_of(printed):
    """Return name → (state, rest) of the lines that a list of findings has."""
    cells = (line.split("  ", 1) for line in printed.splitlines() if not line.startswith("→"))
    return {rest.strip().split("  ")[0]: (state, rest) for state, rest in cells}
