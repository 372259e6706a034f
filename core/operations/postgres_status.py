"""PostgreSQL: who is connected, who waits for whom, what runs long, and how many dead rows lie around.

The figures come from the server's statistics views (PostgreSQL manual, chapter "Monitoring Database Activity"); only
counts and the beginnings of statements are shown. Nothing is ended here: what to end is the operator's decision.
"""

from typing import Any

from django.db import connection

from core.operations.database_status import DatabaseStatus

CONNECTIONS_SHARE = 0.8
SLOW_S = 5
#: What the statements below name: seconds, rows, characters.
LIMITS = {"idle_s": 60, "slow_s": SLOW_S, "dead_share": 0.2, "dead_rows": 10_000, "characters": 120, "listed": 10}

FIGURES = """
SELECT pg_database_size(current_database()) AS size_bytes,
       current_setting('server_version') AS server,
       current_setting('max_connections')::int AS max_connections,
       count(*) FILTER (WHERE backend_type = 'client backend') AS connections,
       count(*) FILTER (WHERE state = 'active' AND pid <> pg_backend_pid()) AS active,
       count(*) FILTER (WHERE state LIKE 'idle in transaction%%'
           AND now() - state_change > make_interval(secs => %(idle_s)s)) AS idle_in_transaction,
       (SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()) AS deadlocks
FROM pg_stat_activity
"""
WAITING = """
SELECT pid, pg_blocking_pids(pid)::text AS blocked_by,
       round(extract(epoch FROM clock_timestamp() - query_start)::numeric, 1)::float AS seconds,
       left(regexp_replace(query, '[[:space:]]+', ' ', 'g'), %(characters)s) AS statement
FROM pg_stat_activity WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0
ORDER BY seconds DESC, pid LIMIT %(listed)s
"""
RUNNING = """
SELECT pid, round(extract(epoch FROM clock_timestamp() - query_start)::numeric, 1)::float AS seconds,
       left(regexp_replace(query, '[[:space:]]+', ' ', 'g'), %(characters)s) AS statement
FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'active'
  AND clock_timestamp() - query_start > make_interval(secs => %(slow_s)s)
ORDER BY seconds DESC, pid LIMIT %(listed)s
"""
TABLES = """
SELECT relname AS name, pg_total_relation_size(relid) AS size_bytes, n_live_tup AS live_rows, n_dead_tup AS dead_rows,
       coalesce(to_char(greatest(last_vacuum, last_autovacuum), 'YYYY-MM-DD HH24:MI'), '-') AS vacuumed
FROM pg_stat_user_tables ORDER BY size_bytes DESC, name LIMIT %(listed)s
"""
BLOATED = """
SELECT relname AS name, n_dead_tup AS dead_rows FROM pg_stat_user_tables
WHERE n_dead_tup > %(dead_rows)s AND n_dead_tup > %(dead_share)s * n_live_tup
ORDER BY n_dead_tup DESC, name LIMIT %(listed)s
"""
HAS_STATEMENTS = "SELECT count(*) AS installed FROM pg_extension WHERE extname = 'pg_stat_statements'"
STATEMENTS = """
SELECT calls, round(mean_exec_time::numeric, 1)::float AS mean_ms,
       left(regexp_replace(query, '[[:space:]]+', ' ', 'g'), %(characters)s) AS statement
FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY mean_exec_time DESC, queryid LIMIT %(listed)s
"""


def postgres_status() -> DatabaseStatus:
    """Return the status as the server's own statistics tell it; raises DatabaseError."""
    status = DatabaseStatus("postgresql", figures=_rows(FIGURES)[0])
    bloated = _rows(BLOATED)
    status.listings = {
        "waiting_for_locks": _rows(WAITING),
        "running_long": _rows(RUNNING),
        "bloated_tables": bloated,
        "largest_tables": _rows(TABLES),
    }
    if _rows(HAS_STATEMENTS)[0]["installed"]:
        status.listings["slowest_statements"] = _rows(STATEMENTS)
    status.problems = [sentence for sentence, wrong in _judged(status) if wrong]
    return status


def _judged(status: DatabaseStatus) -> list[tuple[str, bool]]:
    figures, listings = status.figures, status.listings
    used, most = figures["connections"], figures["max_connections"]
    idle, waiting = figures["idle_in_transaction"], listings["waiting_for_locks"]
    names = ", ".join(row["name"] for row in listings["bloated_tables"])
    return [
        (f"{used} of {most} connections are taken: fewer processes, or a larger max_connections.",
         used > CONNECTIONS_SHARE * most),
        (f"{idle} connections sit idle inside a transaction: find the program that forgot to end it.", idle > 0),
        (f"{len(waiting)} statements wait for a lock: look at blocked_by first.", bool(waiting)),
        (f"{len(listings['running_long'])} statements run for more than {SLOW_S} s.", bool(listings["running_long"])),
        (f"Dead rows pile up in {names}: VACUUM (ANALYZE) them, and look why autovacuum did not.", bool(names)),
    ]  # fmt: skip


def _rows(statement: str) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, LIMITS)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
