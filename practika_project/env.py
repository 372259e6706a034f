"""Strict readers for environment variables; every setting an operator can choose comes in through here.

# Note [Every problem in one go]
A bad value neither raises at once nor passes for something else (`USE_S3=1` once meant "local disk",
silently). Its sentence is recorded, the default stands in for it so that reading can go on, and
`stop_if_refused()` at the end of the settings raises them all: an operator mends a container in one round,
not in one per variable. A sentence names the variable, what was found, and what to type; it never shows a
secret.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured

from core.limits import Limit

TRUE_WORDS = frozenset({"true", "1", "yes", "on"})
FALSE_WORDS = frozenset({"false", "0", "no", "off"})
SHOWN_CHARACTERS = 60
SECRET_FILE_BYTES = 64 * 1024

# More digits than any count, size, or time needs; int() itself refuses thousands of them with an exception.
WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")


Value = TypeVar("Value")


@dataclass(frozen=True)
class Variable:
    """One variable that was asked for: kind is text, flag, number, list, choice, or secret."""

    name: str
    kind: str
    default: object


class Environment:
    """Reads one mapping; remembers what was asked for (`variables`) and what was wrong (`refused`)."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values
        self.variables: dict[str, Variable] = {}
        self.refused: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        """Return the value without the white space around it."""
        return self._read(name, "text", default, str)

    def flag(self, name: str, default: bool) -> bool:
        """Return a boolean: true/false, 1/0, yes/no, on/off, in any case."""
        return self._read(name, "flag", default, _flag)

    def number(self, name: str, default: int, *, minimum: int = 0) -> int:
        """Return a whole number that is at least `minimum`."""
        return self._read(name, "number", default, lambda value: _number(value, minimum))

    def items(self, name: str, default: list[str]) -> list[str]:
        """Return the parts between commas, stripped, the empty ones dropped."""
        return self._read(name, "list", list(default), _items)

    def networks(self, name: str) -> list[IPv4Network | IPv6Network]:
        """Return the networks of a list like 10.0.0.0/8,127.0.0.1; none by default."""
        return self._read(name, "list", [], lambda value: [_network(part) for part in _items(value)])

    def limits(self, name: str, default: list[str]) -> tuple[Limit, Limit]:
        """Return the limits of one account and from one address, as of 10/5m,100/5m."""
        account, address = self._read(name, "list", list(default), _two_limits)
        return Limit.read(account), Limit.read(address)

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        """Return one of the allowed words as it is spelled there; any case is accepted."""
        return self._read(name, "choice", default, lambda value: _choice(value, allowed))

    def secret(self, name: str, default: str = "") -> str:
        """Return NAME, or the content of the file that NAME_FILE names (without its last line break)."""
        self.variables[name] = Variable(name, "secret", default)
        value, file_name = self.values.get(name, ""), self.values.get(f"{name}_FILE", "").strip()
        if value and file_name:
            self.refuse(f"{name} and {name}_FILE are both set. Unset one of them.")
            return default
        if not file_name:
            return value or default
        try:
            return _secret_of_file(Path(file_name))
        except ValueError as error:
            self.refuse(f"{name}_FILE is {_shown(file_name)}, {error}")
            return default

    def refuse(self, sentence: str) -> None:
        """Record one problem, once."""
        if sentence not in self.refused:
            self.refused.append(sentence)

    def stop_if_refused(self) -> None:
        """Raise ImproperlyConfigured with every recorded sentence, one a line, if there is any."""
        if self.refused:
            raise ImproperlyConfigured("\n".join(self.refused))

    def _read(self, name: str, kind: str, default: Value, parse: Callable[[str], Value]) -> Value:
        self.variables[name] = Variable(name, kind, default)
        value = self.values.get(name, "").strip()
        if not value:
            return default
        try:
            return parse(value)
        except ValueError as error:
            self.refuse(f"{name} is {_shown(value)}, {error}")
            return default


def _flag(value: str) -> bool:
    word = value.lower()
    if word in TRUE_WORDS | FALSE_WORDS:
        return word in TRUE_WORDS
    raise ValueError("which is neither true nor false. Write True or False.")


def _number(value: str, minimum: int) -> int:
    if not WHOLE_NUMBER.fullmatch(value):
        raise ValueError(f"which is not a whole number. Write digits only, at least {minimum}.")
    if int(value) < minimum:
        raise ValueError(f"which is too small. Write {minimum} or more.")
    return int(value)


def _items(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


def _network(value: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(value)
    except ValueError:
        raise ValueError("which is not a list of networks. Write addresses like 10.0.0.0/8,192.0.2.7.") from None


def _two_limits(value: str) -> list[str]:
    written = _items(value)
    try:
        _account, _address = map(Limit.read, written)
    except ValueError:
        sentence = "which is not two limits. Write one of an account and one from an address, like 10/5m,100/5m."
        raise ValueError(sentence) from None
    return written


def _choice(value: str, allowed: tuple[str, ...]) -> str:
    for word in allowed:
        if word.casefold() == value.casefold():
            return word
    raise ValueError(f"which is not known. Write one of: {', '.join(allowed)}.")


def _secret_of_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(SECRET_FILE_BYTES + 1)
    except OSError as error:
        raise ValueError(f"which cannot be read ({error.strerror}). Name a file that this user may read.") from error
    if len(content) > SECRET_FILE_BYTES:
        raise ValueError("which is too long for a secret. Name a file that holds the secret and nothing else.")
    try:
        value = content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise ValueError("which is not text. Name a file that holds the secret as UTF-8 text.") from None
    if not value:
        raise ValueError("which is empty. Write the secret into it.")
    return value


def _shown(value: str) -> str:
    """Quote a value for a sentence: printable whatever bytes it holds, and short."""
    return repr(value if len(value) <= SHOWN_CHARACTERS else value[:SHOWN_CHARACTERS] + "…")


PROCESS = Environment(os.environ)
VARIABLES = PROCESS.variables

text = PROCESS.text
flag = PROCESS.flag
number = PROCESS.number
items = PROCESS.items
networks = PROCESS.networks
limits = PROCESS.limits
choice = PROCESS.choice
secret = PROCESS.secret
refuse = PROCESS.refuse
stop_if_refused = PROCESS.stop_if_refused
