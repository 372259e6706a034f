"""Rebuilding any Python value from what JSON can hold."""

import math
from collections.abc import Callable
from itertools import islice
from typing import Any

NESTED_LEVELS = 5
NESTED_ITEMS = 100
NUMBER_LIMIT = 2**63  # what other readers of JSON can hold (RFC 8259, section 6)


class Plain:
    """Rebuilds values, spending at most about `characters` on all of them together; never raises."""

    def __init__(self, characters: int) -> None:
        self.left = characters

    def value(self, value: object, level: int = 0) -> Any:
        """Return the value as JSON can hold it; what is nested too deep, or in a circle, as text."""
        self.left -= 2
        if value is None or value is True or value is False:
            return value
        if type(value) is int and abs(value) < NUMBER_LIMIT:
            return value
        if type(value) is float and math.isfinite(value):
            return value
        if level < NESTED_LEVELS and self.left > 0:
            if isinstance(value, dict):
                return self._parts(value, lambda: self._mapping(value, level + 1))
            if isinstance(value, (list, tuple, set, frozenset)):
                return self._parts(value, lambda: self._sequence(value, level + 1))
        return self.text(value)

    def text(self, value: object) -> str:
        """Return str(value) without lone surrogates, shortened in its middle."""
        try:
            text = value if isinstance(value, str) else str(value)
            text = str.encode(text, "utf-8", "replace").decode()
        except Exception:  # any object's __str__ may raise anything; the line says which type it was
            text = f"<{type(value).__name__} that cannot be shown>"
        room = max(self.left, 1)
        if len(text) > room:
            text = f"{text[: room // 2]} … {text[len(text) - room // 2 :]}"
        self.left -= len(text)
        return text

    def _parts(self, value: object, rebuild: Callable[[], Any]) -> Any:
        try:
            return rebuild()
        except Exception:  # a container may break while it is read; what can be said of the whole is said
            return self.text(value)

    def _mapping(self, value: dict[Any, Any], level: int) -> dict[str, Any]:
        pairs = islice(value.items(), NESTED_ITEMS)
        return {self.text(name): self.value(part, level) for name, part in pairs}

    def _sequence(self, value: Any, level: int) -> list[Any]:
        return [self.value(part, level) for part in islice(value, NESTED_ITEMS)]
