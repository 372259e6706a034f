import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandParser

from core.operations.findings import COULD_NOT_TELL, FINE, PROBLEM
from core.operations.log_lines import log_lines
from core.operations.logscan import LogScan, scan
from core.operations.tables import plain, table

SHOWN_FIRST = ("timestamp", "level", "logger", "message")


class Command(BaseCommand):
    help = (
        "Reads JSON log lines from a file or standard input: errors, slow requests, busiest paths. "
        "Exit 0: no error; 1: errors, or answers of 500 and above; 2: not a log."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", default="-", help="the log, or - for standard input (the default)")
        parser.add_argument("--slow-ms", type=float, default=1000, metavar="N", help="slow from N ms on (1000)")
        parser.add_argument("--top", type=int, default=10, metavar="N", help="entries of each list (10)")
        parser.add_argument("--request-id", help="print the lines of this request instead; exit 1 when there is none")
        parser.add_argument("--json", action="store_true", help="print one JSON object (of each line of a request)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with _opened(options["file"]) as file:
                if options["request_id"]:
                    sys.exit(self._print_request(file, options["request_id"], as_json=options["json"]))
                found = scan(log_lines(file), slow_ms=options["slow_ms"], keep=options["top"])
        except OSError as error:
            self.stderr.write(f"{options['file']} cannot be read: {error.strerror}.")
            sys.exit(COULD_NOT_TELL)
        self._print(found, as_json=options["json"])
        if found.lines == found.unreadable:
            self.stderr.write("No line was a JSON object: is DJANGO_DEBUG on, or is this another file?")
            sys.exit(COULD_NOT_TELL)
        sys.exit(FINE if found.is_fine else PROBLEM)

    def _print(self, found: LogScan, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(found.to_json()))
            return
        for line in _report(found):
            self.stdout.write(line)

    def _print_request(self, file: BinaryIO, request_id: str, *, as_json: bool) -> int:
        seen = False
        for line in log_lines(file):
            if line is None or line.get("request_id") != request_id:
                continue
            seen = True
            if as_json:
                self.stdout.write(json.dumps(line))
                continue
            self.stdout.write(plain("  ".join(str(line.get(name, "")) for name in SHOWN_FIRST)))
            for name, value in line.items():
                if name not in (*SHOWN_FIRST, "request_id"):
                    self.stdout.write("\n".join(f"    {name}: {plain(part)}" for part in str(value).splitlines()))
        return FINE if seen else PROBLEM


def _report(found: LogScan) -> Iterator[str]:
    yield f"{found.lines} lines, {found.unreadable} unreadable; {found.requests} requests, {found.slow} slow"
    yield f"{found.errors} errors, {found.failed_requests} answers of 500 and above"
    told = found.to_json()
    yield from _section("Errors", ("count", "last_at", "last_request_id", "logger", "message"), told["top_errors"])
    slowest = ("duration_ms", "status", "method", "request_id", "at", "path")
    yield from _section(f"Slow (from {found.slow_ms:g} ms)", slowest, told["slowest"])
    yield from _section("Busiest", ("requests", "p50_ms", "p95_ms", "path"), told["top_paths"])


def _section(title: str, columns: tuple[str, ...], rows: list[dict[str, Any]]) -> Iterator[str]:
    if rows:
        yield from ("", title)
        yield from table([columns, *([row[column] for column in columns] for row in rows)])


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        yield sys.stdin.buffer
    else:
        with Path(name).open("rb") as file:
            yield file
