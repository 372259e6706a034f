"""The monitor's configuration: a TOML or JSON file, read strictly.

Times are seconds, but for `max_ms`. A name that is not known stops the start: a mistyped threshold would watch nothing.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from core.operations.web import BadAddress, read_address

Shape = TypeVar("Shape")


class BadConfig(Exception):
    """The file cannot be used; the message says what to change."""


@dataclass(frozen=True)
class Probe:
    """One address to ask, and what its answer must be.

    With `metric`, the answer is Prometheus text and the sum of that metric's samples (those with `labels`, written as
    there: `state="failed"`) must lie between `minimum` and `maximum`. `bearer_file` names a file that holds a token.
    """

    name: str
    url: str
    status: int = 200
    max_ms: float = 5000.0
    timeout_s: float = 10.0
    contains: str = ""
    metric: str = ""
    labels: str = ""
    minimum: float = float("-inf")
    maximum: float = float("inf")
    bearer_file: str = ""
    failures: int = 2


@dataclass(frozen=True)
class Alerts:
    """Who is told: `webhook_file` names a file that holds the address, when it is a secret."""

    webhook: str = ""
    webhook_file: str = ""
    emails: tuple[str, ...] = ()
    timeout_s: float = 10.0


@dataclass(frozen=True)
class MonitorConfig:
    """What to ask every `every_s` seconds, whom to tell, and the file that remembers what was told."""

    probes: tuple[Probe, ...]
    alerts: Alerts
    state_file: Path
    every_s: float


def read_config(path: Path) -> MonitorConfig:
    """Return the configuration in `path` (.toml, else JSON); paths in it start at its folder; raises BadConfig."""
    given = _parsed(path)
    unknown = given.keys() - {"every_s", "state_file", "probes", "alerts"}
    if unknown:
        raise BadConfig(f"{path.name} has {sorted(unknown)}, which is not known.")
    probes = tuple(_shaped(Probe, probe, "probes") for probe in _list(given.get("probes")))
    names = [probe.name for probe in probes]
    if not probes or len(set(names)) < len(names):
        raise BadConfig(f"{path.name} needs [[probes]], each with a name of its own.")
    every_s = given.get("every_s", 60.0)
    if not _is_number(every_s) or every_s <= 0:
        raise BadConfig(f"every_s is {every_s!r}. Write seconds, more than 0.")
    alerts = _shaped(Alerts, given.get("alerts", {}), "alerts")
    _check_addresses(probes, alerts)
    folder = path.resolve().parent
    state_file = folder / str(given.get("state_file", "monitor-state.json"))
    located = tuple(replace(probe, bearer_file=_beside(folder, probe.bearer_file)) for probe in probes)
    return MonitorConfig(located, _with_webhook(alerts, folder), state_file, every_s)


def secret_of(path: str) -> str:
    """Return the first line of the file; raises BadConfig."""
    try:
        return Path(path).read_text().partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfig(f"{path} cannot be read: {error}.") from error


def _parsed(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text()
        given = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except (OSError, ValueError) as error:
        raise BadConfig(f"{path} cannot be read: {error}.") from error
    if not isinstance(given, dict):
        raise BadConfig(f"{path} is not an object with named fields.")
    return given


def _shaped(shape: type[Shape], given: Any, where: str) -> Shape:
    known = {field.name: field for field in fields(shape)}  # type: ignore[arg-type]
    if not isinstance(given, Mapping) or given.keys() - known.keys():
        extra = sorted(given.keys() - known.keys()) if isinstance(given, Mapping) else given
        raise BadConfig(f"{where} has {extra}, which is not known. Known are: {', '.join(known)}.")
    missing = [name for name, field in known.items() if field.default is MISSING and name not in given]
    if missing:
        raise BadConfig(f"{where} lacks {', '.join(missing)}.")
    return shape(**{name: _value(where, name, value, known[name].default) for name, value in given.items()})


def _value(where: str, name: str, value: Any, default: Any) -> Any:
    """Return the value in the kind of its default (text where there is none)."""
    if isinstance(default, tuple):
        if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
            return tuple(value)
    elif isinstance(default, int | float):
        if _is_number(value) and (name in ("minimum", "maximum") or value > 0):
            return value
    elif isinstance(value, str):
        return value
    raise BadConfig(f"{name} in {where} is {value!r}, which is not of its kind.")


def _check_addresses(probes: tuple[Probe, ...], alerts: Alerts) -> None:
    try:
        for url in (*(probe.url for probe in probes), *([alerts.webhook] if alerts.webhook else [])):
            read_address(url)
    except BadAddress as error:
        raise BadConfig(str(error)) from error


def _with_webhook(alerts: Alerts, folder: Path) -> Alerts:
    if not alerts.webhook_file:
        return alerts
    webhook = secret_of(_beside(folder, alerts.webhook_file))
    try:
        read_address(webhook)
    except BadAddress as error:
        raise BadConfig(f"{alerts.webhook_file} holds no address.") from error
    return replace(alerts, webhook=webhook)


def _beside(folder: Path, name: str) -> str:
    return str(folder / name) if name else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
