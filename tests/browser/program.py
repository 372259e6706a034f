"""The Chromium of this machine; nothing is downloaded."""

import os
import shutil

import pytest

# The headless shell is the same engine without windows, tabs, and their menus: tests take a quarter less time.
SHELL, WHOLE = "chromium-headless-shell", "chromium"


def chromium_program(*commands: str) -> str:
    """Return the path of the first of these commands there is; without one the test is skipped, in CI it fails."""
    program = next(filter(None, map(shutil.which, commands or (SHELL, WHOLE))), None)
    if program is None:
        sentence = "The browser tests need Chromium (on Debian: apt-get install chromium chromium-headless-shell)."
        pytest.fail(sentence) if os.environ.get("CI") == "true" else pytest.skip(sentence)
    return program
