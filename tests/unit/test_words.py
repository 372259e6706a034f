"""What people read says "practise" for the verb and "practice" for the noun, everywhere."""

import re
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
FOLDERS = ("practika_project", "core", "accounts", "exercises", "comments", "templates", "static/js")
READ = [ROOT / "README.md", ROOT / "RUNBOOK.md"] + [
    path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ".html", ".txt", ".js"}
]
VERB = re.compile(
    r"\bpractic(ed|ing)\b|\b(to|you|we|they|can|it,|comments,|someone) practices?\b|>\s*Practice\s*[<,{]"
    r"|\bpractice (against|along|it|with)\b",
    re.IGNORECASE,
)
NOUN = re.compile(r"\b(the|a|in|of|this) practise\b|\bpractise (page|tools|controls|player|room)", re.IGNORECASE)


def test_the_verb_is_spelled_practise_and_the_noun_practice():
    assert len(READ) > 100
    found = []
    for path in READ:
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if VERB.search(line) or NOUN.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    assert found == []
