"""Reads RUNBOOK.md: its commands with what they print, and its table of variables.

# Note [How the runbook is written]
A command is a ```bash fence below a comment `<!-- run: id -->`. Below the fence stands `Expected:` (or
`Expected (exit code N):`) and a ```text fence, or `Expected: no output.` In it, `…` is anything within a line,
and a line of `…` alone is any number of lines.
"""

import re
from dataclasses import dataclass
from pathlib import Path

RUNBOOK = (Path(__file__).resolve().parents[2] / "RUNBOOK.md").read_text()

ID = r"<!-- run: (?P<id>[a-z0-9-]+) -->\n"
COMMAND = r"```bash\n(?P<command>.*?)```\n"
EXPECTED = r"Expected(?: \(exit code (?P<code>\d+)\))?:(?: no output\.|\n```text\n(?P<text>.*?)```)\n"
BLOCK = re.compile(ID + COMMAND + r"\n?" + EXPECTED, re.DOTALL)
ROW = re.compile(r"^\| `([A-Z0-9_]+)` \| (\w+) \| (.+?) \| (.+?) \|$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One command, the output it promises, and its exit code."""

    id: str
    command: str
    expected: str
    exit_code: int

    def agrees_with(self, output: str) -> bool:
        return re.fullmatch(_pattern(self.expected), output.rstrip("\n") + "\n" if output else "") is not None


@dataclass(frozen=True)
class Row:
    """One variable as the table tells it."""

    name: str
    kind: str
    default: str
    needed_when: str


def blocks() -> list[Block]:
    return [
        Block(found["id"], found["command"], found["text"] or "", int(found["code"] or 0))
        for found in BLOCK.finditer(RUNBOOK)
    ]


def rows() -> list[Row]:
    return [Row(*found) for found in ROW.findall(RUNBOOK)]


def _pattern(expected: str) -> str:
    lines = (
        r"(?:[^\n]*\n)*" if line == "…" else re.escape(line).replace("…", r"[^\n]*") + r"\n"
        for line in expected.splitlines()
    )
    return "".join(lines)
