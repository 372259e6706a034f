"""Logging: one JSON object a line on standard output, or one readable line in development.

# Note [One record, one line]
Whatever is logged must come out as exactly one line that a JSON parser accepts: bad %-arguments, circular
objects, NaN, lone surrogates, objects that cannot be shown. The usual way is tried first; when it fails, or
when the line is too long or holds surrogates, every value is rebuilt from plain parts (`Plain`). Nothing
raises.

# Note [Secrets in log lines]
Lines carry paths, never query strings. Signatures still arrive by other ways (a signed token in a path, a
signed URL inside an exception), and each is a key to somebody's video, so `SECRETS` is cut out of every
finished line.
"""

import logging
import math
import re
import time
import traceback
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS, BaseJsonFormatter
from pythonjsonlogger.json import JsonEncoder

from core.log_output import NonBlockingHandler
from core.log_values import Plain

MESSAGE_CHARACTERS = 8 * 1024
EXCEPTION_CHARACTERS = 16 * 1024
EXTRA_CHARACTERS = 16 * 1024
LINE_CHARACTERS = 48 * 1024
NAME_CHARACTERS = 200

# What Django, its development server, and newer Pythons add to a record beside the message.
# `request` would show the query string, `status_code` is shown as `status`.
HIDDEN = frozenset({*RESERVED_ATTRS, "taskName", "request", "server_time", "status_code"})
CONTEXT_FIELDS = ("request_id", "user_id", "method", "path", "status", "duration_ms")

# What a caller's own field must not replace, and how the traceback and the stack are called.
OURS = frozenset({"timestamp", "level", "logger", "message", "exception", "stack"})
PYTHON_NAMES = {"exc_info": "exception", "stack_info": "stack"}

# In this order: signed values of django.core.signing (plain and quoted), S3 and CloudFront signatures,
# password-reset keys, and passwords in URLs.
SECRETS = re.compile(
    r":[0-9A-Za-z]{6}:[0-9A-Za-z_-]{27,}|%3A[0-9A-Za-z]{6}%3A[0-9A-Za-z_-]{27,}"
    r"|Signature=[^&\s\"\\]+|Security-Token=[^&\s\"\\]+"
    r"|/key/[0-9A-Za-z]+-[^/\s\"\\]+|://[^/@\s\"\\:]*:[^/@\s\"\\]+@"
)

# These write credentials or every byte they move at DEBUG.
TALKATIVE = ("boto3", "botocore", "s3transfer", "urllib3")

ENCODER = JsonEncoder(allow_nan=False)


@dataclass(frozen=True, slots=True)
class RequestContext:
    """What every line logged while a request is served says about it; user_id() never runs a query."""

    request_id: str
    method: str
    path: str
    user_id: Callable[[], str | None]
    address: str | None = None  # for the audit trail; not logged


CURRENT_REQUEST: ContextVar[RequestContext | None] = ContextVar("current_request", default=None)


class RequestContextFilter(logging.Filter):
    """Adds the current request's fields to a record; fields that the caller gave stay as they are."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return True always."""
        known = record.__dict__
        context = CURRENT_REQUEST.get()
        if context is None and "request" in known:
            # Django logs refusals (404 and the like) with their request, but after the last middleware.
            context = getattr(known["request"], "log_context", None)
        if context is not None:
            known.setdefault("request_id", context.request_id)
            known.setdefault("method", context.method)
            known.setdefault("path", context.path)
            if "user_id" not in known and (user_id := context.user_id()) is not None:
                known["user_id"] = user_id
        return True


class JsonFormatter(BaseJsonFormatter):
    """Formats a record as timestamp, level, logger, message, request fields, other fields, exception."""

    def __init__(self) -> None:
        super().__init__(fmt=())

    def format(self, record: logging.LogRecord) -> str:
        """Return one line that holds one JSON object; see Note [One record, one line]."""
        try:
            line = super().format(record)
            if len(line) > LINE_CHARACTERS or "\\ud" in line:
                line = _salvaged(self, record)
        except Exception:  # nothing is lost: the record is shown from plain parts instead
            line = _salvaged(self, record)
        return SECRETS.sub("[secret]", line)

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """Fill `log_data` in the order in which the fields are shown."""
        known = record.__dict__
        log_data["timestamp"] = _timestamp(record.created)
        log_data["level"] = record.levelname
        log_data["logger"] = record.name
        log_data["message"] = record.message
        names = known.keys() - HIDDEN
        for name in CONTEXT_FIELDS:
            if name in names:
                log_data[name] = known[name]
        if "status_code" in known:
            log_data.setdefault("status", known["status_code"])
        for name in sorted(names.difference(CONTEXT_FIELDS)):
            log_data[f"extra_{name}" if name in OURS else name] = known[name]
        for name, value in message_dict.items():
            shown = PYTHON_NAMES.get(name) or (f"extra_{name}" if name in log_data else name)
            log_data[shown] = value

    def jsonify_log_record(self, log_data: dict[str, Any]) -> str:
        """Return the JSON; raise ValueError, TypeError, or RecursionError for what JSON cannot hold."""
        return ENCODER.encode(log_data)


