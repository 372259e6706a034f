"""Commands while no database answers: a sentence and exit code 2, and with --json nothing but JSON."""

import json
import subprocess
import sys

import pytest

from tests.functional.operator_commands.test_db_status import ROOT, environment

pytestmark = pytest.mark.one_stack("development", why="brings a database that is not there")

NOWHERE = "postgres://nobody@127.0.0.1:9/none"
# The pool of connections logs while it tries.
COMMANDS = ["task_stats --json", "audit --json", "fsck_media --json", "prune_uploads", "worker --batch"]


@pytest.fixture(scope="module")
def ended():
    """Every command's process once it has ended, by its line, all run side by side."""
    variables = environment(DATABASE_URL=NOWHERE)
    begun = {
        line: subprocess.Popen([sys.executable, "manage.py", *line.split()], cwd=ROOT, env=variables,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for line in COMMANDS
    }  # fmt: skip
    return {line: (*process.communicate(timeout=60), process.returncode) for line, process in begun.items()}


@pytest.mark.parametrize("line", COMMANDS)
def test_it_could_not_tell_and_says_so_without_a_traceback(ended, line):
    out, err, code = ended[line]
    assert code == 2, err
    assert "Traceback" not in err
    assert "couldn't get a connection" in out + err


@pytest.mark.parametrize("line", [line for line in COMMANDS if line.endswith("--json")])
def test_what_is_logged_meanwhile_does_not_stand_between_the_json(ended, line):
    out, err, _ = ended[line]
    assert '"logger": "psycopg.pool"' in err
    for printed in out.splitlines():
        assert "problem" in json.loads(printed)
