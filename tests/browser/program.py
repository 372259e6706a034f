"""The Chromium of this machine; nothing is downloaded."""

import os
import shutil

import pytest

# The headless shell is the same engine without windows, tabs, and their menus: tests take a quarter less time.
COMMANDS = ("chromium-headless-shell", "chromium")


def chromium_program() -> str:
    """Return the path of its program; without one the test is skipped, in CI it fails."""
    program = next(filter(None, map(shutil.which, COMMANDS)), None)
    if program is None:
        sentence = "The browser tests need Chromium (on Debian: apt-get install chromium-headless-shell)."
        pytest.fail(sentence) if os.environ.get("CI") == "true" else pytest.skip(sentence)
    return program