class SimpleFormatter(logging.Formatter):
    """Formats a record for people: one line with its fields and request id, a traceback below it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; line breaks inside the message and the fields are shown as escapes."""
        record.message = _one_line(_message(record))
        record.asctime = self.formatTime(record)
        fields = [
            f"{name}={_one_line(Plain(MESSAGE_CHARACTERS).text(value))}"
            for name, value in record.__dict__.items()
            if name not in HIDDEN and name != "request_id"
        ]
        line = " ".join([self.formatMessage(record), *fields])
        if request_id := getattr(record, "request_id", None):
            line += f" [{request_id}]"
        if exception := _exception(record):
            line += "\n" + exception
        return SECRETS.sub("[secret]", line)


def logging_config(*, level: str, json_lines: bool) -> dict[str, Any]:
    """Return the dictConfig for LOGGING: everything at `level` or above goes to standard output."""
    everything = {"level": level, "handlers": [], "propagate": True}
    nothing = {"level": "CRITICAL", "handlers": [], "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request_context": {"()": RequestContextFilter}},
        "formatters": {
            "json": {"()": JsonFormatter},
            "simple": {
                "()": SimpleFormatter,
                "fmt": "{levelname} {asctime} {module} {message}",
                "style": "{",
            },
        },
        "handlers": {
            "console": {
                "()": NonBlockingHandler,
                "formatter": "json" if json_lines else "simple",
                "filters": ["request_context"],
            },
        },
        "root": {"level": level, "handlers": ["console"]},
        "loggers": {
            "django": everything,
            # The development server's own access lines double ours.
            "django.server": nothing,
            "gunicorn.error": everything,
            "gunicorn.access": nothing,
            **{name: {"level": "INFO" if level == "DEBUG" else level} for name in TALKATIVE},
        },
    }


def _salvaged(formatter: JsonFormatter, record: logging.LogRecord) -> str:
    """Return the JSON line of a record that cannot be shown the usual way."""
    try:
        fields = {
            "timestamp": _timestamp(record.created),
            "level": Plain(NAME_CHARACTERS).text(record.levelname),
            "logger": Plain(NAME_CHARACTERS).text(record.name),
            "message": Plain(MESSAGE_CHARACTERS).text(_message(record)),
        }
        extras = {name: value for name, value in record.__dict__.items() if name not in HIDDEN}
        for name, value in Plain(EXTRA_CHARACTERS).value(extras).items():
            fields[f"extra_{name}" if name in OURS else name] = value
        if exception := _exception(record):
            fields["exception"] = Plain(EXCEPTION_CHARACTERS).text(exception)
        return formatter.jsonify_log_record(fields)
    except Exception:
        return formatter.jsonify_log_record(  # logging it from here could go round in circles
            {
                "timestamp": _timestamp(time.time()),
                "level": "ERROR",
                "logger": __name__,
                "message": "A log record could not be shown",
                "exception": ascii(traceback.format_exc())[:EXCEPTION_CHARACTERS],
            }
        )


def _timestamp(seconds: float) -> str:
    """Return RFC 3339 in UTC with milliseconds; the start of 1970 for what is no time."""
    try:
        whole = math.floor(seconds)
        return f"{_whole_second(whole)}.{int((seconds - whole) * 1000):03d}Z"
    except (TypeError, ValueError, OverflowError, OSError):
        return "1970-01-01T00:00:00.000Z"


@lru_cache(maxsize=4)
def _whole_second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # bad %-arguments: the line shows the text and what was given beside it
        plain = Plain(MESSAGE_CHARACTERS)
        return f"{plain.text(record.msg)} {plain.value(record.args)}"


def _exception(record: logging.LogRecord) -> str:
    if not record.exc_info or record.exc_info[0] is None:
        return ""
    try:
        return logging.Formatter().formatException(record.exc_info)
    except Exception:  # the traceback itself is what cannot be shown
        return "An exception that cannot be shown"


def _one_line(text: str) -> str:
    return text.replace("\r", "\\r").replace("\n", "\\n")
